import type { Random } from '../random.ts';

/** Secrets to look for: each has a core that no escaping changes, so that a part of it gives it away. */
export interface Canaries {
  /** A new secret: letters and digits only; whoever enters it puts other characters around it. */
  make(name: string): string;
  /** A secret that somebody else made up. */
  add(name: string, value: string): void;
  /** Which secrets are found in a text, in any form in which they could be read back; `name in place`. */
  findIn(place: string, text: string | Buffer, except?: readonly string[]): readonly string[];
  readonly count: number;
}

/** Characters of a secret that together would be no accident. */
const TELLING = 10;
const ALPHABET = [...'ABCDEFGHJKMNPQRSTUVWXYZabcdefghjkmnpqrstuvwxyz23456789'];

export function createCanaries(random: Random): Canaries {
  const names = new Set<string>();
  /** By their first four bytes. */
  const needles = new Map<number, { readonly name: string; readonly bytes: Buffer }[]>();
  /** By their first two: nearly every place of a file is passed by a look in here. */
  const begins = new Uint8Array(65_536);

  const add = (name: string, value: string): void => {
    names.add(name);
    for (const part of new Set([value, ...base64Of(value)].flatMap(partsOf))) {
      const bytes = Buffer.from(part.toLowerCase(), 'latin1');
      if (bytes.length < TELLING) throw new Error(`${name} is too short to be looked for`);
      const head = bytes.readInt32BE(0);
      needles.set(head, [...(needles.get(head) ?? []), { name, bytes }]);
      begins[bytes.readUInt16BE(0)] = 1;
    }
  };

  const search = (bytes: Buffer, found: Set<string>): void => {
    for (let at = 0; at <= bytes.length - TELLING; at++) {
      if (begins[(bytes[at]! << 8) | bytes[at + 1]!] === 0) continue;
      for (const needle of needles.get(bytes.readInt32BE(at)) ?? [])
        if (bytes.compare(needle.bytes, 0, needle.bytes.length, at, at + needle.bytes.length) === 0)
          found.add(needle.name);
    }
  };

  return {
    make: (name) => {
      const value = Array.from({ length: 36 }, () => random.pick(ALPHABET)).join('');
      add(name, value);
      return value;
    },
    add,
    findIn: (place, text, except = []) => {
      const found = new Set<string>();
      const written = (typeof text === 'string' ? text : text.toString('latin1')).toLowerCase();
      const unfolded = written.replace(FOLDS, '');
      search(Buffer.from(written, 'latin1'), found);
      if (unfolded !== written) search(Buffer.from(unfolded, 'latin1'), found);
      return [...found].filter((name) => !except.includes(name)).map((name) => `${name} in ${place}`);
    },
    get count() {
      return names.size;
    },
  };
}

/** A secret broken over lines, as folded headers, wrapped base64 and JSON have it. */
const FOLDS = /\\[nrt]|%0[ad]|%20|\s+/g;

/** A few pieces of it: its beginning, its end, and between them. */
function partsOf(text: string): readonly string[] {
  const last = Math.max(text.length - TELLING, 0);
  return [0, Math.floor(last / 3), Math.floor((2 * last) / 3), last].map((at) => text.slice(at, at + TELLING));
}

/** The part of its base64 that does not depend on what stands around it, in each of the three positions. */
function base64Of(text: string): readonly string[] {
  return [0, 1, 2].map((shift) => {
    const coded = Buffer.from('\0'.repeat(shift) + text).toString('base64');
    return coded.slice(Math.ceil((shift * 8) / 6), -4);
  });
}

import type { Random } from '../random.ts';

/** Secrets to look for: each has a core that no escaping changes, so that a part of it gives it away. */
export interface Canaries {
  /** A new secret, with characters around its core that JSON, URLs and headers write differently. */
  make(name: string, form?: (core: string) => string): string;
  /** A secret that somebody else made up. */
  add(name: string, value: string): void;
  /** Where in a text secrets are found, in any form in which it could be read back. */
  findIn(place: string, text: string, except?: readonly string[]): readonly string[];
  readonly count: number;
}

/** Characters of a secret that together would be no accident. */
const TELLING = 12;

export function createCanaries(random: Random): Canaries {
  const parts = new Map<string, readonly string[]>();
  const add = (name: string, value: string): void => {
    parts.set(name, [...new Set([value, ...base64Of(value)].flatMap(windows))]);
  };
  return {
    make: (name, form = (core) => core) => {
      // Letters and digits of both cases: no coding of bytes in a file looks like it by accident.
      const core = Array.from({ length: 36 }, () => random.pick([...ALPHABET])).join('');
      add(name, core);
      return form(core);
    },
    add,
    findIn: (place, text, except = []) => {
      const readings = [text, withoutFolds(text)];
      return [...parts].flatMap(([name, needles]) =>
        except.includes(name) || !readings.some((reading) => needles.some((needle) => reading.includes(needle)))
          ? []
          : [`${name} in ${place}`],
      );
    },
    get count() {
      return parts.size;
    },
  };
}

const ALPHABET = 'ABCDEFGHJKMNPQRSTUVWXYZabcdefghjkmnpqrstuvwxyz23456789';

/** A few pieces of it: its beginning, its end, and between them. */
function windows(text: string): readonly string[] {
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

/** A secret broken over lines, as folded headers, wrapped base64 and JSON have it. */
function withoutFolds(text: string): string {
  return text.replace(/\\[nrt]|%0[AaDd]|%20|\s+/g, '');
}

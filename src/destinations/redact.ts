import type { Secret } from '../secrets.ts';

/**
 * Replaces credentials by `[secret]`, however a text repeats them: escaped for JSON, a URL, a form or a page, as base64
 * at any place of a longer one, and broken over lines. One that is cut short or coded otherwise is not recognised.
 */
export function withoutSecrets(text: string, secrets: readonly Secret[]): string {
  return secrets.reduce((rest, secret) => {
    const pattern = patternOf(secret);
    return pattern ? rest.replace(pattern, '[secret]') : rest;
  }, text);
}

/** The beginning of what somebody answered, with one blank for many, without credentials and without pieces of any. */
export function readable(text: string, secrets: readonly Secret[]): string {
  const read = text.slice(0, READ_LENGTH);
  // Blanks first: behind many of them may be the beginning of a credential that what is read ends in.
  const whole = withoutSecrets(read.replace(/[\s\p{Cc}]+/gu, ' '), secrets);
  return read.length < text.length ? whole.slice(0, -LONGEST_REMAINDER) : whole;
}

/** How much of a text is read, in characters: one that goes on for megabytes is not searched through. */
const READ_LENGTH = 4_000;
/** No longer piece of a credential is left where a text was cut, in characters. */
const LONGEST_REMAINDER = 1_000;

/** A long credential is recognised by its pieces: patterns stay small, and most of one that is cut is found. */
const PIECE = 64;
/** Base64 that is shorter would be found in any text. */
const SHORTEST_BASE64 = 8;
/** What may stand between two characters of a credential that was broken over lines. */
const FOLD = '(?:[\\s+]|\\\\+[nrt]|%0[ad]|%20){0,4}';

const patterns = new WeakMap<Secret, RegExp | null>();

function patternOf(secret: Secret): RegExp | null {
  const known = patterns.get(secret);
  if (known !== undefined) return known;
  const value = secret.reveal();
  const forms = [
    [...value].filter((c) => /\S/.test(c)).map(characterPattern),
    ...[0, 1, 2].map((at) => base64(value, at)),
  ];
  const pieces = forms.flatMap(piecesOf).map((atoms) => atoms.join(FOLD));
  const pattern = pieces.length === 0 ? null : new RegExp(pieces.join('|'), 'gi');
  patterns.set(secret, pattern);
  return pattern;
}

function piecesOf(atoms: readonly string[]): readonly (readonly string[])[] {
  const pieces = Array.from({ length: Math.ceil(atoms.length / PIECE) }, (_, i) =>
    atoms.slice(i * PIECE, (i + 1) * PIECE),
  );
  // A last piece of a few characters alone would be found in any text.
  const last = pieces.length > 1 ? pieces.pop() : undefined;
  return last ? [...pieces.slice(0, -1), [...pieces.at(-1)!, ...last]] : pieces;
}

function characterPattern(character: string): string {
  if (/[A-Za-z0-9]/.test(character)) return character;
  const encoded = [...Buffer.from(character)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
  const escaped = `\\\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  const entity = /[&<>"']/.test(character) ? '|&#?\\w{2,5};' : '';
  return `(?:\\\\{0,3}${literal(character)}|${encoded}|${escaped}${entity})`;
}

/** The part of its base64 that is the same whatever stands around it, `at` bytes behind a multiple of three. */
function base64(value: string, at: number): readonly string[] {
  const bytes = Buffer.from(value);
  const coded = Buffer.concat([Buffer.alloc(at), bytes]).toString('base64');
  const own = coded.slice(Math.ceil((at * 8) / 6), Math.floor(((at + bytes.length) * 8) / 6));
  if (own.length < SHORTEST_BASE64) return [];
  return [...own].map((c) => (c === '+' ? '(?:[+-]|%2b)' : c === '/' ? '(?:\\\\{0,3}[/_]|%2f)' : c));
}

function literal(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|/-]/, '\\$&');
}

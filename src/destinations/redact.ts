import type { Secret } from '../secrets.ts';

/**
 * Replaces credentials by `[secret]`, however a text repeats them: escaped for JSON, a URL, a form or a page, as base64
 * at any place of a longer one, in capitals or without any, and broken over lines. One that is cut short or coded
 * otherwise is not recognised.
 */
export function withoutSecrets(text: string, secrets: readonly Secret[]): string {
  return secrets.reduce((rest, secret) => {
    const { forms, needles } = tracesOf(secret);
    return without(
      needles,
      forms.reduce((left, form) => left.replaceAll(form, '[secret]'), rest),
    );
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
/** A long credential is recognised by its pieces, so that most of one that is cut is found. */
const PIECE = 64;
/** Fewer letters would be found in any text. */
const SHORTEST = 6;
/** What escaping, folding and punctuation are made of; between them stand the letters and digits that nothing changes. */
const NOISE = /\\{1,4}(?:u[0-9a-f]{4}|[bfnrt])|%[0-9a-f]{2}|&#?\w{2,6};|[^A-Za-z0-9\\%&]+|[\\%&]/gi;

/** What a credential is recognised by. */
interface Traces {
  /** Its usual forms, whole. */
  readonly forms: readonly string[];
  /** Letters and digits of it and of its base64, without capitals, which are compared with those of the text. */
  readonly needles: readonly string[];
}

const known = new WeakMap<Secret, Traces>();

function tracesOf(secret: Secret): Traces {
  const before = known.get(secret);
  if (before) return before;
  const value = secret.reveal();
  const inForm = new URLSearchParams({ '': value }).toString().slice(1);
  const forms = [value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value.toWellFormed()), inForm];
  const coded = [0, 1, 2].map((at) => base64(value, at));
  const needles = [...forms, ...coded].flatMap((form) => piecesOf(lettersOf(form).letters));
  const traces = { forms: [...new Set(forms)].filter((form) => form.trim() !== ''), needles: [...new Set(needles)] };
  known.set(secret, traces);
  return traces;
}

/** The part of its base64 that is the same whatever stands around it, `at` bytes behind a multiple of three. */
function base64(value: string, at: number): string {
  const bytes = Buffer.from(value);
  const coded = Buffer.concat([Buffer.alloc(at), bytes]).toString('base64');
  return coded.slice(Math.ceil((at * 8) / 6), Math.floor(((at + bytes.length) * 8) / 6));
}

/** The last piece is up to twice as long: a few letters alone would be found in any text. */
function piecesOf(letters: string): readonly string[] {
  const count = Math.max(1, Math.floor(letters.length / PIECE));
  const pieces = Array.from({ length: count }, (_, i) =>
    letters.slice(i * PIECE, i === count - 1 ? undefined : (i + 1) * PIECE),
  );
  return pieces.filter((piece) => piece.length >= SHORTEST);
}

/** Letters and digits of a text, without capitals, and where in it each stands. */
function lettersOf(text: string): { readonly letters: string; readonly places: readonly number[] } {
  const places: number[] = [];
  let letters = '';
  let from = 0;
  const take = (to: number): void => {
    letters += text.slice(from, to);
    for (let at = from; at < to; at++) places.push(at);
  };
  for (const { index, 0: noise } of text.matchAll(NOISE)) {
    take(index);
    from = index + noise.length;
  }
  take(text.length);
  return { letters: letters.toLowerCase(), places };
}

function without(needles: readonly string[], text: string): string {
  const { letters, places } = lettersOf(text);
  const found: { readonly start: number; readonly end: number }[] = [];
  for (const needle of needles)
    for (let at = letters.indexOf(needle); at !== -1; at = letters.indexOf(needle, at + needle.length))
      found.push({ start: places[at]!, end: places[at + needle.length - 1]! + 1 });
  if (found.length === 0) return text;
  let rest = '';
  let from = 0;
  for (const { start, end } of found.sort((a, b) => a.start - b.start)) {
    if (start >= from) rest += `${text.slice(from, start)}[secret]`;
    from = Math.max(from, end);
  }
  return rest + text.slice(from);
}

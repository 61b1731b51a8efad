import { COMMON_WORDS } from './common-words.ts';

export const PASSWORD_MIN_LENGTH = 12;
export const PASSWORD_MAX_LENGTH = 256;

/**
 * What is wrong with a new password, as a sentence that says what to do; undefined: nothing. Long, not guessable from
 * lists, not about the person. Character classes are not asked for: they make passwords harder to remember, not to
 * guess (NIST SP 800-63B-4 §3.1.1.2).
 */
export function passwordFault(password: string, person: { readonly email: string; readonly name: string }) {
  const length = [...password].length;
  if (length < PASSWORD_MIN_LENGTH)
    return `Use at least ${PASSWORD_MIN_LENGTH} characters; this has ${length}. A few unrelated words work well.`;
  if (password.length > PASSWORD_MAX_LENGTH) return `Use at most ${PASSWORD_MAX_LENGTH} characters.`;
  const plain = plainOf(password);
  if (isPattern(plain))
    return 'This is a repeated or running pattern, which is guessed first. Use a few unrelated words.';
  if (isCommon(plain)) return 'This is among the passwords that are guessed first. Use a few unrelated words.';
  if (personal(person).some((word) => plain.includes(word)))
    return 'Leave your name and e-mail address out of the password.';
  return undefined;
}

function plainOf(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
}

/** Few different characters, one piece over and over, or keys and letters in their order. */
function isPattern(plain: string): boolean {
  if (new Set(plain).size < 4 || /^(.{1,6})\1+.{0,5}$/s.test(plain)) return true;
  const steps = [...plain].slice(1).filter((character, i) => follows(plain[i]!, character));
  return steps.length >= (plain.length - 1) * 0.75;
}

function follows(character: string, next: string): boolean {
  return RUNS.some((run) => run.includes(character + next) || run.includes(next + character));
}

const RUNS = [
  'abcdefghijklmnopqrstuvwxyz',
  '01234567890',
  'qwertyuiop[]',
  'qwertzuiopü',
  'azertyuiop',
  'asdfghjkl;',
  'zxcvbnm,./',
  'yxcvbnm,.-',
  '!@#$%^&*()',
];

/** What is left of it without decoration is one common word, or two. */
function isCommon(plain: string): boolean {
  const readings = [bare(plain), unleet(bare(plain)), bare(unleet(plain))].map((text) =>
    text.replace(/[^\p{L}\d]/gu, ''),
  );
  return readings.some(
    (core) => COMMON_WORDS.has(core) || splits(core).some(([a, b]) => COMMON_WORDS.has(a) && COMMON_WORDS.has(b)),
  );
}

/** Without what stands around its first and last letter. */
function bare(text: string): string {
  return text.replace(/^[^\p{L}]+|[^\p{L}]+$/gu, '');
}

function splits(text: string): readonly (readonly [string, string])[] {
  return Array.from({ length: Math.max(text.length - 1, 0) }, (_, i) => [text.slice(0, i + 1), text.slice(i + 1)]);
}

/** p@ssw0rd is password. */
function unleet(text: string): string {
  return text.replace(/[@$!013457]/g, (character) => LEET[character] ?? character);
}

const LEET: Readonly<Record<string, string>> = {
  '@': 'a',
  $: 's',
  '!': 'i',
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
};

function personal({ email, name }: { readonly email: string; readonly name: string }): readonly string[] {
  const local = email.slice(0, email.lastIndexOf('@'));
  return [email, local, ...name.split(/[^\p{L}\p{N}]+/u)].map(plainOf).filter((word) => word.length >= 4);
}

import type { Setting } from '../model.ts';

/** What a person pasted, as the SIEM wants it, and what was taken off, in words; null: nothing. */
export interface Cleaned {
  readonly value: string;
  readonly removed: string | null;
}

/** QRadar compares its token literally (IBM: HTTP Receiver protocol): a "Bearer" in it may be part of it. */
const LITERAL: readonly string[] = ['secToken'];
const CREDENTIAL_PREFIX = /^(?:dd-api-key:\s*|(?:authorization:\s*)?(?:(?:bearer|splunk|apikey)\s+)?)/i;
/** Paths of the vendors' own interfaces, as their guides show them; the service adds them itself. */
const VENDOR_PATH =
  /\/(?:services\/collector|_bulk|api\/v2\/logs|v1\/input|dataCollectionRules)(?:[/?#].*)?$|\/(?:oauth2|v2\.0)\/.*$/i;

/** Cleans a pasted or typed value: spaces, quotes, header names before a credential, the vendor's path after an address. */
export function cleanPaste({ name, secret, input }: Pick<Setting, 'name' | 'secret' | 'input'>, text: string): Cleaned {
  const removed: string[] = [];
  let value = text;
  const take = (rest: string, words: string): void => {
    if (rest === value) return;
    removed.push(words);
    value = rest;
  };
  if (input === 'certificate' || input === 'privateKey') return { value, removed: null };
  take(value.trim(), 'the spaces around it');
  if (LITERAL.includes(name)) return { value, removed: inWords(removed) };
  take(value.replace(/^(["'`])(.*)\1$/s, '$2').trim(), 'the quotes around it');
  if (secret) {
    const [prefix = ''] = CREDENTIAL_PREFIX.exec(value) ?? [];
    if (prefix) take(value.slice(prefix.length), `“${prefix.trim()}” before it`);
  }
  if (isAddress(name, input)) {
    const [path = ''] = VENDOR_PATH.exec(value) ?? [];
    if (path) take(value.slice(0, -path.length), `“${path}” at its end`);
  }
  return { value, removed: inWords(removed) };
}

/** Elastic's address is a text, because it may be a Cloud ID. */
function isAddress(name: string, input: string): boolean {
  return input === 'url' || /url$|endpoint$/i.test(name);
}

function inWords(parts: readonly string[]): string | null {
  return parts.length === 0 ? null : `We removed ${new Intl.ListFormat('en').format(parts)}.`;
}

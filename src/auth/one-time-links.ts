import { hash, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.ts';

/** What a one-time link is good for. */
export type LinkPurpose =
  /** Opens the first account. */
  | { readonly kind: 'setup' }
  | { readonly kind: 'sign-in'; readonly user: string }
  | { readonly kind: 'reset'; readonly user: string };

/** One-time links, kept in memory as hashes: a restart makes them void. */
export interface OneTimeLinks {
  /** The token for the link's fragment. */
  issue(purpose: LinkPurpose, forMs: number): string;
  /**
   * Does `work` with what the link is good for and uses the link up. When `work` throws, the link is good again: who
   * chose too short a password needs no new one. undefined: unknown, used, of another kind, or too old.
   */
  use<T, K extends LinkPurpose['kind']>(
    token: string,
    kind: K,
    work: (purpose: LinkPurpose & { readonly kind: K }) => Promise<T>,
  ): Promise<T | undefined>;
}

export function createOneTimeLinks(clock: Pick<Clock, 'now'>): OneTimeLinks {
  const links = new LRUCache<string, { readonly purpose: LinkPurpose; readonly until: number }>({ max: MOST_LINKS });
  return {
    issue: (purpose, forMs) => {
      const token = newToken();
      links.set(tokenHash(token), { purpose, until: clock.now() + forMs });
      return token;
    },
    use: async (token, kind, work) => {
      const digest = tokenHash(token);
      const link = links.get(digest);
      if (!link || !isOf(link.purpose, kind) || link.until <= clock.now()) return undefined;
      // Gone before the work begins: of two at once, one finds it.
      links.delete(digest);
      try {
        return await work(link.purpose);
      } catch (error) {
        links.set(digest, link);
        throw error;
      }
    },
  };
}

/** 256 random bits, base64url. */
export function newToken(): string {
  return randomBytes(32).toString('base64url');
}

/** SHA-256, hex: a token cannot be guessed back from it. */
export function tokenHash(token: string): string {
  return hash('sha256', token, 'hex');
}

/** Links asked for and never used do not fill the memory. */
const MOST_LINKS = 10_000;

function isOf<K extends LinkPurpose['kind']>(
  purpose: LinkPurpose,
  kind: K,
): purpose is LinkPurpose & { readonly kind: K } {
  return purpose.kind === kind;
}

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Account } from '../../src/auth/accounts.ts';
import { createAccounts } from '../../src/auth/better-auth.ts';
import type { Role } from '../../src/contract/roles.ts';
import type { NewEvent } from '../../src/event/logged-event.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { TestClock } from './test-clock.ts';

export const PASSWORD = 'lively otter cabinet';
export const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
const BASE = 'http://127.0.0.1:8080';

/** Accounts over a real database in a folder of its own, a clock and a log of the test's. */
export async function accountRig() {
  const folder = await mkdtemp(join(tmpdir(), 'trailproof-accounts-'));
  const clock = new TestClock(Date.now());
  const roles = new Map<string, Map<string, Role>>();
  const log = { events: [] as NewEvent[], isBroken: false };
  const open = (more: { secureCookies?: boolean } = {}) =>
    createAccounts({
      folder,
      baseUrl: () => BASE,
      secureCookies: false,
      rolesOf: async (user) => roles.get(user) ?? new Map(),
      append: async (events) => {
        if (log.isBroken) throw new Error('disk on fire');
        const known = new Set(log.events.map(({ team, id }) => `${team} ${id}`));
        log.events.push(...events.filter(({ team, id }) => !known.has(`${team} ${id}`)));
      },
      clock,
      logger: createLogger({ level: 'silent' }),
      secret: 'a secret of the tests, 43 characters long ……',
      ...more,
    });
  const rig = { folder, clock, roles, log, open, accounts: await open() };
  onTestFinished(async () => {
    await rig.accounts.close();
    await rm(folder, { recursive: true, force: true });
  });
  return {
    ...rig,
    /** Closes and opens the folder again. */
    reopen: async (more: { secureCookies?: boolean } = {}) => {
      await rig.accounts.close();
      rig.accounts = await open(more);
      return rig.accounts;
    },
    /** An account, in the team `acme` unless said otherwise. */
    person: async (email = 'ana@acme.com', teams = ['acme']): Promise<Account> => {
      const made = await rig.accounts.create({ email, name: 'Ana Lind', password: PASSWORD }, teams, {});
      if (!('id' in made)) throw new Error(made.message);
      roles.set(made.id, new Map(teams.map((team) => [team, 'admin'])));
      log.events.length = 0;
      return made;
    },
    browser: (ipAddress = '203.0.113.7') =>
      new Browser((request, origin) => rig.accounts.handle(request, origin), ipAddress),
    /** What was recorded, oldest first, in one line each: team, type, reason. */
    recorded: () =>
      log.events.map(({ team, eventType, json }) =>
        [team, eventType, JSON.parse(json).failureReason ?? ''].join(' ').trim(),
      ),
    recordedOf: (eventType: string) =>
      log.events.filter((event) => event.eventType === eventType).map(({ json }) => JSON.parse(json)),
  };
}

/** What answers may hold, as far as tests ask. */
interface Answer {
  readonly code?: string;
  readonly errors?: readonly { readonly path: string }[];
  readonly totpURI: string;
  readonly backupCodes: readonly string[];
}

type Handle = (
  request: Request,
  origin: { ipAddress: string; userAgent: string; requestId: string },
) => Promise<Response>;

/** Keeps cookies, as browsers do. */
class Browser {
  readonly #handle: Handle;
  readonly #ipAddress: string;
  readonly #cookies = new Map<string, string>();

  constructor(handle: Handle, ipAddress: string) {
    this.#handle = handle;
    this.#ipAddress = ipAddress;
  }

  get cookies(): string {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  take(setCookies: readonly string[]): void {
    for (const cookie of setCookies) {
      const [, name, value, attributes] = /^([^=]+)=([^;]*)(.*)$/.exec(cookie) ?? [];
      if (/Max-Age=0\b/.test(attributes ?? '')) this.#cookies.delete(name!);
      else this.#cookies.set(name!, value!);
    }
  }

  async call(method: 'GET' | 'POST', path: string, body: object = {}, headers: Record<string, string> = {}) {
    const answer = await this.#handle(
      new Request(`${BASE}/api/auth${path}`, {
        method,
        headers: {
          'content-type': 'application/json',
          ...(this.cookies && { cookie: this.cookies }),
          origin: BASE,
          host: '127.0.0.1:8080',
          ...headers,
        },
        ...(method === 'POST' && { body: JSON.stringify(body) }),
      }),
      { ipAddress: this.#ipAddress, userAgent: FIREFOX, requestId: 'request-1' },
    );
    const setCookies = answer.headers.getSetCookie();
    this.take(setCookies);
    return { status: answer.status, headers: answer.headers, setCookies, body: (await answer.json()) as Answer };
  }

  signIn(email = 'ana@acme.com', password = PASSWORD) {
    return this.call('POST', '/sign-in/email', { email, password });
  }
}

import { AsyncLocalStorage } from 'node:async_hooks';
import type { SQLInputValue } from 'node:sqlite';
import { runWithTransaction } from '@better-auth/core/context';
import { betterAuth } from 'better-auth';
import { createAuthEndpoint } from 'better-auth/api';
import { parseCookies, setSessionCookie } from 'better-auth/cookies';
import { getMigrations } from 'better-auth/db/migration';
import { twoFactor } from 'better-auth/plugins/two-factor';
import { Kysely, SqliteDialect } from 'kysely';
import type { Logger } from '../telemetry/logger.ts';
import type { AccountDatabase, SessionRow } from './account-database.ts';
import type { NewAccount } from './accounts.ts';
import { COOKIE_PREFIX, cookiesOf, PROLONGED_SECONDS, SESSION_SECONDS } from './cookies.ts';
import { hashPassword, verifyPassword } from './password-hash.ts';
import { PASSWORD_MAX_LENGTH, PASSWORD_MIN_LENGTH } from './password-policy.ts';
import type { Origin } from './principal.ts';
import type { RateLimiter } from './rate-limiter.ts';

/** What a call changed: the sessions it made and deleted, in their order. */
export interface Changes<Result> {
  readonly result: Result;
  readonly began: readonly LibrarySession[];
  readonly ended: readonly LibrarySession[];
}
export type LibrarySession = Pick<SessionRow, 'id' | 'token' | 'userId' | 'createdAt' | 'expiresAt'>;

/** better-auth, configured. Loaded when the first person is, for it takes 50 MiB of memory. */
export interface Library {
  /** Runs `call`, and says which sessions it began and ended. */
  watch<Result>(origin: Origin, call: () => Promise<Result>): Promise<Changes<Result>>;
  /** Answers a request of one of better-auth's own routes, such as `/sign-in/email`. Within `watch`. */
  handle(path: string, headers: Headers, body: object): Promise<Response>;
  /** Whose session the cookies are. Prolongs it once an hour. */
  session(cookies: string): Promise<LibrarySession | null>;
  /** Begins a session; the answer's cookies. */
  begin(user: string): Promise<readonly string[]>;
  endSession(token: string): Promise<void>;
  endSessions(user: string): Promise<void>;
  /** Gives the session that replaced another its id and beginning: to everyone else it is the same session. */
  replace(old: LibrarySession, by: LibrarySession): Promise<void>;
  createAccount(account: NewAccount): Promise<string>;
  deleteAccount(id: string): Promise<void>;
  setPassword(id: string, password: string): Promise<void>;
  seen(id: string, at: number): Promise<void>;
  /** The secret part of the cookie that says whose second factor is awaited; undefined: there is none. */
  challengeOf(cookies: string): string | undefined;
  close(): Promise<void>;
}

export interface LibraryOptions {
  readonly database: AccountDatabase;
  readonly secret: string;
  readonly secureCookies: boolean;
  readonly issuer: string;
  readonly baseUrl: () => string;
  readonly limiter: RateLimiter;
  readonly logger: Logger;
}

/** How long a second factor is awaited. Its cookie stays longer, so that a late answer is known for whose it is. */
const CHALLENGE_SECONDS = 600;
/** Stands for the service in URLs that never leave the process (RFC 6761 §6.4); what is ours says `trustedOrigins`. */
const INTERNAL_URL = 'https://trailproof.invalid';

export async function openLibrary(options: LibraryOptions): Promise<Library> {
  const { database, limiter, logger } = options;
  const watched = new AsyncLocalStorage<{ origin: Origin; began: LibrarySession[]; ended: LibrarySession[] }>();
  const tables = new Kysely<{ session: { id: string; createdAt: string } }>({
    dialect: new SqliteDialect({ database: queriesOf(database) }),
  });

  /** Only for calls from within the process. */
  const beginSession = createAuthEndpoint.serverOnly(
    { method: 'POST', requireHeaders: true },
    async (context): Promise<null> => {
      const user = await context.context.internalAdapter.findUserById(context.headers.get(USER_HEADER) ?? '');
      if (!user) throw new Error('a session is begun for an account that exists');
      const session = await context.context.internalAdapter.createSession(user.id);
      await setSessionCookie(context, { session, user });
      return null;
    },
  );

  const configuration = {
    appName: options.issuer,
    baseURL: INTERNAL_URL,
    secret: options.secret,
    database: { db: tables, type: 'sqlite' as const, transaction: true },
    telemetry: { enabled: false },
    logger: {
      log: (level: 'debug' | 'info' | 'warn' | 'error', message: string, ...more: unknown[]) => {
        const err = more.find((one) => one instanceof Error);
        // What it warns of, such as a wrong password, is in the audit log.
        logger[level === 'error' ? 'error' : 'debug']({ library: 'better-auth', ...(err && { err }) }, message);
      },
    },
    trustedOrigins: (request?: Request) => {
      const host = request?.headers.get('host');
      return [options.baseUrl(), ...(host ? [`http://${host}`, `https://${host}`] : [])];
    },
    emailAndPassword: {
      enabled: true,
      disableSignUp: true,
      minPasswordLength: PASSWORD_MIN_LENGTH,
      maxPasswordLength: PASSWORD_MAX_LENGTH,
      password: { hash: hashPassword, verify: verifyPassword },
    },
    session: { expiresIn: SESSION_SECONDS, updateAge: PROLONGED_SECONDS, freshAge: 0, cookieCache: { enabled: false } },
    user: {
      additionalFields: { lastSeenAt: { type: 'date' as const, required: false, input: false, returned: false } },
    },
    rateLimit: {
      enabled: true,
      window: 10,
      max: 100,
      customRules: {
        '/sign-in/email': { window: 60, max: 30 },
        '/two-factor/*': { window: 60, max: 30 },
        '/change-password': { window: 60, max: 10 },
      },
      customStorage: { consume: async (key: string, rule: { window: number; max: number }) => limiter.take(key, rule) },
    },
    plugins: [
      twoFactor({ issuer: options.issuer, twoFactorCookieMaxAge: CHALLENGE_SECONDS }),
      { id: 'begin-session', endpoints: { beginSession } },
    ],
    advanced: {
      cookiePrefix: COOKIE_PREFIX,
      useSecureCookies: options.secureCookies,
      // Said for the tests: there better-auth would check neither unless told to.
      disableOriginCheck: false,
      disableCSRFCheck: false,
      cookies: { two_factor: { attributes: { maxAge: 6 * CHALLENGE_SECONDS } } },
      ipAddress: { ipAddressHeaders: [ADDRESS_HEADER] },
      database: { defaultFindManyLimit: 100_000 },
    },
    databaseHooks: {
      session: {
        create: {
          // better-auth itself cuts IPv6 addresses to their network, as its rate limit wants them.
          before: async (session: object) => {
            const { ipAddress = '', userAgent = '' } = watched.getStore()?.origin ?? {};
            return { data: { ...session, ipAddress, userAgent } };
          },
          after: async (session: Dated) => void watched.getStore()?.began.push(toLibrarySession(session)),
        },
        delete: { after: async (session: Dated) => void watched.getStore()?.ended.push(toLibrarySession(session)) },
      },
    },
  };

  await (await getMigrations(configuration)).runMigrations();
  const auth = betterAuth(configuration);
  const { adapter, internalAdapter, password } = await auth.$context;

  return {
    watch: async (origin, call) => {
      const changes = { origin, began: [], ended: [] };
      return { result: await watched.run(changes, call), began: changes.began, ended: changes.ended };
    },
    handle: async (path, headers, body) => {
      const inner = new Headers({ 'content-type': 'application/json', origin: options.baseUrl() });
      for (const name of PASSED_HEADERS) {
        const value = headers.get(name);
        if (value !== null) inner.set(name, value);
      }
      const address = watched.getStore()?.origin.ipAddress;
      if (address) inner.set(ADDRESS_HEADER, address);
      const request = new Request(`${INTERNAL_URL}/api/auth${path}`, {
        method: 'POST',
        headers: inner,
        body: JSON.stringify(body),
      });
      return auth.handler(request);
    },
    session: async (cookies) => {
      const found = await auth.api.getSession({ headers: new Headers({ cookie: cookies }) });
      return found && toLibrarySession(found.session);
    },
    begin: async (user) => {
      const answer = await auth.api.beginSession({
        headers: new Headers({ [USER_HEADER]: user }),
        returnHeaders: true,
      });
      return cookiesOf(answer.headers);
    },
    endSession: (token) => internalAdapter.deleteSession(token),
    endSessions: (user) => internalAdapter.deleteUserSessions(user),
    replace: async (old, by) => {
      const identity = { id: old.id, createdAt: new Date(old.createdAt).toISOString() };
      await tables.updateTable('session').set(identity).where('id', '=', by.id).execute();
    },
    createAccount: async ({ email, name, password: plain }) => {
      const hashed = await password.hash(plain);
      return runWithTransaction(adapter, async () => {
        const user = await internalAdapter.createUser({ email, name }, { method: 'email-password' });
        const credential = { userId: user.id, providerId: 'credential', accountId: user.id, password: hashed };
        await internalAdapter.linkAccount(credential);
        return user.id;
      });
    },
    deleteAccount: (id) => internalAdapter.deleteUser(id),
    setPassword: async (id, plain) => internalAdapter.updatePassword(id, await password.hash(plain)),
    seen: async (id, at) => {
      await internalAdapter.updateUser(id, { lastSeenAt: new Date(at) });
    },
    challengeOf: (cookies) =>
      parseCookies(cookies).get(`${options.secureCookies ? '__Secure-' : ''}${COOKIE_PREFIX}.two_factor`),
    close: () => tables.destroy(),
  };
}

/** Says whose address it is; never taken from the client. */
const ADDRESS_HEADER = 'x-real-client-ip';
const USER_HEADER = 'x-begin-for';
const PASSED_HEADERS = ['cookie', 'host', 'origin', 'sec-fetch-site', 'sec-fetch-mode', 'sec-fetch-dest'];

type Dated = { id: string; token: string; userId: string; createdAt: Date; expiresAt: Date };

function toLibrarySession({ id, token, userId, createdAt, expiresAt }: Dated): LibrarySession {
  return { id, token, userId, createdAt: createdAt.getTime(), expiresAt: expiresAt.getTime() };
}

/** node:sqlite as Kysely's dialect wants it. */
function queriesOf(database: AccountDatabase) {
  return {
    prepare: (sql: string) => {
      const statement = database.prepare(sql);
      // Kysely hands through what better-auth gives: texts, numbers, null.
      const values = (parameters: readonly unknown[]) => parameters as SQLInputValue[];
      return {
        reader: statement.columns().length > 0,
        all: (parameters: readonly unknown[]) => statement.all(...values(parameters)),
        run: (parameters: readonly unknown[]) => statement.run(...values(parameters)),
        iterate: (parameters: readonly unknown[]) => statement.iterate(...values(parameters)),
      };
    },
    close: () => {},
  };
}

import { join } from 'node:path';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.ts';
import type { Role } from '../contract/roles.ts';
import type { NewEvent, TeamId } from '../event/logged-event.ts';
import type { Logger } from '../telemetry/logger.ts';
import { openAccountDatabase } from './account-database.ts';
import { createAccountEvents } from './account-events.ts';
import { accountRoutes, NAME_MAX_LENGTH } from './account-routes.ts';
import type { AccountProblem, Accounts, NewAccount } from './accounts.ts';
import { mayHaveSession, PROLONGED_SECONDS } from './cookies.ts';
import type { Library } from './library.ts';
import { passwordFault } from './password-policy.ts';
import { createRateLimiter } from './rate-limiter.ts';
import { startSessionSweeper } from './session-sweeper.ts';
import { createSessions } from './sessions.ts';

export interface AccountsOptions {
  /** Where `accounts.db` is kept. */
  readonly folder: string;
  /** Where people reach the service; asked at each request, for the port is known late. */
  readonly baseUrl: () => string;
  /** The service is reached by https only. */
  readonly secureCookies: boolean;
  /** The teams in which a person is active. */
  readonly rolesOf: (user: string) => Promise<ReadonlyMap<TeamId, Role>>;
  readonly append: (events: readonly NewEvent[]) => Promise<unknown>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Signs cookies and encrypts the secrets of second factors: at least 32 random characters, the same after a restart. */
  readonly secret: string;
  /** What authenticator apps show. Default `Trailproof`. */
  readonly issuer?: string;
}

/**
 * Accounts kept by better-auth in a database of its own. The library is loaded with the first account: a service that
 * only has API keys pays neither its memory nor its time.
 */
export async function createAccounts(options: AccountsOptions): Promise<Accounts> {
  const { rolesOf, clock, logger } = options;
  const database = openAccountDatabase(join(options.folder, 'accounts.db'));
  const limiter = createRateLimiter(clock);
  const events = createAccountEvents(options);

  let loading: Promise<Library> | undefined;
  const load = async (): Promise<Library> => {
    const { openLibrary } = await import('./library.ts');
    return openLibrary({ ...options, issuer: options.issuer ?? 'Trailproof', database, limiter });
  };
  const library = (): Promise<Library> => (loading ??= load());
  if (!database.isEmpty()) await library();

  const sessions = createSessions({ database, library, events, rolesOf, clock });
  const sweeper = startSessionSweeper({ nextExpiry: database.nextExpiry, sweep: sessions.sweep, clock, logger });

  /** Tokens that cookies were found to hold: their signature is checked once, whether the session lives each time. */
  const named = new LRUCache<string, string>({ max: 1000 });

  const session: Accounts['session'] = async (cookies) => {
    if (!mayHaveSession(cookies) || database.isEmpty()) return null;
    const now = clock.now();
    let row = database.sessionOf(named.get(cookies) ?? '');
    if (!row || row.updatedAt + PROLONGED_SECONDS * 1000 <= now) {
      const { session: find } = await library();
      const { result, ended } = await sessions.watch({}, null, () => find(cookies));
      // It ended anyway; what cannot be recorded now is tried again.
      if (ended.length > 0) await sessions.recordEnds(ended, null, {}).catch(() => {});
      row = result ? database.sessionOf(result.token) : undefined;
    }
    if (!row || row.expiresAt <= now) return null;
    named.set(cookies, row.token);
    const account = database.byIds([row.userId]).get(row.userId);
    return account ? { account, sessionId: row.id, startedAt: row.createdAt, expiresAt: row.expiresAt } : null;
  };

  const endSessions = async (id: string) => {
    const { endSessions: end } = await library();
    return (await sessions.watch({}, null, () => end(id))).ended;
  };

  return {
    handle: accountRoutes({ database, library, sessions, events, limiter, session, clock, logger }),
    session,
    isEmpty: async () => database.isEmpty(),
    byIds: async (ids) => database.byIds(ids),
    byEmail: async (email) => database.byEmail(email),
    create: async (wanted, teams, by) => {
      const account = { ...wanted, email: wanted.email.trim().toLowerCase(), name: wanted.name.trim() };
      const problem = faultOf(account) ?? (database.byEmail(account.email) && TAKEN);
      if (problem) return problem;
      const { createAccount, deleteAccount } = await library();
      const id = await createAccount(account);
      const created = database.byIds([id]).get(id)!;
      try {
        await events.record({
          eventType: 'user.created',
          who: created,
          origin: by,
          alsoIn: teams,
          target: { type: 'user', id, name: created.email },
          description: `An account was made for ${created.email}`,
          metadata: { method: 'manual' },
        });
      } catch (error) {
        await deleteAccount(id);
        throw error;
      }
      return created;
    },
    begin: async (id, provider, origin) => {
      const { begin } = await library();
      const account = database.byIds([id]).get(id);
      if (!account) return [];
      const { result: cookies, began } = await sessions.watch(origin, null, () => begin(id));
      return (await sessions.welcome(account, began[0]!, { provider }, origin)) ? cookies : [];
    },
    endSessions: async (id, left = []) => {
      if (!database.isEmpty()) await sessions.recordEnds(await endSessions(id), 'deactivated', {}, left);
    },
    setPassword: async (id, password, origin) => {
      const account = database.byIds([id]).get(id);
      if (!account) return { field: 'email', message: 'There is no such account any more.' };
      const fault = passwordFault(password, account);
      if (fault) return { field: 'password', message: fault };
      const { setPassword } = await library();
      await setPassword(id, password);
      const ended = await endSessions(id);
      await events.recordDone({
        eventType: 'auth.password.changed',
        who: account,
        origin,
        description: `${account.email} set a new password by a one-time link`,
        metadata: { method: 'reset' },
      });
      await sessions.recordEnds(ended, 'password_changed', origin);
      return undefined;
    },
    ended: sessions.ended,
    close: async () => {
      await sweeper.stop();
      await events.close();
      await loading?.then((loaded) => loaded.close());
      database.close();
    },
  };
}

const TAKEN: AccountProblem = { field: 'email', message: 'There is an account with this e-mail address already.' };

function faultOf({ email, name, password }: NewAccount): AccountProblem | undefined {
  if (!EMAIL.test(email) || email.length > 254) return { field: 'email', message: 'This is not an e-mail address.' };
  if (name === '' || name.length > NAME_MAX_LENGTH)
    return { field: 'name', message: `Use between 1 and ${NAME_MAX_LENGTH} characters.` };
  const fault = passwordFault(password, { email, name });
  return fault === undefined ? undefined : { field: 'password', message: fault };
}

const EMAIL = /^[^\s@]+@[^\s@.]+(\.[^\s@.]+)*$/;

import { EventEmitter } from 'node:events';
import type { Clock } from '../clock.ts';
import type { Role } from '../contract/roles.ts';
import type { TeamId } from '../event/logged-event.ts';
import type { AccountDatabase } from './account-database.ts';
import type { AccountEvent, AccountEvents, Person } from './account-events.ts';
import type { Account } from './accounts.ts';
import { deviceOf } from './device.ts';
import type { Changes, Library, LibrarySession } from './library.ts';
import type { Origin } from './principal.ts';

/** How somebody proved who they are. */
export interface Proof {
  readonly provider: 'password' | 'setup' | 'invitation' | 'link';
  readonly secondFactor?: 'totp' | 'backup_code';
}
export type Refused = 'invalid_credentials' | 'rate_limited' | 'account_disabled' | 'mfa_required' | 'session_expired';
export type EndReason = 'revoked' | 'deactivated' | 'password_changed';

/** Sessions as the audit log sees them: each begins once and ends once, whichever way. */
export interface Sessions {
  /**
   * Runs `call` and wakes whoever waits for a session that it ended. A session that only took the place of
   * `current`, with a new secret, is the same session: neither begun nor ended.
   */
  watch<Result>(origin: Origin, current: string | null, call: () => Promise<Result>): Promise<Changes<Result>>;
  /** Whether the person is in any team. If not, that they were refused is recorded. */
  admits(account: Account, origin: Origin): Promise<boolean>;
  /** Records that the session began. False, and it is gone: the person is in no team. Rejects, and it is gone: not recorded. */
  welcome(account: Account, session: LibrarySession, proof: Proof, origin: Origin): Promise<boolean>;
  refuse(who: AccountEvent['who'], reason: Refused, origin: Origin): Promise<void>;
  /** Records that sessions ended: by expiry, as `reason` says, or by signing out. */
  recordEnds(
    ended: readonly LibrarySession[],
    reason: EndReason | null,
    origin: Origin,
    alsoIn?: readonly TeamId[],
  ): Promise<void>;
  /** Ends those that have expired. */
  sweep(): Promise<void>;
  ended(id: string, signal: AbortSignal): Promise<void>;
}

export function createSessions(parts: {
  readonly database: AccountDatabase;
  readonly library: () => Promise<Library>;
  readonly events: AccountEvents;
  readonly rolesOf: (user: string) => Promise<ReadonlyMap<TeamId, Role>>;
  readonly clock: Clock;
}): Sessions {
  const { database, library, events, rolesOf, clock } = parts;
  const ends = new EventEmitter().setMaxListeners(0);

  const watch: Sessions['watch'] = async (origin, current, call) => {
    const { watch: watchLibrary, replace } = await library();
    const { result, began, ended } = await watchLibrary(origin, call);
    // A second factor is asked for by ending the session that the password began.
    const stays = began.filter(({ id }) => !ended.some((other) => other.id === id));
    const gone = ended.filter(({ id }) => !began.some((other) => other.id === id));
    const old = gone.find(({ id }) => id === current);
    const successor = old && stays.find(({ userId }) => userId === old.userId);
    if (old && successor) await replace(old, successor);
    const really = gone.filter(({ id }) => !(successor && id === current));
    for (const { id } of really) ends.emit(id);
    return { result, began: stays.filter((session) => session !== successor), ended: really };
  };

  const refuse: Sessions['refuse'] = (who, reason, origin) => events.recordDone(refusal(who, reason, origin));

  const admits: Sessions['admits'] = async (account, origin) => {
    if ((await rolesOf(account.id)).size > 0) return true;
    await refuse(account, 'account_disabled', origin);
    return false;
  };

  return {
    watch,
    refuse,
    admits,
    welcome: async (account, session, proof, origin) => {
      const { endSession, seen } = await library();
      const undo = () => watch(origin, null, () => endSession(session.token));
      try {
        if (!(await admits(account, origin))) {
          await undo();
          return false;
        }
        await events.record(...beginning(account, session, proof, origin));
        await seen(account.id, clock.now());
        return true;
      } catch (error) {
        await undo();
        throw error;
      }
    },
    recordEnds: async (ended, reason, origin, alsoIn = []) => {
      const people = database.byIds(ended.map(({ userId }) => userId));
      const now = clock.now();
      await events.recordDone(
        ...ended.flatMap((session) => {
          const account = people.get(session.userId);
          return account ? [{ ...end(account, session, reason, now, origin), alsoIn }] : [];
        }),
      );
    },
    sweep: async () => {
      const now = clock.now();
      const expired = database.expired(now);
      if (expired.length === 0) return;
      const people = database.byIds(expired.map(({ userId }) => userId));
      // Recorded first: a crash in between records it again under the same id, which the log takes once.
      await events.record(
        ...expired.flatMap((session) => {
          const account = people.get(session.userId);
          return account ? [end(account, session, null, now, {})] : [];
        }),
      );
      const { endSession } = await library();
      for (const { token } of expired) await watch({}, null, () => endSession(token));
    },
    ended: (id, signal) =>
      new Promise((resolve) => {
        const done = (): void => {
          ends.off(id, done);
          signal.removeEventListener('abort', done);
          resolve();
        };
        ends.on(id, done);
        signal.addEventListener('abort', done, { once: true });
        const session = database.session(id);
        if (signal.aborted || !session || session.expiresAt <= clock.now()) done();
      }),
  };
}

export function refusal(who: AccountEvent['who'], reason: Refused, origin: Origin): AccountEvent {
  const email = 'id' in who ? who.email : who.attempted.slice(0, 254);
  return {
    eventType: 'auth.login.failure',
    who,
    origin,
    failureReason: reason,
    description: `Sign-in as ${email || 'nobody'} was refused: ${REFUSALS[reason]}`,
  };
}

const REFUSALS: Readonly<Record<Refused, string>> = {
  invalid_credentials: 'wrong e-mail address or password',
  rate_limited: 'too many attempts',
  account_disabled: 'in no team',
  mfa_required: 'the second factor was wrong',
  session_expired: 'the second factor came too late',
};

function beginning(who: Account, session: LibrarySession, proof: Proof, origin: Origin): readonly AccountEvent[] {
  const device = deviceOf(origin.userAgent);
  const same = { who, origin, sessionId: session.id };
  const how = HOW[proof.provider];
  return [
    {
      ...same,
      eventType: 'auth.login.success',
      description: `${who.email} signed in ${how}${proof.secondFactor ? ' and a second factor' : ''}`,
      metadata: { provider: proof.provider, secondFactor: proof.secondFactor ?? null },
    },
    {
      ...same,
      id: `began-${session.id}`,
      eventType: 'auth.session.created',
      description: `A session of ${who.email} began: ${device}`,
      metadata: { device, expiresAt: new Date(session.expiresAt).toISOString() },
    },
  ];
}

const HOW: Readonly<Record<Proof['provider'], string>> = {
  password: 'with a password',
  setup: 'by setting up the service',
  invitation: 'by an invitation',
  link: 'by a one-time link',
};

function end(
  who: Person,
  session: LibrarySession,
  reason: EndReason | null,
  now: number,
  origin: Origin,
): AccountEvent {
  const isExpired = session.expiresAt <= now;
  const until = isExpired ? session.expiresAt : now;
  return {
    who,
    origin,
    sessionId: session.id,
    // A session ends once, whoever finds out first.
    id: `ended-${session.id}`,
    eventType: isExpired ? 'auth.session.expired' : 'auth.logout',
    description: isExpired ? `A session of ${who.email} expired` : ENDS[reason ?? 'signed_out'](who.email),
    metadata: {
      durationSeconds: Math.round((until - session.createdAt) / 1000),
      ...(!isExpired && reason !== null && { reason }),
    },
  };
}

const ENDS: Readonly<Record<EndReason | 'signed_out', (email: string) => string>> = {
  signed_out: (email) => `${email} signed out`,
  revoked: (email) => `A session of ${email} was ended from another one`,
  deactivated: (email) => `A session of ${email} was ended: no longer active in a team`,
  password_changed: (email) => `A session of ${email} was ended: the password changed`,
};

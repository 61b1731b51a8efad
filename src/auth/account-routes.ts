import type { Clock } from '../clock.ts';
import type { OwnSession } from '../contract/account.ts';
import type { Logger } from '../telemetry/logger.ts';
import { answerOf, asks, type Call, type Outcome } from './account-call.ts';
import type { AccountDatabase, SessionRow } from './account-database.ts';
import type { AccountEvents } from './account-events.ts';
import type { Accounts, SignedIn } from './accounts.ts';
import { deviceOf } from './device.ts';
import type { Library } from './library.ts';
import { passwordFault } from './password-policy.ts';
import type { RateLimiter } from './rate-limiter.ts';
import { fieldProblem, Refusal, toAnswer } from './refusal.ts';
import type { EndReason, Sessions } from './sessions.ts';
import { createSignIn } from './sign-in.ts';

/**
 * The routes below `/api/auth/`: an allow-list. What a route takes and what it gives is named here, so that nothing
 * else of better-auth can be reached, and no session's secret is in an answer's body.
 */
export function accountRoutes(parts: {
  readonly database: AccountDatabase;
  readonly library: () => Promise<Library>;
  readonly sessions: Sessions;
  readonly events: AccountEvents;
  readonly limiter: RateLimiter;
  readonly session: Accounts['session'];
  readonly clock: Clock;
  readonly logger: Logger;
}): Accounts['handle'] {
  const { database, library, sessions, events, clock, logger } = parts;
  const ask = asks(library, sessions);
  const signIn = createSignIn({ ...parts, ask });

  /** A route of better-auth about oneself. `sends`: what it is called with, if not what was taken. */
  const own = (
    takes: readonly string[],
    gives: readonly string[] = [],
    then: (call: PersonsCall, outcome: Outcome) => Promise<void> = async () => {},
    sends: (call: PersonsCall) => object = ({ body }) => body,
  ): Route => ({
    access: 'person',
    takes,
    answer: async (call) => {
      const outcome = await ask(call, sends(call));
      if (outcome.status !== 200) throw whyNot(outcome, takes);
      await then(call, outcome);
      return answerOf(Object.fromEntries(gives.map((name) => [name, outcome.said[name]])), outcome.headers);
    },
  });

  const record = (
    { current: { account, sessionId }, origin }: PersonsCall,
    eventType: string,
    did: string,
    how = {},
  ) => {
    const description = `${account.email} ${did}`;
    return events.recordDone({ eventType, who: account, origin, sessionId, description, metadata: how });
  };

  const recordEnds =
    (reason: EndReason | null) =>
    ({ origin }: Call, { ended }: Outcome) =>
      sessions.recordEnds(ended, reason, origin);

  const setUpSecondFactor = own(['code'], [], (call) =>
    record(call, 'auth.mfa.enabled', 'set up a second factor', { method: 'totp' }),
  );

  const routes: Readonly<Record<string, Route>> = {
    'POST /sign-in/email': { access: 'anyone', takes: ['email', 'password'], answer: signIn.password },
    'POST /two-factor/verify-totp': {
      access: 'anyone',
      takes: ['code'],
      answer: ({ current, ...call }) => {
        if (!current) return signIn.secondFactor({ ...call, current }, 'totp');
        if (current.account.twoFactor) throw signedInAlready();
        return setUpSecondFactor.answer({ ...call, current });
      },
    },
    'POST /two-factor/verify-backup-code': {
      access: 'anyone',
      takes: ['code'],
      answer: (call) => {
        if (call.current) throw signedInAlready();
        return signIn.secondFactor(call, 'backup_code');
      },
    },
    'POST /sign-out': own([], [], recordEnds(null)),
    'POST /two-factor/enable': own(['password'], ['totpURI', 'backupCodes']),
    'POST /two-factor/get-totp-uri': own(['password'], ['totpURI']),
    'POST /two-factor/generate-backup-codes': own(['password'], ['backupCodes']),
    'POST /two-factor/disable': own(['password'], [], async (call) => {
      if (call.current.account.twoFactor) await record(call, 'auth.mfa.disabled', 'removed their second factor');
    }),
    'POST /change-password': own(
      ['currentPassword', 'newPassword'],
      [],
      async (call, outcome) => {
        await record(call, 'auth.password.changed', 'changed their password', { method: 'change' });
        await recordEnds('password_changed')(call, outcome);
      },
      ({ body, current }) => {
        const fault = passwordFault(body['newPassword']!, current.account);
        if (fault) throw fieldProblem('newPassword', fault);
        return { ...body, revokeOtherSessions: true };
      },
    ),
    'POST /update-user': own(['name'], [], undefined, ({ body }) => {
      const name = body['name']!.trim();
      if (name === '' || name.length > NAME_MAX_LENGTH)
        throw fieldProblem('name', `Use between 1 and ${NAME_MAX_LENGTH} characters.`);
      return { name };
    }),
    'GET /list-sessions': {
      access: 'person',
      takes: [],
      answer: async ({ current }) => {
        const live = database.sessionsOf(current.account.id).filter(({ expiresAt }) => expiresAt > clock.now());
        return answerOf(live.map((session) => shown(session, current)));
      },
    },
    'POST /revoke-session': own(['id'], [], recordEnds('revoked'), ({ body, current }) => {
      const session = database.session(body['id']!);
      if (session?.userId !== current.account.id) throw new Refusal('not_found', 'There is no such session.');
      return { token: session.token };
    }),
    'POST /revoke-other-sessions': own([], [], recordEnds('revoked')),
  };

  return async (request, origin) => {
    try {
      const path = new URL(request.url).pathname.replace(/^\/api\/auth(?=\/)/, '');
      const route = routes[`${request.method} ${path}`];
      if (!route) throw new Refusal('not_found');
      const current = await parts.session(request.headers.get('cookie') ?? '');
      if (route.access === 'person' && !current) throw new Refusal('unauthenticated', 'Sign in first.');
      const call = { path, headers: request.headers, body: await fieldsOf(request, route.takes), origin };
      return await (route.access === 'anyone'
        ? route.answer({ ...call, current })
        : route.answer({ ...call, current: current! }));
    } catch (error) {
      return toAnswer(error, origin, logger);
    }
  };
}

type PersonsCall = Call & { readonly current: SignedIn };
/** `takes`: fields of the body, texts; others are not looked at. */
type Route =
  | { readonly access: 'anyone'; readonly takes: readonly string[]; answer(call: Call): Promise<Response> }
  | { readonly access: 'person'; readonly takes: readonly string[]; answer(call: PersonsCall): Promise<Response> };

export const NAME_MAX_LENGTH = 128;

async function fieldsOf(request: Request, takes: readonly string[]): Promise<Call['body']> {
  if (takes.length === 0) return {};
  const body: unknown = await request.json().catch(() => null);
  if (typeof body !== 'object' || body === null) throw new Refusal('invalid_body', 'Send a JSON object.');
  const given = new Map<string, unknown>(Object.entries(body));
  return Object.fromEntries(
    takes.map((name) => {
      const value = given.get(name);
      if (typeof value !== 'string') throw fieldProblem(name, 'must be a text');
      return [name, value];
    }),
  );
}

function shown({ id, createdAt, expiresAt, ipAddress, userAgent }: SessionRow, current: SignedIn): OwnSession {
  return {
    id,
    current: id === current.sessionId,
    createdAt: new Date(createdAt).toISOString(),
    expiresAt: new Date(expiresAt).toISOString(),
    ipAddress: ipAddress || null,
    userAgent: userAgent || null,
    device: deviceOf(userAgent ?? undefined),
  };
}

function whyNot({ status, said, retryAfter }: Outcome, takes: readonly string[]): Refusal {
  if (status === 429) return new Refusal('rate_limited', undefined, { retryAfter });
  switch (said['code']) {
    case 'INVALID_PASSWORD':
    case 'PASSWORD_TOO_LONG':
      return fieldProblem(takes[0]!, 'This is not your password.');
    case 'INVALID_CODE':
      return new Refusal('wrong_code');
    case 'TOTP_ALREADY_ENABLED':
      return new Refusal('already_exists', 'A second factor is set up already: remove it first.');
    case 'TOTP_NOT_ENABLED':
    case 'TWO_FACTOR_NOT_ENABLED':
      return new Refusal('invalid_request', 'No second factor is set up.');
    default:
      // The session ended between our look and better-auth's.
      return status === 401
        ? new Refusal('unauthenticated', 'Sign in first.')
        : new Refusal('invalid_request', `better-auth: ${String(said['code'])}`);
  }
}

function signedInAlready(): Refusal {
  return new Refusal('invalid_request', 'You are signed in already.');
}

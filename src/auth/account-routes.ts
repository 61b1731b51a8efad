import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.ts';
import type { OwnSession, SignInAnswer } from '../contract/account.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { AccountDatabase } from './account-database.ts';
import type { AccountEvents } from './account-events.ts';
import type { Account, Accounts, SignedIn } from './accounts.ts';
import { cookiesOf } from './cookies.ts';
import { deviceOf } from './device.ts';
import type { Changes, Library } from './library.ts';
import { passwordFault } from './password-policy.ts';
import type { Origin } from './principal.ts';
import type { RateLimiter } from './rate-limiter.ts';
import { fieldProblem, Refusal, toAnswer } from './refusal.ts';
import { type Refused, refusal, type Sessions } from './sessions.ts';

interface Parts {
  readonly database: AccountDatabase;
  readonly library: () => Promise<Library>;
  readonly sessions: Sessions;
  readonly events: AccountEvents;
  readonly limiter: RateLimiter;
  readonly session: Accounts['session'];
  readonly clock: Clock;
  readonly logger: Logger;
}

/** One call of a route. `current`: whose session it is; null where none is needed. */
interface Call {
  readonly headers: Headers;
  readonly cookies: string;
  readonly body: Fields;
  readonly origin: Origin;
  readonly current: SignedIn | null;
}
type Fields = Readonly<Record<string, string>>;
type Outcome = Changes<Response> & { readonly answer: Readonly<Record<string, unknown>> };

/**
 * The routes below `/api/auth/`: an allow-list. What a route takes and what it gives is named here, so that nothing
 * else of better-auth can be reached, and no session's secret is in an answer's body.
 */
export function accountRoutes(parts: Parts): Accounts['handle'] {
  const { database, library, sessions, events, limiter, clock, logger } = parts;
  /** Whose second factor is awaited, by the cookie of the challenge; kept beyond its end, to know who comes too late. */
  const challenges = new LRUCache<string, Account>({ max: 10_000 });

  /** Lets better-auth answer. `outcome.answer` is what it said. */
  const ask = async (call: Call, path: string, body: object): Promise<Outcome> => {
    const { handle } = await library();
    const changes = await sessions.watch(call.origin, call.current?.sessionId ?? null, () =>
      handle('POST', path, call.headers, body),
    );
    const text = await changes.result.text();
    return { ...changes, answer: text ? JSON.parse(text) : {} };
  };

  const signIn = async (call: Call): Promise<Response> => {
    if (database.isEmpty())
      throw new Refusal(
        'invalid_credentials',
        'Nobody has an account yet: open the set-up link from the service’s log.',
      );
    const { email = '', password = '' } = call.body;
    const account = database.byEmail(email.trim());
    const who = account ?? { attempted: email };
    const tooMany = async (retryAfter: number) => {
      events.noteFlood(`${call.origin.ipAddress} ${account?.id}`, refusal(who, 'rate_limited', call.origin));
      throw new Refusal('rate_limited', undefined, { retryAfter });
    };
    // NIST SP 800-63B-4 §3.2.2: no more than 100 failures in a row against one account, from wherever they come.
    const attempts = `account ${email.trim().toLowerCase()}`;
    const taken = limiter.take(attempts, { window: 3600, max: 100 });
    if (!taken.allowed) return tooMany(taken.retryAfter ?? 0);

    const outcome = await ask(call, '/sign-in/email', { email: email.trim(), password });
    const { status } = outcome.result;
    if (status === 429) return tooMany(retryAfterOf(outcome.result));
    if (status === 403) throw new Refusal('cross_origin');
    if (status !== 200 || !account) {
      await sessions.refuse(who, 'invalid_credentials', call.origin);
      throw new Refusal('invalid_credentials');
    }
    limiter.forget(attempts);
    const [session] = outcome.began;
    if (session) {
      await enter(account, session, { provider: 'password' }, call.origin);
      return answerOf({ twoFactorRedirect: false } satisfies SignInAnswer, outcome.result.headers);
    }
    const { challengeOf } = await library();
    const set = outcome.result.headers.getSetCookie().map((cookie) => challengeOf(cookie.split(';')[0]!));
    const challenge = set.find((value) => value !== undefined);
    if (challenge) challenges.set(challenge, account);
    return answerOf({ twoFactorRedirect: true } satisfies SignInAnswer, outcome.result.headers);
  };

  const enter = async (...what: Parameters<Sessions['welcome']>): Promise<void> => {
    if (!(await sessions.welcome(...what))) throw new Refusal('account_disabled');
  };

  /** The second step of a sign-in, or, by somebody signed in, the proof that the second factor was set up. */
  const verify = (path: string, secondFactor: 'totp' | 'backup_code') => async (call: Call) => {
    const { code = '' } = call.body;
    if (database.isEmpty()) throw new Refusal('second_factor_expired');
    const { challengeOf } = await library();
    const challenge = call.current ? undefined : challengeOf(call.cookies);
    const account = challenge === undefined ? undefined : challenges.get(challenge);
    // RFC 6238 §5.2: a code that was accepted once is not accepted again.
    const isFresh = !account || limiter.take(`code ${account.id} ${code}`, { window: 120, max: 1 }).allowed;
    const outcome = isFresh ? await ask(call, path, { code }) : undefined;
    const [session] = outcome?.began ?? [];
    if (outcome?.result.status === 200 && account && session) {
      challenges.delete(challenge!);
      await enter(account, session, { provider: 'password', secondFactor }, call.origin);
    } else if (outcome?.result.status === 200) {
      const { current } = call;
      if (
        current &&
        !current.account.twoFactor &&
        database.byIds([current.account.id]).get(current.account.id)?.twoFactor
      )
        await recordMine(call, 'auth.mfa.enabled', 'set up a second factor', { method: 'totp' });
    } else {
      const [code, reason] = secondFactorRefusal(outcome);
      if (account && reason === 'rate_limited')
        events.noteFlood(`${call.origin.ipAddress} ${account.id}`, refusal(account, reason, call.origin));
      else if (account) await sessions.refuse(account, reason, call.origin);
      throw new Refusal(code, undefined, outcome && { retryAfter: retryAfterOf(outcome.result) });
    }
    return answerOf({}, outcome.result.headers);
  };

  /** A route of somebody signed in that asks for the password or changes what is theirs. */
  const own = (path: string, gives: readonly string[], then: (call: Call, outcome: Outcome) => Promise<void>) => {
    return async (call: Call): Promise<Response> => {
      const extra = path === '/change-password' ? { revokeOtherSessions: true } : {};
      const outcome = await ask(call, path, { ...call.body, ...extra });
      if (outcome.result.status !== 200)
        throw ownRefusal(outcome, path === '/change-password' ? 'currentPassword' : 'password');
      await then(call, outcome);
      return answerOf(Object.fromEntries(gives.map((name) => [name, outcome.answer[name]])), outcome.result.headers);
    };
  };

  const recordMine = ({ current, origin }: Call, eventType: string, did: string, metadata: Record<string, unknown>) => {
    const { account, sessionId } = current!;
    const event = { eventType, who: account, origin, sessionId, description: `${account.email} ${did}`, metadata };
    return events.recordDone(event);
  };

  const changePassword = own('/change-password', [], async (call, { ended }) => {
    await recordMine(call, 'auth.password.changed', 'changed their password', { method: 'change' });
    await sessions.recordEnds(ended, 'password_changed', call.origin);
  });

  const routes: Readonly<Record<string, Route>> = {
    'POST /sign-in/email': { access: 'anyone', takes: ['email', 'password'], answer: signIn },
    'POST /two-factor/verify-totp': {
      access: 'anyone',
      takes: ['code'],
      answer: verify('/two-factor/verify-totp', 'totp'),
    },
    'POST /two-factor/verify-backup-code': {
      access: 'anyone',
      takes: ['code'],
      answer: verify('/two-factor/verify-backup-code', 'backup_code'),
    },
    'POST /sign-out': {
      access: 'person',
      takes: [],
      answer: own('/sign-out', [], (call, { ended }) => sessions.recordEnds(ended, null, call.origin)),
    },
    'POST /two-factor/enable': {
      access: 'person',
      takes: ['password'],
      answer: own('/two-factor/enable', ['totpURI', 'backupCodes'], async () => {}),
    },
    'POST /two-factor/disable': {
      access: 'person',
      takes: ['password'],
      answer: own('/two-factor/disable', [], async (call) => {
        if (call.current?.account.twoFactor)
          await recordMine(call, 'auth.mfa.disabled', 'removed their second factor', {});
      }),
    },
    'POST /two-factor/generate-backup-codes': {
      access: 'person',
      takes: ['password'],
      answer: own('/two-factor/generate-backup-codes', ['backupCodes'], async () => {}),
    },
    'POST /two-factor/get-totp-uri': {
      access: 'person',
      takes: ['password'],
      answer: own('/two-factor/get-totp-uri', ['totpURI'], async () => {}),
    },
    'POST /change-password': {
      access: 'person',
      takes: ['currentPassword', 'newPassword'],
      answer: async (call) => {
        const fault = passwordFault(call.body['newPassword'] ?? '', call.current!.account);
        if (fault) throw fieldProblem('newPassword', fault);
        return changePassword(call);
      },
    },
    'POST /update-user': {
      access: 'person',
      takes: ['name'],
      answer: async (call) => {
        const name = (call.body['name'] ?? '').trim();
        if (name === '' || name.length > NAME_MAX_LENGTH)
          throw fieldProblem('name', `Use between 1 and ${NAME_MAX_LENGTH} characters.`);
        return own('/update-user', [], async () => {})({ ...call, body: { name } });
      },
    },
    'GET /list-sessions': {
      access: 'person',
      takes: [],
      answer: async ({ current }) =>
        answerOf(
          database
            .sessionsOf(current!.account.id)
            .filter(({ expiresAt }) => expiresAt > clock.now())
            .map(
              ({ id, createdAt, expiresAt, ipAddress, userAgent }): OwnSession => ({
                id,
                current: id === current!.sessionId,
                createdAt: new Date(createdAt).toISOString(),
                expiresAt: new Date(expiresAt).toISOString(),
                ipAddress: ipAddress || null,
                userAgent: userAgent || null,
                device: deviceOf(userAgent ?? undefined),
              }),
            ),
        ),
    },
    'POST /revoke-session': {
      access: 'person',
      takes: ['id'],
      answer: async (call) => {
        const session = database.session(call.body['id'] ?? '');
        if (session?.userId !== call.current!.account.id) throw new Refusal('not_found', 'There is no such session.');
        const revoke = own('/revoke-session', [], ({ origin }, { ended }) =>
          sessions.recordEnds(ended, 'revoked', origin),
        );
        return revoke({ ...call, body: { token: session.token } });
      },
    },
    'POST /revoke-other-sessions': {
      access: 'person',
      takes: [],
      answer: own('/revoke-other-sessions', [], ({ origin }, { ended }) =>
        sessions.recordEnds(ended, 'revoked', origin),
      ),
    },
  };

  return async (request, origin) => {
    try {
      const route = routes[`${request.method} ${new URL(request.url).pathname.replace(/^\/api\/auth(?=\/)/, '')}`];
      if (!route) throw new Refusal('not_found');
      const cookies = request.headers.get('cookie') ?? '';
      const current = await parts.session(cookies);
      if (route.access === 'person' && !current) throw new Refusal('unauthenticated', 'Sign in first.');
      const body = await fieldsOf(request, route.takes);
      return await route.answer({ headers: request.headers, cookies, body, origin, current });
    } catch (error) {
      return toAnswer(error, origin, logger);
    }
  };
}

interface Route {
  readonly access: 'anyone' | 'person';
  /** Fields of the body: texts. Others are not looked at. */
  readonly takes: readonly string[];
  answer(call: Call): Promise<Response>;
}

const NAME_MAX_LENGTH = 128;

async function fieldsOf(request: Request, takes: readonly string[]): Promise<Fields> {
  if (takes.length === 0) return {};
  const body: unknown = await request.json().catch(() => null);
  if (typeof body !== 'object' || body === null) throw new Refusal('invalid_body', 'Send a JSON object.');
  const given = new Map(Object.entries(body));
  return Object.fromEntries(
    takes.map((name) => {
      const value: unknown = given.get(name);
      if (typeof value !== 'string') throw fieldProblem(name, 'must be a text');
      return [name, value];
    }),
  );
}

function answerOf(body: unknown, headers = new Headers()): Response {
  const answer = Response.json(body, { headers: { 'cache-control': 'no-store' } });
  for (const cookie of cookiesOf(headers)) answer.headers.append('set-cookie', cookie);
  return answer;
}

/** What a wrong second factor is answered with, and recorded as. Without an outcome: a code that was used before. */
function secondFactorRefusal(outcome: Outcome | undefined) {
  const code = outcome?.answer['code'];
  if (outcome?.result.status === 429) return ['rate_limited', 'rate_limited'] as const;
  if (outcome?.result.status === 403) return ['cross_origin', 'mfa_required'] as const;
  if (code === 'TOO_MANY_ATTEMPTS_REQUEST_NEW_CODE') return ['second_factor_expired', 'rate_limited'] as const;
  if (code === 'INVALID_TWO_FACTOR_COOKIE') return ['second_factor_expired', 'session_expired'] as const;
  return ['wrong_code', 'mfa_required'] as const satisfies readonly [string, Refused];
}

function ownRefusal({ result, answer }: Outcome, passwordField: string): Refusal {
  if (result.status === 429) return new Refusal('rate_limited', undefined, { retryAfter: retryAfterOf(result) });
  if (result.status === 401) return new Refusal('unauthenticated', 'Sign in first.');
  switch (answer['code']) {
    case 'INVALID_PASSWORD':
    case 'PASSWORD_TOO_LONG':
      return fieldProblem(passwordField, 'This is not your password.');
    case 'TOTP_ALREADY_ENABLED':
      return new Refusal('already_exists', 'A second factor is set up already: remove it first.');
    case 'TOTP_NOT_ENABLED':
    case 'TWO_FACTOR_NOT_ENABLED':
      return new Refusal('invalid_request', 'No second factor is set up.');
    default:
      return new Refusal(result.status === 403 ? 'cross_origin' : 'internal_error');
  }
}

function retryAfterOf({ headers }: Response): number {
  return Number(headers.get('x-retry-after') ?? headers.get('retry-after') ?? 60);
}

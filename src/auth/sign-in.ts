import { LRUCache } from 'lru-cache';
import type { SignInAnswer } from '../contract/account.ts';
import { type Ask, answerOf, type Call, type Outcome } from './account-call.ts';
import type { AccountDatabase } from './account-database.ts';
import type { AccountEvent, AccountEvents } from './account-events.ts';
import type { Account } from './accounts.ts';
import type { Library } from './library.ts';
import type { RateLimiter } from './rate-limiter.ts';
import { Refusal } from './refusal.ts';
import { type Refused, refusal, type Sessions } from './sessions.ts';

interface Parts {
  readonly database: AccountDatabase;
  readonly library: () => Promise<Library>;
  readonly ask: Ask;
  readonly sessions: Sessions;
  readonly events: AccountEvents;
  readonly limiter: RateLimiter;
}

export interface SignIn {
  password(call: Call): Promise<Response>;
  /** The second step, after the password. */
  secondFactor(call: Call, kind: 'totp' | 'backup_code'): Promise<Response>;
}

/** NIST SP 800-63B-4 §3.2.2: no more than 100 failures in a row against one account, from wherever they come. */
const FAILURES = { window: 3600, max: 100 };
/** RFC 6238 §5.2: a code that was taken once is not taken again; it would be for three steps of 30 s. */
const ONCE = { window: 120, max: 1 };

/** Sign-in in its two steps. Every way in or out of it is recorded. */
export function createSignIn({ database, library, ask, sessions, events, limiter }: Parts): SignIn {
  /** Whose second factor is awaited, by the challenge; kept beyond its end, to know who comes too late. */
  const challenges = new LRUCache<string, Account>({ max: 10_000 });

  /** Recorded beside the answer: how long that takes must not tell who has an account. */
  const tooMany = (who: AccountEvent['who'], { origin }: Call, retryAfter: number): Refusal => {
    events.noteFlood(`${origin.ipAddress} ${'id' in who ? who.id : ''}`, refusal(who, 'rate_limited', origin));
    return new Refusal('rate_limited', undefined, { retryAfter });
  };

  return {
    password: async (call) => {
      if (database.isEmpty())
        throw new Refusal(
          'invalid_credentials',
          'Nobody has an account yet: open the set-up link from the service’s log.',
        );
      const { password } = call.body;
      const email = call.body['email']!.trim().toLowerCase();
      const account = database.byEmail(email);
      const who = account ?? { attempted: email };
      const failures = `failures ${email}`;
      const wait = limiter.wait(failures, FAILURES);
      if (wait > 0) throw tooMany(who, call, wait);

      const outcome = await ask(call, { email, password });
      if (outcome.status === 429) throw tooMany(who, call, outcome.retryAfter);
      if (outcome.status !== 200 || !account) {
        limiter.take(failures, FAILURES);
        await sessions.refuse(who, 'invalid_credentials', call.origin);
        throw new Refusal('invalid_credentials');
      }
      limiter.forget(failures);
      const [session] = outcome.began;
      const isAdmitted = session
        ? await sessions.welcome(account, session, { provider: 'password' }, call.origin)
        : await sessions.admits(account, call.origin);
      if (!isAdmitted) throw new Refusal('account_disabled');
      if (!session) challenges.set(await challengeIn(outcome, library), account);
      return answerOf({ twoFactorRedirect: !session } satisfies SignInAnswer, outcome.headers);
    },

    secondFactor: async (call, kind) => {
      if (database.isEmpty()) throw new Refusal('second_factor_expired');
      const { challengeOf } = await library();
      const awaited = challenges.get(challengeOf(call.headers.get('cookie') ?? '') ?? '');
      const code = call.body['code']!;
      // A code that was taken counts as a wrong one.
      const isFresh = kind !== 'totp' || !awaited || limiter.take(`code ${awaited.id} ${code}`, ONCE).allowed;
      const outcome = await ask(call, { code: isFresh ? code : '' });
      const [session] = outcome.began;
      // After a restart only the session tells whose it is.
      const account = session ? database.byIds([session.userId]).get(session.userId) : awaited;
      if (session && account) {
        const proof = { provider: 'password', secondFactor: kind } as const;
        if (!(await sessions.welcome(account, session, proof, call.origin))) throw new Refusal('account_disabled');
        return answerOf({}, outcome.headers);
      }
      const { problem, reason } = whyNot(outcome);
      if (account && reason === 'rate_limited') tooMany(account, call, outcome.retryAfter);
      else if (account) await sessions.refuse(account, reason, call.origin);
      throw new Refusal(problem, undefined, { retryAfter: outcome.retryAfter });
    },
  };
}

async function challengeIn({ headers }: Outcome, library: () => Promise<Library>): Promise<string> {
  const { challengeOf } = await library();
  const challenge = headers.getSetCookie().map((cookie) => challengeOf(cookie.slice(0, cookie.indexOf(';'))));
  return challenge.find((value) => value !== undefined) ?? '';
}

/** What a wrong second factor is answered with, and recorded as. */
function whyNot({ status, said }: Outcome) {
  if (status === 429) return answer('rate_limited', 'rate_limited');
  switch (said['code']) {
    case 'TOO_MANY_ATTEMPTS_REQUEST_NEW_CODE':
      return answer('second_factor_expired', 'rate_limited');
    case 'INVALID_TWO_FACTOR_COOKIE':
      return answer('second_factor_expired', 'session_expired');
    default:
      return answer('wrong_code', 'mfa_required');
  }
}

function answer(problem: 'rate_limited' | 'second_factor_expired' | 'wrong_code', reason: Refused) {
  return { problem, reason };
}

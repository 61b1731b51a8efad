import { duration } from '../ui/words.ts';
import { api } from './api.ts';
import { ApiProblem } from './problem.ts';

/** Calls a route of sign-in, password, second factor or sessions. Rejects with ApiProblem, in words of ours. */
export async function auth<T = unknown>(route: AuthRoute, body?: Readonly<Record<string, unknown>>): Promise<T> {
  try {
    return await (route === 'list-sessions'
      ? api<T>('GET', `/api/auth/${route}`)
      : api<T>('POST', `/api/auth/${route}`, { body: body ?? {} }));
  } catch (error) {
    if (!(error instanceof ApiProblem)) throw error;
    const { code, status, retryAfterSeconds, requestId } = error;
    const detail = wordsOf(error);
    throw new ApiProblem({ code, detail, ...(requestId && { requestId }) }, status, retryAfterSeconds);
  }
}

export type AuthRoute =
  | 'sign-in/email'
  | 'sign-out'
  | 'two-factor/enable'
  | 'two-factor/disable'
  | 'two-factor/verify-totp'
  | 'two-factor/verify-backup-code'
  | 'two-factor/generate-backup-codes'
  | 'change-password'
  | 'update-user'
  | 'list-sessions'
  | 'revoke-session'
  | 'revoke-other-sessions';

function wordsOf({ code, status, retryAfterSeconds, message }: ApiProblem): string {
  const known = WORDS[code];
  if (known) return known;
  if (status === 429)
    return retryAfterSeconds === undefined
      ? 'Too many attempts. Wait some minutes, then try again.'
      : `Too many attempts. Try again in ${duration(Math.max(1, retryAfterSeconds))}.`;
  return message;
}

/** What happened and what to do, by code; the service's own codes where sign-in needs other words than the rest. */
const WORDS: Readonly<Record<string, string>> = {
  INVALID_EMAIL_OR_PASSWORD: 'E-mail or password is wrong. Check both; capitals matter in the password.',
  INVALID_EMAIL: 'This is not an e-mail address.',
  INVALID_PASSWORD: 'This is not your present password.',
  PASSWORD_TOO_SHORT: 'The new password is too short.',
  PASSWORD_TOO_LONG: 'The new password is too long.',
  ACCOUNT_DISABLED: 'This account is deactivated. An Owner or Admin of your team can reactivate it under Members.',
  INVALID_CODE: 'This code is not right, or its half minute is over. Type the one your app shows now.',
  INVALID_BACKUP_CODE: 'This is not one of your backup codes, or it was used already. Each works once.',
  INVALID_TWO_FACTOR_COOKIE: 'Signing in took too long. Start again with your password.',
  TOO_MANY_ATTEMPTS_REQUEST_NEW_CODE: 'Too many wrong codes. Start again with your password.',
  ACCOUNT_TEMPORARILY_LOCKED: 'Too many wrong codes: the second factor is locked for a quarter of an hour.',
  TOTP_NOT_ENABLED: 'This account has no second factor. Sign in with the password alone.',
  TOTP_ALREADY_ENABLED: 'A second factor is on already. Turn it off first to set up another app.',
  SESSION_NOT_FRESH: 'You signed in more than a day ago. Sign out and in again to see this.',
  SESSION_EXPIRED: 'Your session has ended. Sign in again.',
  unauthenticated: 'Your session has ended. Sign in again.',
  storage_full: 'The service’s disk is full. Nobody can sign in until that is recorded; tell whoever runs it.',
  storage_error: 'The service cannot record sign-ins at the moment, so it lets nobody in. Try again in a minute.',
};

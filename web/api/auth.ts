import type { ProblemCode } from '../../src/contract/problem.ts';
import { duration } from '../ui/words.ts';
import { api } from './api.ts';
import { ApiProblem } from './problem.ts';

/**
 * Calls a route of sign-in, password, second factor or sessions (`contract/account.ts`). Rejects with ApiProblem, in
 * words for who stands at the door: what happened and what to do.
 */
export async function auth<T = unknown>(route: AuthRoute, body: Readonly<Record<string, string>> = {}): Promise<T> {
  try {
    return await api<T>('POST', `/api/auth/${route}`, { body });
  } catch (error) {
    if (!(error instanceof ApiProblem) || error.code === 'unreachable') throw error;
    const { code, status, retryAfterSeconds } = error;
    const isBackupCode = code === 'wrong_code' && route === 'two-factor/verify-backup-code';
    const detail = isBackupCode ? WRONG_BACKUP_CODE : wordsOf(code, retryAfterSeconds);
    throw detail ? new ApiProblem({ code, detail }, status, retryAfterSeconds) : error;
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
  | 'revoke-session'
  | 'revoke-other-sessions';

function wordsOf(code: ProblemCode, retryAfterSeconds: number | undefined): string | undefined {
  if (code !== 'rate_limited') return WORDS[code];
  const when = retryAfterSeconds === undefined ? 'in some minutes' : `in ${duration(Math.max(1, retryAfterSeconds))}`;
  return `Too many attempts. Try again ${when}.`;
}

const WRONG_BACKUP_CODE = 'This code is not right, or was used already: each backup code works once.';
const WORDS: Readonly<Partial<Record<ProblemCode, string>>> = {
  invalid_credentials: 'The e-mail or the password is wrong. Check both; capitals matter in the password.',
  account_disabled: 'This account is deactivated, or in no team. An Owner or Admin of your team can change that.',
  wrong_code: 'This code is not right, was used already, or its half minute is over.',
  second_factor_expired: 'The code came too late, or was wrong too often. Start again with your password.',
  unauthenticated: 'Your session has ended. Sign in again.',
  storage_full: 'The service’s disk is full, so nothing can be recorded and nobody let in. Tell whoever runs it.',
  storage_error: 'The service cannot record this at the moment, so it does not do it. Try again in a minute.',
};

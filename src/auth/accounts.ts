import type { Origin } from './principal.ts';

/**
 * Accounts and sessions: who a person is, how they prove it, and how long that lasts. One implementation,
 * `better-auth.ts`; nothing else in the service knows of that library. Which teams a person belongs to is `people.ts`.
 *
 * No session leaves the process before the events that record it are durable.
 */
export interface Account {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly twoFactor: boolean;
  readonly createdAt: number;
  /** When a session of theirs was last begun; null: never. */
  readonly lastSeenAt: number | null;
}

export interface SignedIn {
  readonly account: Account;
  /** Not the cookie's secret: may be written into events. */
  readonly sessionId: string;
  readonly startedAt: number;
  readonly expiresAt: number;
}

export interface NewAccount {
  readonly email: string;
  readonly name: string;
  readonly password: string;
}

/** Why an account cannot be made or a password cannot be set; `field` is one of NewAccount's. */
export interface AccountProblem {
  readonly field: 'email' | 'name' | 'password';
  readonly message: string;
}

export interface Accounts {
  /** Answers the routes of sign-in, sign-out, password and second factor below `/api/auth/`; others are 404. */
  handle(request: Request, origin: Origin): Promise<Response>;
  /** Whose session the cookies are; null: none, or it has ended. */
  session(cookies: string): Promise<SignedIn | null>;
  /** Whether anybody can sign in. */
  isEmpty(): Promise<boolean>;
  byIds(ids: readonly string[]): Promise<ReadonlyMap<string, Account>>;
  /** In any case. */
  byEmail(email: string): Promise<Account | undefined>;
  /** Makes the account and records `user.created` in the logs of `teams` (none: the installation's). */
  create(account: NewAccount, teams: readonly string[], by: Origin): Promise<Account | AccountProblem>;
  /**
   * Begins a session without password (after set-up, by a one-time link); the answer's `set-cookie` headers. None: the
   * person is in no team.
   */
  begin(id: string, provider: 'setup' | 'invitation' | 'link', origin: Origin): Promise<readonly string[]>;
  /** Ends every session of the person at once. Recorded in the logs of the teams they `left` by this, too. */
  endSessions(id: string, left?: readonly string[]): Promise<void>;
  /** Sets a password and ends every session; what is wrong with it, if it is. */
  setPassword(id: string, password: string, origin: Origin): Promise<AccountProblem | undefined>;
  /** Resolves when the session has ended, however it did. For answers that go on, such as a live tail. */
  ended(sessionId: string, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

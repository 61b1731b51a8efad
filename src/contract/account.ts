/**
 * The routes of sign-in, password and second factor below `/api/auth/`. Those that take something are called with POST
 * and a JSON object; refusals are problem+json. What answers nothing listed here answers `{}`.
 */

/** `POST /sign-in/email {email, password}`. True: `POST /two-factor/verify-totp {code}` or `…/verify-backup-code {code}` comes next. */
export interface SignInAnswer {
  readonly twoFactorRedirect: boolean;
}

/** `POST /two-factor/enable {password}`; in force once `POST /two-factor/verify-totp {code}` has succeeded. */
export interface SecondFactor {
  /** For the QR code: `otpauth://totp/…` (also of `POST /two-factor/get-totp-uri {password}`). */
  readonly totpURI: string;
  /** Each good for one sign-in; shown once (also of `POST /two-factor/generate-backup-codes {password}`). */
  readonly backupCodes: readonly string[];
}

/** One of `GET /list-sessions`, newest first; ended by `POST /revoke-session {id}`. */
export interface OwnSession {
  readonly id: string;
  /** The one that asks. */
  readonly current: boolean;
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly ipAddress: string | null;
  readonly userAgent: string | null;
  /** For people: "Firefox on Windows". */
  readonly device: string;
}

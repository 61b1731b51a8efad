import { accessSync, constants } from 'node:fs';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import type { Account } from './accounts.ts';

/** A session as its row says. `token` is the cookie's secret. */
export interface SessionRow {
  readonly id: string;
  readonly token: string;
  readonly userId: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly expiresAt: number;
  readonly ipAddress: string | null;
  readonly userAgent: string | null;
}

/**
 * `accounts.db`, and what is read from it without better-auth: it owns the tables and makes every change, so that no
 * write of ours falls into a transaction of its own. Until somebody has an account there need not be any table.
 */
export interface AccountDatabase {
  /** The connection, for better-auth's queries. */
  prepare(sql: string): StatementSync;
  isEmpty(): boolean;
  byIds(ids: readonly string[]): ReadonlyMap<string, Account>;
  byEmail(email: string): Account | undefined;
  session(id: string): SessionRow | undefined;
  sessionOf(token: string): SessionRow | undefined;
  /** Newest first. */
  sessionsOf(user: string): readonly SessionRow[];
  expired(now: number): readonly SessionRow[];
  nextExpiry(): number | null;
  close(): void;
}

/** How long a statement waits for another connection's lock (a backup that has just begun, say). */
const BUSY_TIMEOUT_MS = 2_000;

/** Opens the file, or makes it: readable for its owner alone, as the process's umask has it. */
export function openAccountDatabase(file: string): AccountDatabase {
  const database = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS });
  // SQLite opens what it may not write for reading, and nobody could sign in.
  accessSync(file, constants.W_OK);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;');
  const statements = new Map<string, StatementSync>();
  const prepare = (sql: string): StatementSync => {
    const known = statements.get(sql);
    if (known) return known;
    const statement = database.prepare(sql);
    statements.set(sql, statement);
    return statement;
  };

  const isEmpty = (): boolean =>
    !prepare("SELECT 1 FROM sqlite_schema WHERE name = 'user'").get() || !prepare('SELECT 1 FROM user LIMIT 1').get();
  // The edge at which the database is trusted.
  const rows = <Row>(sql: string, ...values: SQLInputValue[]): Row[] =>
    isEmpty() ? [] : (prepare(sql).all(...values) as Row[]);
  const accounts = (where: string, value: string) =>
    rows<StoredAccount>(`${ACCOUNTS} WHERE ${where}`, value).map(toAccount);
  const sessions = (rest: string, value: string) => rows<StoredSession>(`${SESSIONS} ${rest}`, value).map(toSession);

  return {
    prepare,
    isEmpty,
    byIds: (ids) =>
      new Map(
        accounts('id IN (SELECT value FROM json_each(?))', JSON.stringify(ids)).map((found) => [found.id, found]),
      ),
    byEmail: (email) => accounts('email = ?', email.toLowerCase())[0],
    session: (id) => sessions('WHERE id = ?', id)[0],
    sessionOf: (token) => sessions('WHERE token = ?', token)[0],
    sessionsOf: (user) => sessions('WHERE userId = ? ORDER BY createdAt DESC', user),
    expired: (now) => sessions('WHERE expiresAt <= ? ORDER BY expiresAt', new Date(now).toISOString()),
    nextExpiry: () => {
      const [next] = rows<{ at: string | null }>('SELECT min(expiresAt) AS at FROM session');
      return next?.at ? Date.parse(next.at) : null;
    },
    close: () => database.close(),
  };
}

// Instants are ISO 8601 texts, as better-auth writes them.
const ACCOUNTS = 'SELECT id, email, name, twoFactorEnabled, createdAt, lastSeenAt FROM user';
const SESSIONS = 'SELECT id, token, userId, createdAt, updatedAt, expiresAt, ipAddress, userAgent FROM session';

interface StoredAccount {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly twoFactorEnabled: number | null;
  readonly createdAt: string;
  readonly lastSeenAt: string | null;
}

type StoredSession = Omit<SessionRow, 'createdAt' | 'updatedAt' | 'expiresAt'> &
  Readonly<Record<'createdAt' | 'updatedAt' | 'expiresAt', string>>;

function toAccount({ twoFactorEnabled, createdAt, lastSeenAt, id, email, name }: StoredAccount): Account {
  return {
    id,
    email,
    name,
    twoFactor: twoFactorEnabled === 1,
    createdAt: Date.parse(createdAt),
    lastSeenAt: lastSeenAt === null ? null : Date.parse(lastSeenAt),
  };
}

function toSession(row: StoredSession): SessionRow {
  return {
    ...row,
    createdAt: Date.parse(row.createdAt),
    updatedAt: Date.parse(row.updatedAt),
    expiresAt: Date.parse(row.expiresAt),
  };
}

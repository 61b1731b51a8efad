import { StorageDamaged } from '../event-log.ts';
import { type Connection, isStorageError, UnusableDatabase } from './connection.ts';

/** Brings the schema up to date, one transaction per step. Refuses a database written by a newer version. */
export function migrate(connection: Connection): void {
  const version = connection.get<{ user_version: number }>('PRAGMA user_version')?.user_version ?? 0;
  if (version > MIGRATIONS.length)
    throw new UnusableDatabase(
      `the database has schema version ${version}, this version of Trailproof knows up to ${MIGRATIONS.length}: install the version that wrote it, or a newer one`,
    );
  for (const [index, sql] of MIGRATIONS.entries()) if (index >= version) step(connection, sql, index + 1);
}

function step(connection: Connection, sql: string, version: number): void {
  try {
    connection.exec(`BEGIN IMMEDIATE; ${sql} PRAGMA user_version = ${version}; COMMIT;`);
  } catch (cause) {
    if (isStorageError(cause) || cause instanceof StorageDamaged) throw cause;
    const what = `trailproof.db is damaged: its tables are not those of schema version ${version - 1}`;
    throw new StorageDamaged(what, { cause });
  }
}

/** Numbered by place, from 1. A step that was released is never edited: a change is a new step. */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE team (
    no INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    retention_days INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    last_sequence INTEGER NOT NULL DEFAULT 0,
    last_received_at INTEGER NOT NULL DEFAULT 0
  ) STRICT;

  -- A row holds consecutive events; bytes is the length of their JSON. See chunk.ts.
  CREATE TABLE chunk (
    team_no INTEGER NOT NULL,
    first_sequence INTEGER NOT NULL,
    count INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    last_received_at INTEGER NOT NULL,
    body ANY NOT NULL,
    PRIMARY KEY (team_no, first_sequence)
  ) STRICT;
  CREATE INDEX chunk_by_time ON chunk (team_no, last_received_at, first_sequence);

  CREATE TABLE event_id (
    team_no INTEGER NOT NULL,
    id TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (team_no, id)
  ) STRICT, WITHOUT ROWID;

  -- The team's vocabulary; kind is 'category' or 'type'.
  CREATE TABLE seen (
    team_no INTEGER NOT NULL,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (team_no, kind, value)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE api_key (
    no INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    team TEXT,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER,
    last_used_at INTEGER
  ) STRICT;

  -- body is the StoredDestination, progress its Progress, both as JSON.
  -- longest_range bounds how far back an attempt that covers a sequence may begin.
  CREATE TABLE destination (
    no INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    team TEXT NOT NULL,
    body TEXT NOT NULL,
    progress TEXT NOT NULL,
    longest_range INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX destination_by_team ON destination (team);

  CREATE TABLE dead_letter (
    destination_no INTEGER NOT NULL REFERENCES destination (no) ON DELETE CASCADE,
    id TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    event_type TEXT NOT NULL,
    event_category TEXT NOT NULL,
    timestamp INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    at INTEGER NOT NULL,
    reason TEXT NOT NULL,
    status INTEGER,
    answer TEXT,
    json TEXT NOT NULL,
    redriving INTEGER NOT NULL,
    PRIMARY KEY (destination_no, id)
  ) STRICT;
  CREATE INDEX dead_letter_by_sequence ON dead_letter (destination_no, sequence);
  CREATE INDEX dead_letter_redriving ON dead_letter (destination_no, sequence) WHERE redriving = 1;

  CREATE TABLE attempt (
    no INTEGER PRIMARY KEY AUTOINCREMENT,
    destination_no INTEGER NOT NULL REFERENCES destination (no) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    first_sequence INTEGER NOT NULL,
    last_sequence INTEGER NOT NULL,
    events INTEGER NOT NULL,
    delivered INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    duration_ms REAL NOT NULL,
    outcome TEXT NOT NULL,
    status INTEGER,
    reason TEXT,
    answer TEXT
  ) STRICT;
  CREATE INDEX attempt_by_destination ON attempt (destination_no);
  CREATE INDEX attempt_by_time ON attempt (destination_no, at);
  CREATE INDEX attempt_by_range ON attempt (destination_no, first_sequence) WHERE delivered > 0;

  -- Sums of attempts per hour of at, so that totals over a day need not read a day's attempts.
  CREATE TABLE attempt_hour (
    destination_no INTEGER NOT NULL REFERENCES destination (no) ON DELETE CASCADE,
    hour INTEGER NOT NULL,
    delivered INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    PRIMARY KEY (destination_no, hour)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE replay (
    no INTEGER PRIMARY KEY,
    destination_no INTEGER NOT NULL REFERENCES destination (no) ON DELETE CASCADE,
    id TEXT NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (destination_no, id)
  ) STRICT;

  -- Written to prove that the store can make something durable.
  CREATE TABLE probe (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    at INTEGER NOT NULL
  ) STRICT;
  `,
  `
  -- alerts is the TeamAlerts as JSON. A deleted team keeps its row, so that its id is never given again.
  ALTER TABLE team ADD COLUMN alerts TEXT NOT NULL DEFAULT '{"mail":true,"webhook":null}';
  ALTER TABLE team ADD COLUMN deleted_at INTEGER;

  -- user is the account's id in accounts.db.
  CREATE TABLE member (
    no INTEGER PRIMARY KEY,
    team TEXT NOT NULL,
    user TEXT NOT NULL,
    role TEXT NOT NULL,
    joined_at INTEGER NOT NULL,
    deactivated_at INTEGER,
    UNIQUE (team, user)
  ) STRICT;
  CREATE INDEX member_by_user ON member (user);

  CREATE TABLE invitation (
    no INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    team TEXT NOT NULL,
    email TEXT NOT NULL COLLATE NOCASE,
    role TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE,
    invited_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    UNIQUE (team, email)
  ) STRICT;

  CREATE TABLE saved_filter (
    no INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    team TEXT NOT NULL,
    user TEXT NOT NULL,
    name TEXT NOT NULL,
    query TEXT NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX saved_filter_by_user ON saved_filter (team, user);

  -- What was last told about a destination; told_at is JSON, milliseconds by state.
  CREATE TABLE alert (
    destination_no INTEGER PRIMARY KEY REFERENCES destination (no) ON DELETE CASCADE,
    state TEXT NOT NULL,
    told_at TEXT NOT NULL
  ) STRICT;

  ALTER TABLE attempt ADD COLUMN lag_ms INTEGER;
  ALTER TABLE attempt_hour ADD COLUMN max_lag_ms INTEGER;
  `,
  `
  -- Checksums (crc32) of what must never be handed out changed; null: written by an earlier version. See chunk.ts.
  ALTER TABLE chunk ADD COLUMN checksum INTEGER;
  ALTER TABLE dead_letter ADD COLUMN checksum INTEGER;
  ALTER TABLE destination ADD COLUMN body_checksum INTEGER;
  ALTER TABLE destination ADD COLUMN progress_checksum INTEGER;

  -- The first event that retention has left, so that one that is missing is not taken for one that is too old.
  ALTER TABLE team ADD COLUMN first_kept INTEGER NOT NULL DEFAULT 1;
  UPDATE team SET first_kept =
    coalesce((SELECT min(first_sequence) FROM chunk WHERE team_no = team.no), last_sequence + 1);
  `,
  `
  -- Commits whose events have not all moved to their teams' rows; places is JSON. See journal.ts. Numbers are never given
  -- twice, so that a reader knows which rows are new to it. team.last_sequence is the last event in the team's own rows.
  CREATE TABLE journal (
    no INTEGER PRIMARY KEY,
    places TEXT NOT NULL,
    places_checksum INTEGER NOT NULL,
    body ANY NOT NULL,
    checksum INTEGER NOT NULL
  ) STRICT;
  -- What the journal must have: how many rows, and which is the newest. next is the number of the next one.
  CREATE TABLE journal_end (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    next INTEGER NOT NULL,
    newest INTEGER NOT NULL,
    rows INTEGER NOT NULL
  ) STRICT;
  INSERT INTO journal_end VALUES (1, 1, 0, 0);
  `,
  `
  -- Ids that grow with time, a row for up to 256 of them; event_id has the others. See event-ids.ts.
  CREATE TABLE id_block (
    no INTEGER PRIMARY KEY,
    team_no INTEGER NOT NULL,
    least TEXT NOT NULL,
    greatest TEXT NOT NULL,
    first_sequence INTEGER NOT NULL,
    count INTEGER NOT NULL,
    body TEXT NOT NULL,
    checksum INTEGER NOT NULL,
    UNIQUE (team_no, greatest)
  ) STRICT;
  `,
];

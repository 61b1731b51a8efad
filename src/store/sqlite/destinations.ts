import { setImmediate } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import type { Attempt, DeadLetter, DestinationStore, Page, Settlement, TimelineBucket } from '../destinations.ts';
import { StorageDamaged } from '../event-log.ts';
import type { CommitQueue } from './commit-queue.ts';
import type { Connection } from './connection.ts';
import { crcOf } from './crc.ts';
import {
  DESTINATION,
  type DestinationRow,
  isDamaged,
  readDestination,
  readProgress,
  readReplay,
} from './stored-json.ts';

const HOUR_MS = 3_600_000;
const BUCKET_MS = { minute: 60_000, hour: HOUR_MS };
const MOST_BUCKETS = 1_500;

const ATTEMPT = `SELECT no, at, kind, first_sequence AS firstSequence, last_sequence AS lastSequence, events, delivered,
  bytes, duration_ms AS durationMs, lag_ms AS lagMs, outcome, status, reason, answer FROM attempt`;
const DEAD_LETTER = `SELECT id, sequence, event_type AS eventType, event_category AS eventCategory, timestamp,
  received_at AS receivedAt, at, reason, status, answer, json, redriving, checksum FROM dead_letter`;

/** Attempts that count in totals: replays count apart, checks and tests deliver nothing. */
const COUNTS = "kind IN ('delivery', 'redrive')";
const IS_FAILED = "outcome NOT IN ('delivered', 'partial')";
const PRUNED_AT_ONCE = 5_000;

const HOURS = `SELECT hour * ${HOUR_MS} AS at, delivered, failed, max_lag_ms AS maxLagMs FROM attempt_hour
  WHERE destination_no = ? AND hour >= ? AND hour < ? ORDER BY hour`;
const MINUTES = `SELECT at / 60000 * 60000 AS at, sum(delivered) AS delivered, sum(${IS_FAILED}) AS failed,
  max(lag_ms) AS maxLagMs FROM attempt WHERE destination_no = ? AND at >= ? AND at < ? AND ${COUNTS}
  GROUP BY at / 60000 ORDER BY at`;

type AttemptRow = Attempt & { readonly no: number };
type DeadLetterRow = Omit<DeadLetter, 'redriving'> & { readonly redriving: 0 | 1; readonly checksum: number | null };

export function destinationStore(queue: CommitQueue, read: Connection): DestinationStore {
  const numberOf = (id: string): number => find(read, id)?.no ?? 0;
  /** Found when their lanes began; they stay as they are, for whoever can mend them. */
  const damagedOnes = new Set<string>();
  return {
    list: async (team) =>
      (team === undefined
        ? read.all<DestinationRow>(`${DESTINATION} ORDER BY no`)
        : read.all<DestinationRow>(`${DESTINATION} WHERE team = ? ORDER BY no`, team)
      ).map(readDestination),
    get: async (id) => {
      const row = read.get<DestinationRow>(`${DESTINATION} WHERE id = ?`, id);
      return row && readDestination(row);
    },
    create: (destination, progress, audit) =>
      queue.commit('change', ({ connection, log }) => {
        const [body, place] = [JSON.stringify(destination), JSON.stringify(progress)];
        connection.run(
          `INSERT INTO destination (id, team, body, body_checksum, progress, progress_checksum)
           VALUES (?, ?, ?, ?, ?, ?)`,
          destination.id,
          destination.team,
          body,
          crc32(body),
          place,
          crc32(place),
        );
        log.append(audit);
      }),
    update: (destination, audit) =>
      queue.commit('change', ({ connection, log }) => {
        const sql = 'UPDATE destination SET body = ?, body_checksum = ? WHERE id = ?';
        const body = JSON.stringify(destination);
        const isKept = damagedOnes.has(destination.id);
        if (!isKept && connection.run(sql, body, crc32(body), destination.id) === 0) throw unknown(destination.id);
        log.append(audit);
      }),
    remove: (id, audit) =>
      queue.commit('change', ({ connection, log }) => {
        if (connection.run('DELETE FROM destination WHERE id = ?', id) === 0) throw unknown(id);
        damagedOnes.delete(id);
        log.append(audit);
      }),
    progress: async (id) => {
      const row = read.get<DestinationRow>(`${DESTINATION} WHERE id = ?`, id);
      if (!row) return undefined;
      if (isDamaged(row)) damagedOnes.add(id);
      return readProgress(row);
    },
    settle: (...settlements) =>
      queue.commit('progress', ({ connection, log }) => {
        for (const settlement of settlements) {
          if (!damagedOnes.has(settlement.destination)) settle(connection, settlement);
          log.append(settlement.audit ?? []);
        }
      }),
    deadLetters: async (id, { cursor, limit, redriving }) => {
      const only = redriving === undefined ? '' : `AND redriving = ${redriving ? 1 : 0}`;
      const rows = read.all<DeadLetterRow>(
        `${DEAD_LETTER} WHERE destination_no = ? AND sequence > ? ${only} ORDER BY sequence LIMIT ?`,
        numberOf(id),
        Number(cursor ?? 0),
        limit + 1,
      );
      return page(rows.map(toDeadLetter), limit, (row) => row.sequence);
    },
    deadLetter: async (id, event) => {
      const row = read.get<DeadLetterRow>(`${DEAD_LETTER} WHERE destination_no = ? AND id = ?`, numberOf(id), event);
      return row && toDeadLetter(row);
    },
    attempts: async (id, { cursor, limit }) => {
      const rows = read.all<AttemptRow>(
        `${ATTEMPT} WHERE destination_no = ? AND no < ? ORDER BY no DESC LIMIT ?`,
        numberOf(id),
        Number(cursor ?? Number.MAX_SAFE_INTEGER),
        limit + 1,
      );
      const { items, nextCursor } = page(rows, limit, (row) => row.no);
      return { items: items.map(toAttempt), nextCursor };
    },
    attemptFor: async (id, sequence) => {
      const destination = find(read, id);
      if (!destination) return undefined;
      const row = read.get<AttemptRow>(
        // The unary plus keeps the search on attempt_by_range.
        `${ATTEMPT} WHERE destination_no = ?1 AND delivered > 0 AND first_sequence BETWEEN ?2 - ?3 AND ?2
         AND last_sequence >= ?2 ORDER BY +no DESC LIMIT 1`,
        destination.no,
        sequence,
        destination.longestRange,
      );
      return row && toAttempt(row);
    },
    attemptTotals: async (id, since) => {
      const hour = Math.floor(since / HOUR_MS);
      const totals = read.get<{ delivered: number; failedAttempts: number }>(
        `SELECT coalesce(sum(delivered), 0) AS delivered, coalesce(sum(failed), 0) AS failedAttempts FROM (
           SELECT delivered, failed FROM attempt_hour WHERE destination_no = ?1 AND hour > ?2
           UNION ALL
           SELECT delivered, ${IS_FAILED} FROM attempt
           WHERE destination_no = ?1 AND at >= ?3 AND at < ?4 AND ${COUNTS})`,
        numberOf(id),
        hour,
        since,
        (hour + 1) * HOUR_MS,
      );
      return { ...totals! };
    },
    timeline: async (id, from, to, unit) => {
      const bucketMs = BUCKET_MS[unit];
      const no = numberOf(id);
      const end = Math.ceil(to / bucketMs);
      const first = Math.max(Math.floor(from / bucketMs), end - MOST_BUCKETS);
      if (unit === 'hour') return read.all<TimelineBucket>(HOURS, no, first, end).map((row) => ({ ...row }));
      const buckets: TimelineBucket[] = [];
      // A busy destination has tens of thousands of attempts in an hour: other work runs between two hours.
      for (let minute = first; minute < end; minute += 60, await setImmediate()) {
        const until = Math.min(minute + 60, end);
        for (const row of read.all<TimelineBucket>(MINUTES, no, minute * bucketMs, until * bucketMs))
          buckets.push({ ...row });
      }
      return buckets;
    },
    replays: async (id) =>
      read
        .all<{ body: string }>('SELECT body FROM replay WHERE destination_no = ? ORDER BY no DESC', numberOf(id))
        .flatMap((row) => readReplay(row.body) ?? []),
    pruneAttempts: async (at) => {
      while ((await queue.commit('change', ({ connection }) => pruneAttempts(connection, at))) > 0);
    },
  };
}

/** Reads every destination, its progress and its dead letters; hands on what is thrown over one. */
export function examineDestinations(read: Connection, say: (error: unknown) => void): void {
  const tryAll = <Row>(rows: Iterable<Row>, look: (row: Row) => unknown): void => {
    for (const row of rows)
      try {
        look(row);
      } catch (error) {
        say(error);
      }
  };
  tryAll(read.iterate<DestinationRow>(DESTINATION), (row) => {
    if (isDamaged(row)) throw damaged(`the destination ${row.id}`);
  });
  tryAll(read.iterate<DeadLetterRow>(DEAD_LETTER), toDeadLetter);
}

function settle(connection: Connection, settlement: Settlement): void {
  const { destination, progress, deadLetters = [], redriven = [], redrive = [], attempt, replay } = settlement;
  const range = attempt && attempt.delivered > 0 ? attempt.lastSequence - attempt.firstSequence : 0;
  const place = JSON.stringify(progress);
  const no = connection.get<{ no: number }>(
    `UPDATE destination SET progress = ?, progress_checksum = ?, longest_range = max(longest_range, ?) WHERE id = ?
     RETURNING no`,
    place,
    crc32(place),
    range,
    destination,
  )?.no;
  if (no === undefined) throw unknown(destination);
  for (const deadLetter of deadLetters) insertDeadLetter(connection, no, deadLetter);
  for (const id of redriven) connection.run('DELETE FROM dead_letter WHERE destination_no = ? AND id = ?', no, id);
  for (const id of redrive)
    connection.run('UPDATE dead_letter SET redriving = 1 WHERE destination_no = ? AND id = ?', no, id);
  if (attempt) insertAttempt(connection, no, attempt);
  if (replay)
    connection.run(
      `INSERT INTO replay (destination_no, id, body) VALUES (?, ?, ?)
       ON CONFLICT (destination_no, id) DO UPDATE SET body = excluded.body`,
      no,
      replay.id,
      JSON.stringify(replay),
    );
}

function insertDeadLetter(connection: Connection, no: number, deadLetter: DeadLetter): void {
  connection.run(
    `INSERT OR REPLACE INTO dead_letter (destination_no, id, sequence, event_type, event_category, timestamp,
       received_at, at, reason, status, answer, json, redriving, checksum)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?)`,
    no,
    deadLetter.id,
    deadLetter.sequence,
    deadLetter.eventType,
    deadLetter.eventCategory,
    deadLetter.timestamp,
    deadLetter.receivedAt,
    deadLetter.at,
    deadLetter.reason,
    deadLetter.status,
    deadLetter.answer,
    deadLetter.json,
    crc32(deadLetter.json),
  );
}

function insertAttempt(connection: Connection, no: number, attempt: Attempt): void {
  connection.run(
    `INSERT INTO attempt (destination_no, at, kind, first_sequence, last_sequence, events, delivered, bytes,
       duration_ms, lag_ms, outcome, status, reason, answer) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    no,
    attempt.at,
    attempt.kind,
    attempt.firstSequence,
    attempt.lastSequence,
    attempt.events,
    attempt.delivered,
    attempt.bytes,
    attempt.durationMs,
    attempt.lagMs,
    attempt.outcome,
    attempt.status,
    attempt.reason,
    attempt.answer,
  );
  connection.run(
    // max() of two values is null when one is: hours begun by an earlier version know no lag.
    `INSERT INTO attempt_hour (destination_no, hour, delivered, failed, max_lag_ms)
     SELECT destination_no, at / ${HOUR_MS}, delivered, ${IS_FAILED}, lag_ms FROM attempt
     WHERE no = last_insert_rowid() AND ${COUNTS}
     ON CONFLICT DO UPDATE SET delivered = delivered + excluded.delivered, failed = failed + excluded.failed,
       max_lag_ms = max(coalesce(max_lag_ms, excluded.max_lag_ms), coalesce(excluded.max_lag_ms, max_lag_ms))`,
  );
}

/** Deletes one slice, so that other work is not kept waiting. Returns how many attempts it deleted. */
function pruneAttempts(connection: Connection, at: number): number {
  connection.run('DELETE FROM attempt_hour WHERE hour < ?', Math.floor(at / HOUR_MS));
  return connection.run(
    `DELETE FROM attempt WHERE no IN (SELECT attempt.no FROM destination JOIN attempt
       ON destination_no = destination.no AND at < ? LIMIT ${PRUNED_AT_ONCE})`,
    at,
  );
}

function find(read: Connection, id: string): { no: number; longestRange: number } | undefined {
  return read.get('SELECT no, longest_range AS longestRange FROM destination WHERE id = ?', id);
}

function unknown(id: string): Error {
  return new Error(`there is no destination ${id}`);
}

function toDeadLetter({ checksum, ...row }: DeadLetterRow): DeadLetter {
  if (checksum !== null && checksum !== crcOf(row.json)) throw damaged(`the dead letter ${row.id}`);
  return { ...row, redriving: row.redriving === 1 };
}

function damaged(what: string): StorageDamaged {
  return new StorageDamaged(`trailproof.db is damaged in ${what}`);
}

function toAttempt({ no: _, ...attempt }: AttemptRow): Attempt {
  return attempt;
}

/** `rows` were read one more than `limit`; the cursor is the last item's place. */
function page<T>(rows: readonly T[], limit: number, place: (row: T) => number): Page<T> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, nextCursor: last && rows.length > limit ? String(place(last)) : null };
}

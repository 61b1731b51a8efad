import { withPlace } from '../../event/logged-event.ts';
import { NOON, newEvents } from '../conformance-fixture.ts';
import type { Progress, StoredDestination } from '../destinations.ts';
import { Connection } from './connection.ts';
import { MIGRATIONS } from './migrations.ts';
import { directoryOf, pack } from './row.ts';

const HOUR_MS = 3_600_000;

/** A database as the first version wrote it: a team with `count` events, a key, and a destination with one attempt. */
export function writeVersion1(path: string, count = 3): void {
  const connection = new Connection(path, 1_000);
  connection.exec(`${MIGRATIONS[0]} PRAGMA user_version = 1;`);
  connection.exec('BEGIN');
  connection.run(
    `INSERT INTO team (id, name, retention_days, created_at, last_sequence, last_received_at)
     VALUES ('acme', 'Acme', 30, ?1, ?2, ?1)`,
    NOON,
    count,
  );
  const events = newEvents('acme', count).map((event, index) => {
    const json = withPlace(event.json, index + 1, NOON);
    return { ...event, sequence: index + 1, receivedAt: NOON, json, bytes: Buffer.byteLength(json) };
  });
  for (const { id, sequence, hash } of events)
    connection.run('INSERT INTO event_id (team_no, id, sequence, hash) VALUES (1, ?, ?, ?)', id, sequence, hash);
  connection.run(
    `INSERT INTO chunk (team_no, first_sequence, count, bytes, last_received_at, body) VALUES (1, 1, ?, ?, ?, ?)`,
    count,
    events.reduce((sum, { bytes }) => sum + bytes, 0),
    NOON,
    pack(directoryOf(events), events),
  );
  connection.run(
    `INSERT INTO api_key (id, team, name, scopes, hash, created_at)
     VALUES ('k1', 'acme', 'key', '["events:read"]', 'hash of k1', ?)`,
    NOON,
  );
  connection.run(
    "INSERT INTO destination (id, team, body, progress) VALUES ('d1', 'acme', ?, ?)",
    JSON.stringify(DESTINATION),
    JSON.stringify({ ...PROGRESS, cursor: count, scanned: count, matched: count, delivered: count }),
  );
  connection.run(
    `INSERT INTO attempt (destination_no, at, kind, first_sequence, last_sequence, events, delivered, bytes,
       duration_ms, outcome, status) VALUES (1, ?1, 'delivery', 1, ?2, ?2, ?2, 900, 12.5, 'delivered', 200)`,
    NOON,
    count,
  );
  connection.run(
    'INSERT INTO attempt_hour (destination_no, hour, delivered, failed) VALUES (1, ?, ?, 1)',
    NOON / HOUR_MS,
    count,
  );
  connection.exec('COMMIT');
  connection.close();
}

const DESTINATION: StoredDestination = {
  ...{ id: 'd1', team: 'acme', kind: 'splunk', name: 'Splunk', settings: {}, sealed: {} },
  filters: [{ fromSequence: 1, categories: null, eventTypes: null, newCategories: true, knownCategories: [] }],
  ...{ startAfter: 0, parallel: 1, lingerMs: 0, paused: null, createdAt: NOON, updatedAt: NOON },
};

const PROGRESS: Omit<Progress, 'cursor' | 'scanned' | 'matched' | 'delivered'> = {
  ...{ settledAhead: [], filtered: 0, deadLettered: 0, state: 'connected', since: NOON, cause: null, fix: null },
  ...{ held: false, refusedRun: [], lastSuccessAt: NOON, lastError: null },
};

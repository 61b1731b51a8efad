import assert from 'node:assert/strict';
import { cpSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { matches } from '../../../src/delivery/filter.ts';
import type { LoggedEvent, Sequence, TeamId } from '../../../src/event/logged-event.ts';
import type { Progress, Replay, StoredDestination } from '../../../src/store/destinations.ts';
import { Connection } from '../../../src/store/sqlite/connection.ts';
import { COUNT_IDS, EventIds } from '../../../src/store/sqlite/event-ids.ts';
import { LogReader } from '../../../src/store/sqlite/log-reader.ts';
import { temporaryFolder } from '../../rig/service.ts';

/** What a crash left behind, read from the files themselves. */
export interface Ledger {
  readonly teams: ReadonlyMap<TeamId, TeamLedger>;
  readonly destinations: ReadonlyMap<string, DestinationLedger>;
}

export interface TeamLedger {
  readonly team: TeamId;
  /** Oldest first. */
  readonly events: readonly LoggedEvent[];
  readonly last: Sequence;
}

export interface DestinationLedger {
  readonly stored: StoredDestination;
  readonly progress: Progress;
  readonly replays: readonly Replay[];
  /** Ids of events that are settled: delivered, or a dead letter that is not asked for again. */
  readonly settled: ReadonlySet<string>;
  /** The same, and for what retention deleted: it deletes only what is settled. */
  readonly isSettled: (event: string) => boolean;
  /** Of these, the dead letters. */
  readonly dead: ReadonlySet<string>;
  /** Dead letters that are to be sent again. */
  readonly redriving: ReadonlySet<string>;
  /** Ids of counted events that wait. */
  readonly pending: ReadonlySet<string>;
  /** Of attempts, by kind: events the SIEM accepted. */
  readonly accepted: ReadonlyMap<string, number>;
}

/**
 * Reads a copy of the database, so that whoever starts next finds the files as the crash left them. Throws where the
 * log, its index of ids, or a destination's counters contradict each other.
 */
export async function readLedger(folder: string): Promise<Ledger> {
  const copy = await temporaryFolder();
  try {
    for (const file of ['trailproof.db', 'trailproof.db-wal'])
      if (existsSync(join(folder, file))) cpSync(join(folder, file), join(copy.path, file));
    const connection = new Connection(join(copy.path, 'trailproof.db'), 1_000);
    try {
      return isEmpty(connection) ? { teams: new Map(), destinations: new Map() } : ledgerOf(connection);
    } finally {
      connection.close();
    }
  } finally {
    await copy.remove();
  }
}

/** Throws with a few of what should not be there. */
export function none(found: readonly unknown[], what: string): void {
  assert.ok(found.length === 0, `${what}: ${found.length}, as ${JSON.stringify(found.slice(0, 3))}`);
}

/** Killed before the first table was there. */
function isEmpty(connection: Connection): boolean {
  return connection.get<{ user_version: number }>('PRAGMA user_version')?.user_version === 0;
}

function ledgerOf(connection: Connection): Ledger {
  const [check] = connection.all<{ quick_check: string }>('PRAGMA quick_check');
  assert.equal(check?.quick_check, 'ok', 'the database is damaged');
  const reader = new LogReader(connection);
  const teams = new Map<TeamId, TeamLedger>();
  const rows = connection.all<{ no: number; id: TeamId; moved: Sequence }>(
    'SELECT no, id, last_sequence AS moved FROM team ORDER BY no',
  );
  for (const row of rows) teams.set(row.id, teamLedger(connection, reader, row));
  const inRows = rows.flatMap(({ id, moved }) => teams.get(id)!.events.filter(({ sequence }) => sequence <= moved));
  const { ids } = connection.get<{ ids: number }>(COUNT_IDS)!;
  assert.equal(ids, inRows.length, 'as many ids are known as events are in rows');
  const destinations = new Map<string, DestinationLedger>();
  for (const { no, body, progress } of connection.all<{ no: number; body: string; progress: string }>(
    'SELECT no, body, progress FROM destination ORDER BY no',
  )) {
    const stored: StoredDestination = JSON.parse(body);
    const team = teams.get(stored.team);
    assert.ok(team, `the team of ${stored.id} is missing`);
    destinations.set(stored.id, destinationLedger(connection, no, stored, JSON.parse(progress), team));
  }
  return { teams, destinations };
}

/** Gapless, each id once, each event where its own JSON and the index of ids say. */
function teamLedger(
  connection: Connection,
  reader: LogReader,
  { no, id: team, moved }: { readonly no: number; readonly id: TeamId; readonly moved: Sequence },
): TeamLedger {
  const events = reader.read(team, 0, { events: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY });
  const { last } = reader.bounds(team);
  const first = events[0]?.sequence ?? last + 1;
  for (const [i, { sequence, json, id }] of events.entries()) {
    assert.equal(sequence, first + i, `the log of ${team} has a hole or a repeat`);
    assert.ok(json.includes(`,"sequence":${sequence},`), `the event ${id} says another sequence than its place`);
  }
  assert.equal(first + events.length - 1, last, `the log of ${team} ends elsewhere than its counter says`);
  const ids = new EventIds(connection, no);
  for (const { id, sequence } of events)
    assert.equal(ids.find(id)?.sequence, sequence <= moved ? sequence : undefined, `the place of ${id} by its id`);
  return { team, events, last };
}

/** matched = delivered + dead letters + pending, each counted from what it counts. */
function destinationLedger(
  connection: Connection,
  no: number,
  stored: StoredDestination,
  progress: Progress,
  { events }: TeamLedger,
): DestinationLedger {
  const { id, name, startAfter, filters } = stored;
  const letters = connection.all<{ id: string; sequence: Sequence; redriving: 0 | 1 }>(
    'SELECT id, sequence, redriving FROM dead_letter WHERE destination_no = ?',
    no,
  );
  const accepted = new Map(
    connection
      .all<{ kind: string; delivered: number }>(
        'SELECT kind, sum(delivered) AS delivered FROM attempt WHERE destination_no = ? GROUP BY kind',
        no,
      )
      .map(({ kind, delivered }) => [kind, delivered]),
  );
  const replays = connection
    .all<{ body: string }>('SELECT body FROM replay WHERE destination_no = ? ORDER BY no', no)
    .map(({ body }): Replay => JSON.parse(body));
  const dead = new Set(letters.filter(({ redriving }) => redriving === 0).map((letter) => letter.id));
  const redriving = new Set(letters.filter((letter) => letter.redriving === 1).map((letter) => letter.id));
  const ahead = new Set(progress.settledAhead);
  const pending = new Set<string>(redriving);
  const settled = new Set<string>(dead);
  let matching = 0;
  for (const event of events) {
    if (event.sequence <= startAfter || event.sequence > progress.scanned || !matches(filters, event)) continue;
    matching += 1;
    const isSettled = event.sequence <= progress.cursor || ahead.has(event.sequence);
    if (!isSettled) pending.add(event.id);
    else if (!redriving.has(event.id)) settled.add(event.id);
  }
  const { matched, filtered, delivered, deadLettered, scanned, cursor } = progress;
  const says = `the counters of ${name} (${id})`;
  assert.ok(cursor >= startAfter && cursor <= scanned, `${says}: cursor ${cursor}, scanned ${scanned}`);
  assert.equal(matched + filtered, scanned - startAfter, `${says}: matched and filtered are what was scanned`);
  // Else retention has deleted some of what was counted.
  if ((events[0]?.sequence ?? 1) <= startAfter + 1) assert.equal(matched, matching, `${says}: matched`);
  assert.equal(deadLettered, dead.size, `${says}: dead letters`);
  assert.equal(matched - delivered - deadLettered, pending.size, `${says}: pending`);
  const counted = (accepted.get('delivery') ?? 0) + (accepted.get('redrive') ?? 0);
  assert.equal(delivered, counted, `${says}: delivered is what its attempts delivered`);
  for (const replay of replays)
    assert.ok(replay.delivered + replay.rejected <= replay.events, `${says}: a replay counts an event twice`);
  const replayed = replays.reduce((sum, replay) => sum + replay.delivered, 0);
  assert.ok(replayed <= (accepted.get('replay') ?? 0), `${says}: a replay counts what no attempt delivered`);
  const kept = new Set(events.map((event) => event.id));
  const isDeleted = (event: string): boolean => events[0]?.sequence !== 1 && !kept.has(event);
  const isSettled = (event: string): boolean => settled.has(event) || isDeleted(event);
  return { stored, progress, replays, isSettled, settled, dead, redriving, pending, accepted };
}

import { describe, expect, it } from 'vitest';
import { plainEvent } from '../../event/logged-event.ts';
import { NOON, newEvent, newEvents } from '../conformance-fixture.ts';
import { Connection } from './connection.ts';
import { LogReader } from './log-reader.ts';
import { LogWriter } from './log-writer.ts';
import { migrate } from './migrations.ts';
import type { Reread } from './tail-event.ts';

/** `append` commits, and what the commit left in the journal moves, as if half a minute went by. */
function open(tailBytes: number): {
  connection: Connection;
  append(team: string, prefix: string, count: number): void;
  log: LogWriter;
} {
  const connection = new Connection(':memory:', 1_000);
  migrate(connection);
  const reader = new LogReader(connection);
  const reread: Reread = (team, sequence) => reader.reread(team, sequence);
  const log = new LogWriter(connection, { now: () => NOON }, { defaultRetentionDays: 365, tailBytes, reread });
  return {
    connection,
    log,
    append: (team, prefix, count) => {
      log.append(newEvents(team, count, prefix));
      log.flush();
      log.empty();
      log.flush();
      log.committed();
    },
  };
}

function counts(connection: Connection): number[] {
  return connection.all<{ count: number }>('SELECT count FROM chunk ORDER BY first_sequence').map((row) => row.count);
}

describe('the rows of the log', () => {
  it('grow in two steps, so that a log of single events ends up in full rows', () => {
    const { connection, append } = open(1_000_000);
    for (let call = 0; call < 600; call++) append('a', `${call}-`, 1);
    // 2 × 256, then 2 × 32 compressed, then what is left as text.
    expect(counts(connection)).toEqual([256, 256, 32, 32, ...Array.from({ length: 24 }, () => 1)]);
  });

  it('are the same when memory holds nothing of what is merged', () => {
    const { connection, append } = open(0);
    for (let call = 0; call < 600; call++) append('a', `${call}-`, 1);
    expect(counts(connection)).toEqual([256, 256, 32, 32, ...Array.from({ length: 24 }, () => 1)]);
  });

  it('are not merged early when older ones were deleted', () => {
    const { connection, log, append } = open(1_000_000);
    for (let call = 0; call < 40; call++) append('a', `${call}-`, 1);
    while (log.deleteOldest('a', 36) > 0);
    for (let call = 40; call < 66; call++) append('a', `${call}-`, 1);
    expect(counts(connection)).toEqual(Array.from({ length: 30 }, () => 1));
  });

  it('are bounded in bytes', () => {
    const { connection, log } = open(0);
    const content = 'x'.repeat(250 * 1024);
    log.append(Array.from({ length: 11 }, (_, index) => newEvent('a', `${index}`, content)));
    log.flush();
    expect(counts(connection)).toEqual([5, 5]);
    log.empty();
    expect(counts(connection)).toEqual([5, 5, 1]);
  });
});

describe('the end of the log in memory', () => {
  it('serves readers that keep up and stays under its cap', () => {
    const { log, append } = open(50_000);
    append('a', 'first-', 100);
    expect([...(log.recent('a', 90) ?? [])].map((event) => event.sequence)).toEqual([
      91, 92, 93, 94, 95, 96, 97, 98, 99, 100,
    ]);
    append('a', 'second-', 900);
    expect(log.recent('a', 0)).toBeUndefined();
    expect([...(log.recent('a', 999) ?? [])].map((event) => event.sequence)).toEqual([1_000]);
  });

  it('gives up first the team that has been quiet longest', () => {
    const { log, append } = open(45_000);
    append('quiet', '', 10);
    append('busy', '', 50);
    append('busy', 'more-', 90);
    expect(log.recent('quiet', 0)).toBeUndefined();
    expect([...(log.recent('busy', 130) ?? [])]).toHaveLength(10);
  });

  it('may let go of events that somebody holds: they are read from their rows from then on', () => {
    const { log, append } = open(50_000);
    append('a', 'ä-', 60);
    const held = [...log.recent('a', 0)!];
    const before = held.map(plainEvent);
    append('b', 'other-', 900);
    expect(log.recent('a', 0)).toBeUndefined();
    // Of two teams in turns: what was found last is of no help.
    const others = [...log.recent('b', 895)!];
    for (const [i, event] of held.entries()) {
      expect(plainEvent(event)).toEqual(before[i]);
      const copy = Buffer.alloc(event.bytes);
      expect([event.copyTo!(copy, 0), copy.toString()]).toEqual([event.bytes, before[i]!.json]);
      expect(plainEvent(others[i % others.length]!).team).toBe('b');
    }
  });

  it('is not kept from being used again by the one event of a quiet team', () => {
    const { connection, log } = open(50_000);
    const quiet = () => connection.get<{ n: number }>("SELECT count(*) AS n FROM event_id WHERE id = 'quiet'")!.n;
    log.append([newEvent('quiet', 'quiet')]);
    const large = 'x'.repeat(250 * 1024);
    let count = 0;
    for (; quiet() === 0 && count < 1_000; count++) {
      log.append([newEvent('busy', `${count}`, large)]);
      log.flush();
      log.committed();
    }
    expect(count).toBeGreaterThan(300);
    expect(count).toBeLessThan(400);
  });
});

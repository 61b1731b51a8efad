import assert from 'node:assert/strict';
import type { Api } from '../../src/cli/api.ts';
import type { Health } from '../../src/contract/destinations.ts';
import type { StandIn } from '../../src/destinations/destination.ts';
import { eventually, exportLog } from '../rig/events.ts';
import type { Tally } from './scenario.ts';

/** One team's destination as judged: what was promised to its producers, and what the SIEM itself counted. */
export interface Case {
  readonly api: Api;
  readonly destination: string;
  readonly standIn: Pick<StandIn, 'ids' | 'counts'>;
  /** Ids of events whose acceptance was answered. */
  readonly acknowledged: Iterable<string>;
  /** How long what is pending may take to arrive. Default 60 s. */
  readonly settlesWithinMs?: number;
}

/**
 * Waits until nothing is pending, then judges: the log is gapless and holds each acknowledged event once; each event of
 * the log is at the SIEM or in the dead letters; the counters are what the SIEM counted. The destination began at the
 * log's beginning and filters nothing.
 */
export async function judge({
  api,
  destination,
  standIn,
  acknowledged,
  settlesWithinMs = 60_000,
}: Case): Promise<Omit<Tally, 'faults'>> {
  const health = async (): Promise<Health> => api.json('GET', `/v1/destinations/${destination}/health`);
  const { log, counts, deadLetters } = await eventually(async () => {
    const whole = await exportLog(api);
    for (const [i, { sequence }] of whole.entries())
      assert.equal(sequence, whole[0]!.sequence + i, 'the log has a hole, or a place twice');
    const now = await eventually(async () => {
      const { counts: settled, state, cause } = await health();
      assert.equal(settled.pending, 0, `${settled.pending} events are pending, ${state}: ${cause}`);
      // The export is an event itself, behind those it lists.
      assert.ok(settled.matched > whole.length, `${settled.matched} of ${whole.length + 1} events are counted`);
      return settled;
    }, settlesWithinMs);
    const at = standIn.ids().size;
    // Counters are of this moment, the list is what is durable: one commit may lie between.
    const listed = await deadLettersOf(api, destination);
    assert.equal(now.deadLettered, listed.size, 'dead letters counted and listed');
    // A change of state is an event too, and may have been on its way when the SIEM was looked at.
    assert.deepEqual((await health()).counts, now, 'the counters stand still');
    assert.equal(standIn.ids().size, at, 'the SIEM gets nothing more');
    return { log: whole, counts: now, deadLetters: listed };
  }, settlesWithinMs);
  const stored = new Map<string, number>();
  for (const { id } of log) stored.set(id, (stored.get(id) ?? 0) + 1);
  const promised = [...acknowledged];
  const at = standIn.ids();
  const missing = promised.filter((id) => stored.get(id) !== 1 || !(at.has(id) || deadLetters.has(id)));
  const undelivered = log.filter(({ id }) => !at.has(id) && !deadLetters.has(id));
  // What became a dead letter may have been stored all the same when an answer was lost.
  const areExact =
    counts.matched === counts.delivered + counts.deadLettered + counts.pending &&
    counts.delivered >= at.size - deadLetters.size &&
    counts.delivered <= at.size;
  assert.ok(
    areExact,
    `the counters of ${destination} are not exact: ${JSON.stringify(counts)}, the SIEM has ${at.size} events`,
  );
  return {
    events: promised.length,
    lost: missing.length + undelivered.length,
    duplicated: standIn.counts().duplicates,
    deadLettered: deadLetters.size,
    countersExact: true,
  };
}

async function deadLettersOf(api: Api, destination: string): Promise<Set<string>> {
  const ids = new Set<string>();
  for (let cursor: string | null = ''; cursor !== null; ) {
    const query: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const page = await api.json<{ items: readonly { id: string }[]; nextCursor: string | null }>(
      'GET',
      `/v1/destinations/${destination}/dead-letters?limit=1000${query}`,
    );
    for (const { id } of page.items) ids.add(id);
    cursor = page.nextCursor;
  }
  return ids;
}

import assert from 'node:assert/strict';
import { systemClock } from '../../../src/clock.ts';
import type { DestinationKind } from '../../../src/destinations/destination.ts';
import { destinationKinds } from '../../../src/destinations/registry.ts';
import { parseSettings } from '../../../src/destinations/settings.ts';
import type { LoggedEvent } from '../../../src/event/logged-event.ts';
import { createOpenOutbound } from '../../../src/outbound/open-outbound.ts';
import type { HttpApi } from '../../rig/http-api.ts';
import { received } from '../../rig/meaning.ts';

/** Sends the whole log of a team to a stand-in of each kind, which parses it on its own and must find the same events. */
export async function encodedByAll(
  { store }: HttpApi,
  team: string,
): Promise<{ sent: number; cut: number; refused: number }> {
  const log = await store.log.read(team, 0, { events: 1_000_000, bytes: 1e9 });
  const sums = { sent: 0, cut: 0, refused: 0 };
  for (const kind of destinationKinds) {
    const { cut, refused } = await encodedBy(kind, log);
    sums.sent += log.length;
    sums.cut += cut;
    sums.refused += refused;
  }
  return sums;
}

const ESCAPED_KEY = /\\.[^"\\]*"\s*:/s;

/** QRadar's payload and Sentinel's column have limits that what identifies an event can pass: a type may be long. */
const MAY_REFUSE = /^What identifies the event is longer than (?:Max Payload Length|a column, 64 KB)/;

async function encodedBy(
  kind: DestinationKind,
  log: readonly LoggedEvent[],
): Promise<{ cut: number; refused: number }> {
  const start = await kind.standIn();
  const standIn = await start({ port: 0, keep: log.length });
  try {
    const parsed = parseSettings(kind, { ...standIn.settings });
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    const openOutbound = createOpenOutbound({ network: 'any', allowHttp: true });
    const destination = kind.open(parsed.settings, {
      openOutbound,
      clock: systemClock,
      brand: 'Acme',
      configuredAt: 0,
    });
    const limits = typeof kind.limits === 'function' ? kind.limits(parsed.settings) : kind.limits;
    const refused = new Set<string>();
    try {
      for (const batch of batches(log, limits)) {
        const outcome = await (await destination.prepare(batch)).send(AbortSignal.timeout(30_000));
        if (outcome.kind === 'partial')
          for (const { id, reason } of outcome.rejected) {
            assert.match(reason, MAY_REFUSE, `${kind.kind} refused ${id}`);
            refused.add(id);
          }
        else assert.equal(outcome.kind, 'delivered', `${kind.kind}: ${JSON.stringify(outcome)}`);
      }
    } finally {
      await destination.close();
    }
    const arrived = new Map(standIn.received().map(({ id, event }) => [id, event]));
    let cut = 0;
    for (const { id, json } of log) {
      if (refused.has(id)) continue;
      assert(arrived.has(id), `${kind.kind} did not get ${id}`);
      const event = arrived.get(id);
      if (isMarked(event)) cut += 1;
      // The stand-in reads with JSON.parse, which may misread such a key (see `parse-json.ts`).
      else if (!ESCAPED_KEY.test(json))
        assert.deepStrictEqual(received(event), received(JSON.parse(json)), `${kind.kind}: ${id}`);
    }
    return { cut, refused: refused.size };
  } finally {
    await standIn.close();
  }
}

function* batches(
  log: readonly LoggedEvent[],
  limits: { batchEvents: number; batchBytes: number; overheadBytes: number },
) {
  let batch: LoggedEvent[] = [];
  let bytes = 0;
  for (const event of log) {
    const size = event.bytes + limits.overheadBytes;
    if (batch.length > 0 && (batch.length === limits.batchEvents || bytes + size > limits.batchBytes)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(event);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}

/** The destination says that it changed the event: it was cut to fit, or is late. */
function isMarked(event: unknown): boolean {
  const { trailproof } = event as { trailproof?: Record<string, unknown> };
  return trailproof !== undefined && ('truncated' in trailproof || 'late' in trailproof);
}

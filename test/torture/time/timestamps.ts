import assert from 'node:assert/strict';
import { startSandbox } from '../../../src/sandbox.ts';
import { startService, teamApi, temporaryFolder } from '../../rig/service.ts';
import { judge } from '../judge.ts';
import type { ScenarioContext, Tally } from '../scenario.ts';

/** What is sent, and what every reader must see; the mark is the service's about a time far from its own. */
const TIMES: readonly (readonly [sent: string, canonical: string, clock?: 'past' | 'future'])[] = [
  ['1970-01-01T00:00:00Z', '1970-01-01T00:00:00.000Z', 'past'],
  ['1969-12-31T23:59:59.999Z', '1969-12-31T23:59:59.999Z', 'past'],
  ['2100-02-28T12:00:00.5Z', '2100-02-28T12:00:00.500Z', 'future'],
  ['2016-12-31T23:59:60Z', '2016-12-31T23:59:59.999Z', 'past'],
  ['2016-12-31T18:59:60-05:00', '2016-12-31T23:59:59.999Z', 'past'],
  ['2000-02-29T00:00:00Z', '2000-02-29T00:00:00.000Z', 'past'],
  // The hour that does not exist and the one that comes twice in New York, where the service under test lives.
  ['2026-03-08T02:30:00', '2026-03-08T02:30:00.000Z'],
  ['2026-03-08T02:30:00-05:00', '2026-03-08T07:30:00.000Z'],
  ['2026-11-01T01:30:00-04:00', '2026-11-01T05:30:00.000Z'],
  ['2026-11-01T01:30:00-05:00', '2026-11-01T06:30:00.000Z'],
  ['2026-11-01 01:30:00.123456', '2026-11-01T01:30:00.123Z'],
  ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z', 'past'],
  ['9999-12-31T23:59:59Z', '9999-12-31T23:59:59.000Z', 'future'],
];
const REFUSED = ['2026-02-30T00:00:00Z', '2026-01-01T24:00:00Z', '10000-01-01T00:00:00Z', '1767225600', 'yesterday'];

/** Events of every age and spelling of time, in a time zone with summer time: taken, marked, found and delivered to all five. */
export async function timestamps({ say }: ScenarioContext): Promise<Tally> {
  const folder = await temporaryFolder();
  const sandbox = await startSandbox({ port: 0, host: '127.0.0.1', tls: false });
  const service = await startService(folder.path, { TZ: 'America/New_York' });
  try {
    const api = await teamApi(service, folder.path);
    const events = [...TIMES.map(([sent]) => sent), ...REFUSED].map((timestamp, i) => ({
      ...{ id: `time-${i}`, timestamp, eventType: 'auth.login.success' },
      actor: { id: 'usr_1', type: 'user' },
    }));
    const body = Buffer.from(JSON.stringify(events));
    const { json } = await api.post('/v1/events', 'application/json', body);
    assert.deepEqual(
      (json as { rejected: { id: string }[] }).rejected.map(({ id }) => id),
      REFUSED.map((_, i) => `time-${TIMES.length + i}`),
    );
    for (const [i, [, canonical, clock]] of TIMES.entries()) {
      type Stored = { timestamp: string; trailproof?: { clock?: string } };
      const stored = await api.json<Stored>('GET', `/v1/events/time-${i}`);
      assert.equal(stored.timestamp, canonical);
      if (clock) assert.equal(stored.trailproof?.clock, clock, `the mark of ${canonical}`);
      const year = canonical.slice(0, 4);
      if (year > '0001' && year < '9999') {
        const found = await api.json<{ events: { id: string }[] }>(
          'GET',
          `/v1/events?from=${canonical}&order=asc&limit=100`,
        );
        assert.ok(
          found.events.some(({ id }) => id === `time-${i}`),
          `${canonical} is not found by its time`,
        );
      }
    }
    const acknowledged = TIMES.map((_, i) => `time-${i}`);
    const tallies: Awaited<ReturnType<typeof judge>>[] = [];
    for (const [kind, standIn] of sandbox.standIns) {
      const body = { kind, name: kind, settings: standIn.settings, startAt: 'beginning' };
      const { id } = await api.json<{ id: string }>('POST', '/v1/destinations', body);
      tallies.push(await judge({ api, destination: id, standIn, acknowledged }));
      for (const { id: event, event: received } of standIn.received()) {
        const [, canonical] = TIMES[acknowledged.indexOf(event)] ?? [];
        if (canonical && kind !== 'qradar')
          assert.equal((received as { timestamp: string }).timestamp, canonical, `${event} at ${kind}`);
      }
    }
    const sum = (count: (tally: (typeof tallies)[number]) => number): number =>
      tallies.reduce((n, t) => n + count(t), 0);
    say(`${TIMES.length} spellings of time at five SIEMs, ${REFUSED.length} refused`);
    return {
      events: TIMES.length,
      faults: REFUSED.length,
      lost: sum((t) => t.lost),
      duplicated: sum((t) => t.duplicated),
      deadLettered: sum((t) => t.deadLettered),
      countersExact: tallies.every((t) => t.countersExact),
    };
  } finally {
    await service.kill();
    await sandbox.close();
    await folder.remove();
  }
}

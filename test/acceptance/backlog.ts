import assert from 'node:assert/strict';
import { startSandbox } from '../../src/sandbox.ts';
import { eventually, producerEvent } from '../rig/events.ts';
import { memoryOf, startService, teamApi, temporaryFolder } from '../rig/service.ts';

interface Health {
  readonly counts: {
    readonly matched: number;
    readonly delivered: number;
    readonly pending: number;
    readonly deadLettered: number;
  };
}

/**
 * A destination is away while `events` come in, then takes them all: memory stays under `limitMiB` throughout. `main`: the
 * service as users run it, built; without it from source.
 */
export async function backlog(
  { events, limitMiB, main }: { events: number; limitMiB: number; main?: string },
  say: (line: string) => void,
): Promise<void> {
  const folder = await temporaryFolder();
  const sandbox = await startSandbox({ port: 0, host: '127.0.0.1', tls: false, keep: 10 });
  const standIn = sandbox.standIns.get('splunk')!;
  const service = await startService(folder.path, {}, main);
  try {
    const api = await teamApi(service, folder.path);
    standIn.setFault({ kind: 'busy' });
    // With somebody who can sign in, as in real life: accounts cost memory.
    const setup = await fetch(`${service.url}/v1/setup`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        token: new URL(service.setupUrl!).hash.slice(1),
        team: { name: 'People' },
        user: { email: 'ana@acme.example', name: 'Ana', password: 'seven quiet rivers 7' },
      }),
    });
    assert.equal(setup.status, 201);
    const { id } = await api.json<{ id: string }>('POST', '/v1/destinations', {
      kind: 'splunk',
      name: 'Splunk',
      settings: standIn.settings,
      startAt: 'beginning',
    });

    const started = performance.now();
    const size = 2000;
    let next = 0;
    const post = async (): Promise<void> => {
      while (next < events) {
        const first = next;
        next += size;
        const lines = Array.from({ length: Math.min(size, events - first) }, (_, i) =>
          JSON.stringify(producerEvent(first + i)),
        );
        const answer = await api.post('/v1/events', 'application/x-ndjson', Buffer.from(lines.join('\n')));
        assert.equal(answer.status, 200);
        assert.equal((answer.json as { accepted: number }).accepted, lines.length);
      }
    };
    await Promise.all([post(), post()]);
    const builtMs = performance.now() - started;
    const built = await memoryOf(service.pid);
    const waiting = await eventually(async () => {
      const { counts } = await api.json<Health>('GET', `/v1/destinations/${id}/health`);
      assert.ok(counts.pending >= events, `${counts.pending} waiting`);
      return counts.pending;
    }, 30_000);
    assert.ok(built.peak < limitMiB, `memory reached ${built.peak.toFixed(0)} MiB while the backlog was built up`);

    standIn.setFault(null);
    const draining = performance.now();
    await eventually(
      async () => {
        const { counts } = await api.json<Health>('GET', `/v1/destinations/${id}/health`);
        assert.equal(counts.pending, 0);
        assert.equal(counts.matched, counts.delivered + counts.deadLettered);
        assert.equal(standIn.counts().distinct, counts.delivered);
      },
      Math.max(60_000, events / 2),
      200,
    );
    const drainedMs = performance.now() - draining;
    const drained = await memoryOf(service.pid);
    assert.ok(drained.peak < limitMiB, `memory reached ${drained.peak.toFixed(0)} MiB while the backlog drained`);
    say(
      `${events} events: built up in ${(builtMs / 1000).toFixed(1)} s (${Math.round((events / builtMs) * 1000)}/s), peak memory ${built.peak.toFixed(0)} MiB, ${waiting} waiting; drained in ${(drainedMs / 1000).toFixed(1)} s (${Math.round((events / drainedMs) * 1000)}/s), peak memory ${drained.peak.toFixed(0)} MiB; repeats at the SIEM ${standIn.counts().duplicates}`,
    );
  } finally {
    await service.kill();
    await sandbox.close();
    await folder.remove();
  }
}

import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import { startSandbox } from '../../src/sandbox.ts';
import { eventually, producerEvent } from '../rig/events.ts';
import { cpuOf, startService, teamApi, temporaryFolder } from '../rig/service.ts';

/** Events posted alone reach a local SIEM quickly, and a service with nothing to do does nothing. */
export async function idle(
  { events, idleMs }: { events: number; idleMs: number },
  say: (line: string) => void,
): Promise<void> {
  const folder = await temporaryFolder();
  const sandbox = await startSandbox({ port: 0, host: '127.0.0.1', tls: false, keep: events + 1000 });
  const standIn = sandbox.standIns.get('splunk')!;
  const service = await startService(folder.path);
  try {
    const api = await teamApi(service, folder.path);
    await api.json('POST', '/v1/destinations', { kind: 'splunk', name: 'Splunk', settings: standIn.settings });
    const posted = new Map<string, number>();
    for (let n = 0; n < events; n++) {
      const event = producerEvent(n) as { id: string };
      posted.set(event.id, Date.now());
      await api.json('POST', '/v1/events', event);
      await wait(10 + Math.random() * 30);
    }
    await eventually(() => {
      const arrived = new Set(standIn.received().map((r) => r.id));
      assert.ok(
        [...posted.keys()].every((id) => arrived.has(id)),
        'not all have arrived',
      );
    }, 10_000);
    const delays = standIn
      .received()
      .filter((r) => posted.has(r.id))
      .map((r) => r.at - posted.get(r.id)!)
      .sort((a, b) => a - b);
    const at = (share: number): number => delays[Math.min(delays.length - 1, Math.floor(delays.length * share))]!;
    assert.ok(at(0.99) <= 250, `p99 is ${at(0.99)} ms`);

    await wait(2000);
    const before = await cpuOf(service.pid);
    await wait(idleMs);
    const used = (await cpuOf(service.pid)) - before;
    // The kernel counts in ticks of 10 ms; two of them over the whole span are the V8 housekeeping that always remains.
    assert.ok(used <= Math.max(20, idleMs * 0.002), `an idle service used ${used} ms of CPU in ${idleMs} ms`);
    say(
      `${events} single events: posted to arrived p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${at(1)} ms; idle for ${idleMs / 1000} s: ${used} ms of CPU`,
    );
  } finally {
    await service.kill();
    await sandbox.close();
    await folder.remove();
  }
}

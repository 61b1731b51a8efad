import assert from 'node:assert/strict';
import { type Api, openApi } from '../../../src/cli/api.ts';
import { operatorSocket } from '../../../src/cli/operator-socket.ts';
import { exportLog } from '../../rig/events.ts';
import { memoryOf, type ServiceProcess, startService, teamApi, temporaryFolder } from '../../rig/service.ts';
import type { Tally } from '../scenario.ts';
import { lostFrom, startInnocent } from './innocent.ts';

/** The real service under hostile input of one team, while another posts as it should. */
export interface Site {
  readonly service: ServiceProcess;
  readonly folder: string;
  /** Of the team that misbehaves. */
  readonly key: string;
  readonly api: Api;
  /** Ids that the hostile team's log must hold. */
  readonly kept: Set<string>;
  operator(): Api;
}

/** What resident memory may grow by, whatever is sent: the bodies' bound, the caches, and what V8 lets lie. */
const GROWTH_MIB = 700;

/** Starts a service, lets `attack` loose on it (it returns how many inputs it sent), and judges what is left. */
export async function underAttack(
  attack: (site: Site) => Promise<number>,
  say: (line: string) => void,
  env: Record<string, string> = {},
): Promise<Tally> {
  const folder = await temporaryFolder();
  const service = await startService(folder.path, env);
  const apis: Api[] = [];
  try {
    const innocentApi = await teamApi(service, folder.path, 'innocent');
    const hostileApi = await teamApi(service, folder.path, 'hostile');
    apis.push(innocentApi, hostileApi);
    const innocent = startInnocent(service.url, innocentApi.key);
    const before = await memoryOf(service.pid);
    const kept = new Set<string>();
    let faults = 0;
    try {
      faults = await attack({
        ...{ service, folder: folder.path, key: hostileApi.key, api: hostileApi, kept },
        operator: () => {
          const api = openApi({ socketPath: operatorSocket(folder.path) });
          apis.push(api);
          return api;
        },
      });
    } finally {
      await innocent.stop().catch(() => {});
    }
    const acknowledged = await innocent.stop();
    const { now, peak } = await memoryOf(service.pid);
    const mib = (n: number): string => `${Math.round(n)} MiB`;
    say(
      `${faults} inputs; ${innocent.posts()} posts of another producer meanwhile, the slowest ${Math.round(innocent.slowestMs())} ms; ` +
        `memory ${mib(before.now)} before, ${mib(peak)} at most, ${mib(now)} after`,
    );
    assert(peak < before.peak + GROWTH_MIB, `the service took ${mib(peak)}, ${mib(before.peak)} before`);
    const lost = lostFrom(await exportLog(innocentApi), acknowledged) + lostFrom(await exportLog(hostileApi), kept);
    const events = acknowledged.length + kept.size;
    return { events, faults, lost, duplicated: 0, deadLettered: 0, countersExact: null };
  } finally {
    await Promise.all(apis.map((api) => api.close()));
    await service.stop();
    await folder.remove();
  }
}

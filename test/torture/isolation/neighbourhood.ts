import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FaultKind, StandIn } from '../../../src/destinations/destination.ts';
import { destinationKinds } from '../../../src/destinations/registry.ts';

/** What can be wrong with a neighbour for as long as it exists; first what is most different. */
export const MISBEHAVIOURS = [
  'hang',
  'dead',
  'drip',
  'endless',
  'busy',
  'unauthorized',
  'reset',
  'reject_items',
  'refuse',
  'throttle',
  'error',
  'forbidden',
  'too_large',
  'reset_after',
  'html',
  'redirect',
] as const satisfies readonly (FaultKind | 'dead' | 'endless')[];
export type Misbehaviour = (typeof MISBEHAVIOURS)[number];

/** Kind and settings of a destination. */
export interface Place {
  readonly kind: string;
  readonly settings: Readonly<Record<string, unknown>>;
}

/** Stand-ins that many destinations share: one of each kind that is well, and one of each kind for each misbehaviour. */
export interface Neighbourhood {
  readonly healthy: readonly StandIn[];
  /** The healthy one of the kind at `slot`. */
  good(slot: number): Place;
  bad(slot: number, misbehaviour: Misbehaviour): Promise<Place>;
  /** Events that were stored anywhere. */
  delivered(): number;
  close(): Promise<void>;
}

export async function openNeighbourhood(keep: number): Promise<Neighbourhood> {
  const started: StandIn[] = [];
  const start = async (slot: number, kept: number): Promise<StandIn> => {
    const standIn = await (await destinationKinds[slot]!.standIn())({ port: 0, keep: kept });
    started.push(standIn);
    return standIn;
  };
  const healthy: StandIn[] = [];
  for (let slot = 0; slot < destinationKinds.length; slot++) healthy.push(await start(slot, keep));
  const endless = await startEndless();
  const known = new Map<string, Promise<Place>>();

  const open = async (slot: number, misbehaviour: Misbehaviour): Promise<Place> => {
    const standIn = await start(slot, 1);
    const { settings } = standIn;
    if (misbehaviour === 'dead') {
      started.splice(started.indexOf(standIn), 1);
      await standIn.close();
    } else if (misbehaviour !== 'endless') standIn.setFault({ kind: misbehaviour });
    const place = { kind: destinationKinds[slot]!.kind, settings };
    return misbehaviour === 'endless' ? { ...place, settings: redirected(settings, standIn.url, endless.url) } : place;
  };

  return {
    healthy,
    good: (slot) => ({ kind: destinationKinds[slot]!.kind, settings: healthy[slot]!.settings }),
    bad(slot, misbehaviour) {
      const name = `${slot} ${misbehaviour}`;
      const place = known.get(name) ?? open(slot, misbehaviour);
      known.set(name, place);
      return place;
    },
    delivered: () => started.reduce((sum, standIn) => sum + standIn.counts().events, 0),
    async close() {
      await Promise.all([...started.map((standIn) => standIn.close()), endless.close()]);
    },
  };
}

/** The settings with another address. */
function redirected(settings: Place['settings'], from: string, to: string): Place['settings'] {
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, value === from ? to : value]));
}

/** Answers 200 and then sends for as long as it is listened to. */
async function startEndless(): Promise<{ readonly url: string; close(): Promise<void> }> {
  const piece = Buffer.alloc(65_536, ' ');
  const server = createServer((request, response) => {
    const pour = (): void => {
      while (!response.destroyed && response.write(piece));
    };
    request.on('error', () => {});
    response.on('error', () => {}).on('drain', pour);
    request.resume().on('end', () => {
      response.writeHead(200, { 'content-type': 'application/json' });
      pour();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      await once(server.close(), 'close');
    },
  };
}

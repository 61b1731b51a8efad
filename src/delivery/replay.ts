import { randomUUIDv7 } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { NewEvent, Sequence, TeamId } from '../event/logged-event.ts';
import type { Replay, StoredDestination } from '../store/destinations.ts';
import type { EventLog } from '../store/event-log.ts';
import { passes, versionAt } from './filter.ts';
import type { LaneDependencies, LaneLoop } from './lane-loop.ts';

type Log = Pick<EventLog, 'read' | 'firstReceivedSince'>;

const PAGE = { events: 1_000, bytes: 4 * 1024 * 1024 };

/** Events and bytes of JSON that a replay of [from, to) by receivedAt would send under the present filter. */
export async function countReplay(
  log: Log,
  { team, filters }: StoredDestination,
  from: number,
  to: number,
): Promise<Pick<Replay, 'events' | 'bytes' | 'after' | 'through'>> {
  const { after, through } = await range(log, team, from, to);
  const filter = versionAt(filters, Infinity);
  let events = 0;
  let bytes = 0;
  for (let at = after; at < through; await setImmediate()) {
    const page = await log.read(team, at, PAGE);
    for (const event of page)
      if (event.sequence <= through && passes(filter, event)) {
        events++;
        bytes += event.bytes;
      }
    at = page.at(-1)?.sequence ?? through;
  }
  return { events, bytes, after, through };
}

/** Begins to send the range again; several replays of a destination run one after the other. */
export async function startReplay(
  loop: LaneLoop,
  { log, clock }: Pick<LaneDependencies, 'log' | 'clock'>,
  from: number,
  to: number,
  audit: readonly NewEvent[],
): Promise<Replay> {
  const counted = await countReplay(log, loop.stored, from, to);
  return loop.turn(async () => {
    const now = clock.now();
    const isEmpty = counted.events === 0;
    const replay: Replay = {
      ...{ id: randomUUIDv7(), ...counted, from, to, cursor: counted.after, delivered: 0, rejected: 0, createdAt: now },
      ...(isEmpty ? { status: 'done', endedAt: now } : { status: 'running', endedAt: null }),
    };
    await loop.commit({ replay }, { audit });
    if (!loop.lane.replay) await loop.nextReplay();
    return replay;
  });
}

/** False when there is no such running replay. What is in flight may still arrive; it is not counted. */
export function cancelReplay(
  loop: LaneLoop,
  { store, clock }: Pick<LaneDependencies, 'store' | 'clock'>,
  id: string,
  audit: readonly NewEvent[],
): Promise<boolean> {
  return loop.turn(async () => {
    const { lane, stored } = loop;
    const isCurrent = lane.replay?.id === id;
    const replay = isCurrent ? lane.replay : (await store.replays(stored.id)).find((other) => other.id === id);
    if (replay?.status !== 'running') return false;
    const queue = lane.queue.filter((batch) => batch.kind !== 'replay');
    if (isCurrent) loop.lane = { ...lane, replay: null, replayPage: null, queue };
    await loop.commit({ replay: { ...replay, status: 'cancelled', endedAt: clock.now() } }, { audit });
    if (isCurrent) await loop.nextReplay();
    return true;
  });
}

async function range(
  log: Log,
  team: TeamId,
  from: number,
  to: number,
): Promise<{ after: Sequence; through: Sequence }> {
  const after = (await log.firstReceivedSince(team, from)) - 1;
  const through = (await log.firstReceivedSince(team, to)) - 1;
  return { after, through: Math.max(after, through) };
}

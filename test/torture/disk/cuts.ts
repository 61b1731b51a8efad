import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import type { Random } from '../random.ts';
import type { FaultyDisk } from './faulty-disk.ts';
import type { Operation } from './memory-disk.ts';
import { emptied, scratchFolder } from './scratch.ts';
import { inspect, type Survived } from './survivors.ts';

/** `ids` were acknowledged at this moment of the machine's steady clock. */
export interface Acknowledgement {
  readonly at: number;
  readonly ids: readonly string[];
}

export interface Cuts {
  readonly disk: FaultyDisk;
  readonly acknowledged: readonly Acknowledgement[];
  readonly team: string;
  readonly count: number;
  /** No cut falls before this moment. */
  readonly from?: number;
  readonly random: Random;
  /** Further checks of what a cut left, after the store was opened and closed. */
  readonly look?: (folder: string, at: number) => void;
}

/** One cut in four has every page of its database checked: it is slow. */
const THOROUGH_EVERY = 4;

/**
 * Cuts the power at many places of what was done to the disk, each on its own, and looks at what each leaves: some
 * of the places anywhere, others right behind a sync, between a write and its sync, or soon after a failed sync. Throws when one left too little.
 */
export async function cutManyTimes({ disk, acknowledged, team, count, from = 0, random, look }: Cuts): Promise<void> {
  const record = await disk.record();
  const places = choosePlaces(record, count, from, random);
  const inOrder = [...acknowledged].sort((a, b) => a.at - b.at);
  const promised = new Set<string>();
  const folder = scratchFolder();
  let next = 0;
  try {
    for (const [i, place] of places.entries()) {
      // Whatever was answered before the operation behind the cut was answered before the cut.
      const at = record[place]?.at ?? Number.POSITIVE_INFINITY;
      for (; next < inOrder.length && inOrder[next]!.at < at; next++)
        for (const id of inOrder[next]!.ids) promised.add(id);
      const forgetting = i % 2 === 0 ? 'ordered' : 'forgetful';
      const seed = `${random.between(0, 2 ** 30)}`;
      await disk.cut(place, forgetting, seed, emptied(folder));
      const where = `power cut after ${place} of ${record.length} operations (${forgetting}, ${seed})`;
      const found = await lookAt(where, async () => {
        const survived = await inspect(folder, { team, acknowledged: promised, isThorough: i % THOROUGH_EVERY === 0 });
        look?.(folder, at);
        return survived;
      });
      assert.equal(found.lost, 0, `${where}: ${found.lost} of ${promised.size} acknowledged events are lost`);
      assert.ok(found.countersExact, `${where}: the counters are not exact`);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function lookAt(where: string, look: () => Promise<Survived>): Promise<Survived> {
  try {
    return await look();
  } catch (cause) {
    throw new Error(`${where}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** Behind which operation a cut falls, and how many further ones at most; null: anywhere. */
const PLACES: readonly (readonly [Operation['kind'] | null, number])[] = [
  ...([
    [null, 0],
    ['sync', 1],
    [null, 0],
    ['write', 1],
  ] as const),
  ...([
    ['failed-sync', 1],
    ['sync', 1],
    ['failed-sync', 100],
    ['write', 1],
  ] as const),
];

function choosePlaces(
  record: readonly Pick<Operation, 'at' | 'kind'>[],
  count: number,
  from: number,
  random: Random,
): number[] {
  const first = record.findIndex(({ at }) => at >= from);
  assert.ok(first >= 0, 'nothing was done to the disk');
  const places = Array.from({ length: count }, (_, i) => {
    const [kind, within] = PLACES[i % PLACES.length]!;
    const marks =
      kind === null ? [] : record.flatMap((done, place) => (place >= first && done.kind === kind ? [place] : []));
    if (marks.length === 0) return random.between(first, record.length);
    return Math.min(random.pick(marks) + random.between(1, within), record.length);
  });
  return places.sort((a, b) => a - b);
}

import assert from 'node:assert/strict';
import type { Api } from '../../../src/cli/api.ts';
import { producerEvent } from '../../rig/events.ts';
import type { Random } from '../random.ts';

/** Producers that send without a pause, and what they were promised. */
export interface Load {
  /** Ids whose acceptance was answered, in that order. */
  readonly acknowledged: readonly string[];
  /** Answers that were no acceptance. */
  readonly refused: readonly string[];
  /** Ends when every producer has its last answer. */
  end(): Promise<void>;
}

export function startLoad(api: Api, random: Random, { producers = 3, prefix = 'p' } = {}): Load {
  const acknowledged: string[] = [];
  const refused: string[] = [];
  let isOver = false;
  const produce = async (producer: number): Promise<void> => {
    const own = random.fork(`${producer}`);
    for (let n = 0; !isOver; ) {
      const events = Array.from(
        { length: own.between(1, 60) },
        () => producerEvent(n++, `${prefix}${producer}`) as { id: string },
      );
      const { status, json } = await api.post('/v1/events', 'application/json', Buffer.from(JSON.stringify(events)));
      if (status === 200) acknowledged.push(...events.map(({ id }) => id));
      else refused.push(`${status} ${JSON.stringify(json)}`);
    }
  };
  const all = Promise.all(Array.from({ length: producers }, (_, producer) => produce(producer)));
  // Awaited at the end; until then a failure must not end the bench.
  all.catch(() => {});
  return {
    ...{ acknowledged, refused },
    end: async () => {
      isOver = true;
      await all;
      assert.deepEqual(refused, [], 'producers were refused');
    },
  };
}

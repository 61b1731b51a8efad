import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import { producerEvent } from '../../rig/events.ts';

/** A producer who does everything right while others do not. */
export interface Innocent {
  /** Ends it. Throws when one of its posts was not taken, or late. Ids of what was acknowledged. */
  stop(): Promise<readonly string[]>;
  /** Posts answered so far. */
  posts(): number;
  slowestMs(): number;
}

/** Whatever happens beside it, an answer comes within this time. */
const ANSWERED_WITHIN_MS = 20_000;
const EVENTS = 5;
const PAUSE_MS = 10;

export function startInnocent(url: string, key: string, prefix = 'innocent'): Innocent {
  const acknowledged: string[] = [];
  let posts = 0;
  let slowestMs = 0;
  let isOver = false;

  const run = async (): Promise<void> => {
    for (let n = 0; !isOver; n += EVENTS) {
      const events = Array.from({ length: EVENTS }, (_, i) => producerEvent(n + i, prefix));
      const began = performance.now();
      const answer = await fetch(`${url}/v1/events`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify(events),
        signal: AbortSignal.timeout(ANSWERED_WITHIN_MS),
      });
      const text = await answer.text();
      assert.equal(answer.status, 200, `an innocent producer was answered ${answer.status}: ${text}`);
      assert.equal(JSON.parse(text).accepted, EVENTS, text);
      for (let i = 0; i < EVENTS; i++) acknowledged.push(`${prefix}-${String(n + i).padStart(8, '0')}`);
      posts += 1;
      slowestMs = Math.max(slowestMs, performance.now() - began);
      await wait(PAUSE_MS);
    }
  };
  const running = run();
  // Told by `stop`.
  running.catch(() => {});
  return {
    posts: () => posts,
    slowestMs: () => slowestMs,
    stop: async () => {
      isOver = true;
      await running;
      return acknowledged;
    },
  };
}

/** How many of `acknowledged` the log does not hold exactly once; throws when it has a hole. */
export function lostFrom(
  log: readonly { readonly id: string; readonly sequence: number }[],
  acknowledged: Iterable<string>,
): number {
  log.forEach(({ sequence }, i) => {
    assert.equal(sequence, i + 1, `the log has a hole before sequence ${sequence}`);
  });
  const times = new Map<string, number>();
  for (const { id } of log) times.set(id, (times.get(id) ?? 0) + 1);
  return [...acknowledged].filter((id) => times.get(id) !== 1).length;
}

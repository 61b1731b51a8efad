import assert from 'node:assert/strict';
import { producerEvent } from '../../rig/events.ts';
import type { Random } from '../random.ts';
import type { Acknowledgement } from './cuts.ts';
import { steadyMs } from './memory-disk.ts';

/** Producers that send, keep what they have no answer for, and send it again. */
export interface Load {
  readonly acknowledged: readonly Acknowledgement[];
  /** Answers that were none of 200, by status and code: `503 storage_full`. */
  readonly refused: ReadonlyMap<string, number>;
  /** Acknowledged events so far. */
  count(): number;
  /** Why a producer ended early: an answer that must not be. */
  failure(): unknown;
  /** Ends after the requests under way; throws for an answer that must not be. */
  stop(): Promise<void>;
}

export interface LoadOptions {
  /** Of the service; it may be gone for a while. */
  readonly url: () => string;
  readonly key: string;
  readonly producers: number;
  /** Events of one request, picked anew each time. */
  readonly batches: readonly number[];
  /** Ids begin with it. */
  readonly prefix: string;
  readonly random: Random;
  /** Characters that make each event larger. */
  readonly filling?: number;
  /** Requests that each producer has acknowledged before it ends; absent: until `stop`. */
  readonly bodies?: number;
}

/** What a producer may be told while the disk is in trouble; all but these two are defects. */
const REFUSALS = [429, 503];
/** Soon, so that there is load all the time; what an honest producer waits is in the answer. */
const AGAIN_AFTER_MS = 20;

export function startLoad(options: LoadOptions): Load {
  const { url, key, producers, batches, prefix, random, filling = 0, bodies = Number.POSITIVE_INFINITY } = options;
  const acknowledged: Acknowledgement[] = [];
  const refused = new Map<string, number>();
  let events = 0;
  let isRunning = true;

  /** Whether it was acknowledged. */
  const send = async (batch: readonly { readonly id: string }[]): Promise<boolean> => {
    let answer: Response;
    let text: string;
    try {
      answer = await fetch(`${url()}/v1/events`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify(batch.length === 1 ? batch[0] : batch),
      });
      text = await answer.text();
    } catch {
      return false;
    }
    const at = steadyMs();
    const body = JSON.parse(text) as { accepted: number; duplicates: number; code: string };
    if (answer.status === 200) {
      assert.equal(body.accepted + body.duplicates, batch.length, text);
      acknowledged.push({ at, ids: batch.map(({ id }) => id) });
      events += batch.length;
      return true;
    }
    assert.ok(REFUSALS.includes(answer.status), `a producer was told ${answer.status}: ${text}`);
    assert.ok(Number(answer.headers.get('retry-after')) > 0, `${answer.status} without Retry-After: ${text}`);
    const what = `${answer.status} ${body.code}`;
    refused.set(what, (refused.get(what) ?? 0) + 1);
    return false;
  };

  const produce = async (producer: number): Promise<void> => {
    const own = random.fork(`producer ${producer}`);
    let n = 0;
    for (let body = 0; body < bodies && isRunning; body++) {
      const batch = Array.from({ length: own.pick(batches) }, () => ({
        ...(producerEvent(n++, `${prefix}${producer}`) as { id: string; metadata: object }),
        ...(filling > 0 && { metadata: { filling: 'x'.repeat(filling) } }),
      }));
      while (!(await send(batch)) && isRunning) await new Promise((resolve) => setTimeout(resolve, AGAIN_AFTER_MS));
    }
  };
  const ended = Promise.all(Array.from({ length: producers }, (_, producer) => produce(producer)));
  let failure: unknown;
  ended.catch((error: unknown) => {
    failure = error;
  });
  return {
    acknowledged,
    refused,
    count: () => events,
    failure: () => failure,
    stop: async () => {
      isRunning = false;
      await ended;
    },
  };
}

export function idsOf(acknowledged: readonly Acknowledgement[]): string[] {
  return acknowledged.flatMap(({ ids }) => ids);
}

import { expect, it } from 'vitest';
import { TestClock } from '../../test/rig/test-clock.ts';
import type { Settlement } from '../store/destinations.ts';
import { StoreUnavailable } from '../store/event-log.ts';
import { Settlements } from './settlements.ts';

/** A store whose transactions end when the test says so. */
function slowStore() {
  const transactions: { readonly names: readonly string[]; end(error?: Error): void }[] = [];
  const settle = (...settlements: readonly Settlement[]): Promise<void> =>
    new Promise((resolve, reject) => {
      const names = settlements.map(({ destination }) => destination);
      transactions.push({ names, end: (error) => (error ? reject(error) : resolve()) });
    });
  const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {}, child: () => logger };
  const clock = new TestClock();
  const settlements = new Settlements({ store: { settle }, clock }, logger, new AbortController().signal);
  const durable: string[] = [];
  const add = (name: string): void => {
    settlements.add({ destination: name } as Settlement).then(
      () => durable.push(name),
      (error: Error) => durable.push(`${name}: ${error.message}`),
    );
  };
  return { transactions, settlements, clock, durable, add };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('what is added during a transaction goes into the next one together, in order', async () => {
  const { transactions, settlements, durable, add } = slowStore();
  add('a');
  await turn();
  for (const name of ['b', 'c', 'd']) add(name);
  await turn();
  expect(transactions.map(({ names }) => names)).toEqual([['a']]);
  expect(settlements.waiting).toBe(4);
  transactions[0]!.end();
  await turn();
  expect(durable).toEqual(['a']);
  expect(transactions.map(({ names }) => names)).toEqual([['a'], ['b', 'c', 'd']]);
  expect(settlements.waiting).toBe(3);
  transactions[1]!.end();
  await settlements.end;
  expect(durable).toEqual(['a', 'b', 'c', 'd']);
  expect(settlements.waiting).toBe(0);
});

it('a store that cannot write is asked again for the same, before anything later', async () => {
  const { transactions, settlements, clock, durable, add } = slowStore();
  add('a');
  add('b');
  await turn();
  add('c');
  transactions[0]!.end(new StoreUnavailable('storage_error', 'no disk'));
  await turn();
  await clock.advance(1_000);
  await turn();
  expect(transactions.map(({ names }) => names)).toEqual([
    ['a', 'b'],
    ['a', 'b'],
  ]);
  transactions[1]!.end();
  await turn();
  transactions[2]!.end();
  await settlements.end;
  expect(transactions[2]!.names).toEqual(['c']);
  expect(durable).toEqual(['a', 'b', 'c']);
});

it('any other error fails these and all later ones, which the store is never asked for', async () => {
  const { transactions, durable, add } = slowStore();
  add('a');
  await turn();
  add('b');
  transactions[0]!.end(new Error('a bug'));
  await turn();
  add('c');
  await turn();
  expect(transactions).toHaveLength(1);
  expect(durable).toEqual(['a: a bug', 'b: a bug', 'c: a bug']);
});

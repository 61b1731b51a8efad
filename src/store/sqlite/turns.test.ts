import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Turns } from './turns.ts';

const MIB = 1024 * 1024;

/** Adds calls written as `<sender><number>:<length>` and returns the transactions until nothing waits. */
function transactions(...calls: string[]): string[] {
  const turns = new Turns();
  for (const call of calls) {
    const [, sender = '', length = 0] = /^(\D)\d+:(\d+)$/.exec(call) ?? [];
    turns.add({ name: call.split(':')[0], sender, length: Number(length) } as { sender: string; length: number });
  }
  const groups: string[] = [];
  while (!turns.isEmpty)
    groups.push(
      turns
        .take()
        .map((work) => ('name' in work ? work.name : ''))
        .join(' '),
    );
  return groups;
}

it('what is small goes together, each sender in turn and in order', () => {
  expect(transactions('a1:10', 'a2:10', 'b1:10', 'c1:0', 'b2:10')).toEqual(['a1 b1 c1 a2 b2']);
});

it('a transaction ends when it is full', () => {
  const most = (MIB * 3) / 16;
  expect(transactions(...Array.from({ length: 7 }, (_, i) => `a${i}:${most}`))).toEqual(['a0 a1 a2 a3 a4', 'a5 a6']);
});

it('a large call has a transaction of its own, and the small ones go between two of them', () => {
  const large = 6 * MIB;
  expect(transactions(`a1:${large}`, `a2:${large}`, `a3:${large}`, 'b1:10', 'c1:10')).toEqual([
    'a1',
    'b1 c1',
    'a2',
    'a3',
  ]);
});

it('nobody waits for ever behind others, and one sender’s calls keep their order', () => {
  const call = fc.record({ sender: fc.constantFrom('a', 'b', 'c'), length: fc.nat({ max: 12 * MIB }) });
  fc.assert(
    fc.property(fc.array(call, { maxLength: 60 }), (calls) => {
      const turns = new Turns<{ sender: string; length: number; n: number }>();
      const waiting = new Set<number>();
      const skipped = new Map<string, number>();
      const done = new Map<string, number>();
      for (const [n, made] of calls.entries()) {
        turns.add({ ...made, n });
        waiting.add(n);
      }
      while (!turns.isEmpty) {
        const group = turns.take();
        expect(group.length).toBeGreaterThan(0);
        const heavy = group.filter(({ length }) => length > 0);
        if (heavy.length > 1) expect(heavy.reduce((sum, { length }) => sum + length, 0)).toBeLessThanOrEqual(MIB);
        for (const { n, sender } of group) {
          expect(n).toBeGreaterThan(done.get(sender) ?? -1);
          done.set(sender, n);
          waiting.delete(n);
        }
        const served = new Set(group.map(({ sender }) => sender));
        for (const sender of ['a', 'b', 'c']) {
          const waits = [...waiting].some((n) => calls[n]!.sender === sender);
          skipped.set(sender, waits && !served.has(sender) ? (skipped.get(sender) ?? 0) + 1 : 0);
          expect(skipped.get(sender)).toBeLessThan(3);
        }
      }
      expect(waiting.size).toBe(0);
    }),
  );
});

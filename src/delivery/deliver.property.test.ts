import fc from 'fast-check';
import { expect, it } from 'vitest';
import { DELIVERED, DeliveryRig, settle, until } from '../../test/rig/delivery-rig.ts';
import type { Outcome } from '../destinations/destination.ts';

const answer = fc.constantFrom<(ids: string[]) => Outcome>(
  () => DELIVERED,
  () => DELIVERED,
  () => ({ kind: 'refused', reason: 'bad' }),
  () => ({ kind: 'retry', cause: 'server', reason: '503' }),
  () => ({ kind: 'misconfigured', cause: 'credential', reason: 'token', fix: 'replace' }),
  (ids) => ({ kind: 'partial', rejected: [{ id: ids[0]!, reason: 'bad' }], again: ids.slice(-1), reason: 'some' }),
  (ids) => ({ kind: 'partial', rejected: ids.map((id) => ({ id, reason: 'bad' })), again: [], reason: 'all' }),
  (ids) => ({ kind: 'throttled', reason: 'busy', retryAfterMs: 2_000, taken: ids.slice(0, 1) }),
);
const action = fc.oneof(
  { weight: 3, arbitrary: fc.constant('append' as const) },
  { weight: 3, arbitrary: fc.constant('time' as const) },
  fc.constantFrom('pause', 'resume', 'redrive', 'replay', 'edit', 'restart', 'test'),
);

it('counts exactly and delivers each event once, whatever is answered and asked meanwhile', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(answer, { maxLength: 40 }),
      fc.array(action, { maxLength: 25 }),
      fc.constantFrom(1, 3),
      async (answers, actions, parallel) => {
        const rig = new DeliveryRig();
        try {
          await rig.delivery.start();
          const siem = rig.siem('a');
          siem.limits = { ...siem.limits, batchEvents: 7 };
          siem.answer = (ids) => answers.shift()?.(ids) ?? DELIVERED;
          await rig.add('a', { parallel });
          let replays = 0;
          for (const action of actions) {
            if (action === 'append') await rig.append(20);
            else if (action === 'time') await rig.clock.advance(20_000);
            else if (action === 'pause') await rig.delivery.pause('a', 'ana', []);
            else if (action === 'resume') await rig.delivery.resume('a', []);
            else if (action === 'redrive') await rig.delivery.redrive('a', null, []);
            else if (action === 'edit') await rig.delivery.update('a', { settings: {}, updatedAt: 1 }, []);
            else if (action === 'restart') await rig.restart();
            else if (action === 'replay') {
              const { status } = await rig.delivery.replay('a', 0, rig.clock.now() + 1, []);
              if (status === 'running') replays++;
            }
            await settle(3);
            await rig.counts('a');
          }
          answers.length = 0;
          await rig.delivery.resume('a', []);
          // Answers still on their way may reject; what they reject is sent again as well.
          await until(async () => {
            await rig.delivery.redrive('a', null, []);
            await rig.clock.advance(300_000);
            const { matched, pending, deadLettered } = await rig.counts('a');
            // The last batch may have brought one more event, our own about the destination's state.
            const { last } = await rig.store.log.bounds('acme');
            const isReplaying = (await rig.delivery.replays('a')).some((replay) => replay.status === 'running');
            return matched === last && pending === 0 && deadLettered === 0 && !isReplaying;
          });
          const { delivered } = await rig.counts('a');
          const { last } = await rig.store.log.bounds('acme');
          expect(delivered).toBe(last);
          const times = new Map<string, number>();
          for (const id of siem.received) times.set(id, (times.get(id) ?? 0) + 1);
          expect(times.size).toBe(last);
          const restarts = actions.filter((one) => one === 'restart').length;
          for (const [id, count] of times) expect(count, id).toBeLessThanOrEqual(1 + replays + restarts);
        } finally {
          await rig.close();
        }
      },
    ),
    { numRuns: 25 },
  );
});

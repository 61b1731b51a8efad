import { afterEach, beforeEach, describe } from 'vitest';
import type { Clock } from '../clock.ts';
import { describeConfiguration } from './configuration-conformance.ts';
import { NOON, type StoreFixture } from './conformance-fixture.ts';
import { describeDestinations } from './destinations-conformance.ts';
import { describeLog } from './log-conformance.ts';
import { describePeople } from './people-conformance.ts';
import type { Store } from './store.ts';

/** A new, empty store and what a test needs around it. `defaultRetentionDays` is 365. */
export interface StoreUnderTest {
  readonly store: Store;
  /** Closes the store and opens what it kept. */
  reopen(): Promise<Store>;
  /** Closes the store and deletes what it kept. */
  remove(): Promise<void>;
}

/** What every backend promises: the same cases for all. */
export function describeStore(name: string, open: (clock: Pick<Clock, 'now'>) => Promise<StoreUnderTest>): void {
  describe(`the store on ${name}`, () => {
    let opened: StoreUnderTest;
    const fixture: Partial<StoreFixture> = {};

    beforeEach(async () => {
      fixture.now = NOON;
      opened = await open({ now: () => fixture.now ?? NOON });
      fixture.store = opened.store;
      fixture.reopen = async () => {
        fixture.store = await opened.reopen();
      };
    });
    afterEach(() => opened.remove());

    // Filled before each case; the cases read it only while they run.
    const ready = fixture as StoreFixture;
    describeLog(ready);
    describeDestinations(ready);
    describeConfiguration(ready);
    describePeople(ready);
  });
}

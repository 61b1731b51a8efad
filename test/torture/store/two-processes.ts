import assert from 'node:assert/strict';
import { eventually } from '../../rig/events.ts';
import { temporaryFolder } from '../../rig/service.ts';
import type { Scenario, ScenarioContext, Tally } from '../scenario.ts';
import { run as launch, type Ran } from './process.ts';

/** One folder, one service: whoever comes second is told so and leaves; when the first is gone, the next one serves. */
export const twoProcesses: Scenario = { name: 'store/two-processes', inShort: true, run };

const STARTS_WITHIN_MS = 60_000;

async function run({ size, random, say }: ScenarioContext): Promise<Tally> {
  const folder = await temporaryFolder();
  const all: Ran[] = [];
  const serve = (): Ran => {
    const ran = launch(folder.path, ['serve']);
    all.push(ran);
    return ran;
  };
  let refused = 0;
  const mustBeRefused = async (second: Ran): Promise<void> => {
    assert.equal(await second.url, null, 'two services on one folder');
    assert.equal(await second.ended, 1, second.said());
    assert.match(second.said(), /is in use by another Trailproof process \(process \d+\): stop it, or choose another/);
    refused += 1;
  };
  try {
    let first = await exactlyOne(size === 'short' ? 3 : 5, serve, mustBeRefused);
    if (size === 'full') await mustBeRefused(serve());
    first.signal('SIGSTOP');
    await mustBeRefused(serve());
    first.signal('SIGCONT');
    await first.kill();
    // At once: the operating system freed the lock with the process.
    first = serve();
    assert.notEqual(await first.url, null, `after SIGKILL the folder stays taken: ${first.said()}`);
    if (size === 'full')
      for (let round = 0; round < 3; round++) {
        const next = await whileStopping(first, serve, random.between(0, 60), () => (refused += 1));
        first = next ?? serve();
        assert.notEqual(await first.url, null, first.said());
      }
    assert.equal(await first.stop(), 0, first.said());
    say(`${all.length} starts, ${refused} refused`);
    return { events: 0, faults: all.length, lost: 0, duplicated: 0, deadLettered: 0, countersExact: null };
  } finally {
    await Promise.all(all.map((ran) => ran.kill()));
    await folder.remove();
  }
}

/** Started at the same moment, one serves and the others are refused. */
async function exactlyOne(
  count: number,
  serve: () => Ran,
  mustBeRefused: (second: Ran) => Promise<void>,
): Promise<Ran> {
  const started = Array.from({ length: count }, serve);
  const urls = await Promise.all(started.map(({ url }) => url));
  const serving = started.filter((_, i) => urls[i] !== null);
  assert.equal(serving.length, 1, `${serving.length} of ${count} services serve one folder`);
  for (const other of started) if (other !== serving[0]) await mustBeRefused(other);
  return serving[0]!;
}

/** One that starts while the first stops either is refused or serves when the first is gone. Returns it when it serves. */
async function whileStopping(first: Ran, serve: () => Ran, afterMs: number, refused: () => void): Promise<Ran | null> {
  const stopped = first.stop();
  const from = performance.now();
  await eventually(() => assert.ok(performance.now() - from >= afterMs), STARTS_WITHIN_MS, 1);
  const second = serve();
  const url = await second.url;
  assert.equal(await stopped, 0, first.said());
  if (url !== null) return second;
  assert.match(second.said(), /is in use by another Trailproof process/);
  refused();
  return null;
}

import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LoggedEvent } from '../../../src/event/logged-event.ts';
import { temporaryFolder } from '../../rig/service.ts';
import type { Random } from '../random.ts';
import type { Scenario, ScenarioContext, Tally } from '../scenario.ts';
import { copyFiles, damageIn, newEvent, openStore, readTeam, removeFolder } from './truth.ts';

/**
 * The write-ahead log as a crash may leave it: commits are made through the real store, and the log's end is cut,
 * changed or overwritten with zeros at many places. What is left must be what the commits before it made, to the event.
 */
export const walCut: Scenario = { name: 'store/wal-cut', inShort: true, withinSeconds: 300, run };

const HEADER_BYTES = 32;
const FRAME_BYTES = 24 + 4_096;
/** Larger, SQLite begins to move it into the database. */
const CHECKPOINT_BYTES = 4_000 * FRAME_BYTES;
const TEAMS = ['acme', 'globex', 'initech'];
const COMMITS = 20;

/** After a commit: how long the log was, and how many events each team had. */
interface Commit {
  readonly end: number;
  readonly counts: readonly number[];
}

interface Original {
  /** How many events each team had in the database itself. */
  readonly before: readonly number[];
  readonly wal: Buffer;
  readonly commits: readonly Commit[];
  /** By team, in order. */
  readonly events: readonly (readonly LoggedEvent[])[];
}

async function run({ random, size, say }: ScenarioContext): Promise<Tally> {
  const folder = await temporaryFolder();
  try {
    const before = await settleSome(folder.path, random);
    const store = openStore(folder.path);
    try {
      const original = await write(store, folder.path, random, before);
      const tail = original.commits.at(-7)!.end;
      const changes = size === 'short' ? short(original, tail, random) : full(original, tail, random);
      const copy = join(folder.path, 'copy');
      let appended = 0;
      for (const [n, change] of changes.entries()) {
        copyFiles(folder.path, copy, ['trailproof.db']);
        const wal = change(Buffer.from(original.wal));
        writeFileSync(join(copy, 'trailproof.db-wal'), wal);
        const writesOn = n % (size === 'short' ? 4 : 16) === 0;
        if (writesOn) appended += 1;
        await judge(copy, original, soundBytes(original.wal, wal), writesOn ? random : null);
        removeFolder(copy);
      }
      say(
        `${original.commits.length} commits, ${original.wal.length} bytes of log, of them ${original.wal.length - tail} tried; ${appended} copies wrote on`,
      );
      const events = original.events.reduce((sum, of) => sum + of.length, 0);
      return { events, faults: changes.length, lost: 0, duplicated: 0, deadLettered: 0, countersExact: true };
    } finally {
      await store.close();
    }
  } finally {
    await folder.remove();
  }
}

/** A log of some age, moved into the database when its store closes. Returns how many events each team has. */
async function settleSome(folder: string, random: Random): Promise<number[]> {
  const store = openStore(folder);
  const counts = TEAMS.map(() => random.between(0, 300));
  for (const [no, count] of counts.entries())
    await store.log.append(Array.from({ length: count }, (_, i) => newEvent(random, TEAMS[no]!, `old-${i}`)));
  await store.close();
  return counts;
}

/** Commits of all shapes: single events, rows that merge, large events, several teams at once. */
async function write(
  store: ReturnType<typeof openStore>,
  folder: string,
  random: Random,
  before: readonly number[],
): Promise<Original> {
  const path = join(folder, 'trailproof.db-wal');
  const counts = [...before];
  const made: Commit[] = [];
  for (let n = 0; n < COMMITS; n++) {
    const calls = random.shuffled(TEAMS.map((_, team) => team)).slice(0, random.between(1, TEAMS.length));
    const batches = calls.map((team) => {
      const count = random.next() < 0.15 ? random.between(30, 70) : random.between(1, 6);
      const words = random.next() < 0.05 ? 400 : random.between(2, 10);
      const events = Array.from({ length: count }, (_, i) => newEvent(random, TEAMS[team]!, `${n}-${i}`, words));
      counts[team]! += count;
      return events;
    });
    await store.log.append(batches.flat());
    made.push({ end: statSync(path).size, counts: [...counts] });
  }
  const wal = readFileSync(path);
  assert.equal(wal.length, made.at(-1)!.end, 'the log was begun anew while commits were made');
  assert.equal((wal.length - HEADER_BYTES) % FRAME_BYTES, 0, 'the log does not consist of whole frames');
  assert.ok(wal.length < CHECKPOINT_BYTES, 'the log was moved into the database meanwhile');
  const events = await Promise.all(TEAMS.map((team) => readTeam(store.log, team)));
  return { before, wal, commits: made, events };
}

type Change = (wal: Buffer) => Buffer;

function short({ wal }: Original, tail: number, random: Random): Change[] {
  return [
    ...Array.from({ length: 40 }, () => cutAt(random.between(tail, wal.length))),
    ...Array.from({ length: 30 }, () => flipAt(random.between(tail, wal.length - 1), random)),
    ...Array.from({ length: 10 }, () => zeroFrom(random.between(tail, wal.length - 1))),
  ];
}

/** All over the last frame, without which the last commit is none, around borders between frames, and at random. */
function full({ wal, commits }: Original, tail: number, random: Random): Change[] {
  const lastFrame = Array.from({ length: FRAME_BYTES / 16 }, (_, i) => wal.length - 16 * i - random.between(0, 15));
  const borders = [];
  for (let frame = commits.at(-7)!.end; frame < wal.length; frame += FRAME_BYTES)
    for (const byte of [-1, 0, 1, 8, 23, 24, 25]) borders.push(frame + byte);
  const anywhere = Array.from({ length: 100 }, () => random.between(HEADER_BYTES, wal.length));
  return [
    ...[...lastFrame, ...borders, ...anywhere].map(cutAt),
    ...Array.from({ length: 250 }, () => flipAt(random.between(tail, wal.length - 1), random)),
    ...Array.from({ length: 100 }, () => flipAt(random.between(0, wal.length - 1), random)),
    ...Array.from({ length: 120 }, () => zeroFrom(random.between(tail, wal.length - 1))),
  ];
}

const cutAt =
  (place: number): Change =>
  (wal) =>
    wal.subarray(0, place);

const flipAt = (place: number, random: Random): Change => {
  const bit = 1 << random.between(0, 7);
  return (wal) => {
    wal[place] = wal[place]! ^ bit;
    return wal;
  };
};

const zeroFrom =
  (place: number): Change =>
  (wal) =>
    wal.fill(0, place);

/** Up to where both are the same, in whole frames: what SQLite can still rest on. */
function soundBytes(wal: Buffer, changed: Buffer): number {
  let same = 0;
  for (let end = HEADER_BYTES; end <= changed.length; end += FRAME_BYTES) {
    if (!wal.subarray(same, end).equals(changed.subarray(same, end))) break;
    same = end;
  }
  return same;
}

async function judge(copy: string, original: Original, sound: number, wanted: Random | null): Promise<void> {
  const commit = original.commits.findLast(({ end }) => end <= sound);
  const store = openStore(copy);
  try {
    for (const [no, team] of TEAMS.entries()) {
      const expected = original.events[no]!.slice(0, (commit?.counts ?? original.before)[no]);
      const events = await readTeam(store.log, team);
      const what = `with ${sound} sound bytes ${team} has ${events.length} events, not ${expected.length}`;
      assert.equal(events.length, expected.length, what);
      for (const [i, { json }] of events.entries()) assert.equal(json, expected[i]!.json, `another event: ${what}`);
      if (!wanted) continue;
      const first = expected[0];
      if (first) assert.equal((await store.log.find(team, first.id))?.json, first.json);
      // Sent again by its producer, who had no answer, the first lost event is new.
      const lost = original.events[no]![expected.length]?.id ?? 'one more';
      const appended = await store.log.append([newEvent(wanted, team, lost)]);
      assert.deepEqual(appended, [{ kind: 'appended', sequence: expected.length + 1 }], `${lost} was sent again`);
    }
  } finally {
    await store.close();
  }
  if (wanted) assert.deepEqual(damageIn(copy), []);
}

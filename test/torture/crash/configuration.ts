import assert from 'node:assert/strict';
import { type Api, ApiError, openApi } from '../../../src/cli/api.ts';
import type { Scenario } from '../scenario.ts';
import { readConfiguration } from './configuration-state.ts';
import { type Subject, settle, subjects } from './configuration-subjects.ts';
import { asOperator, newKey, startServed } from './served.ts';
import { examine, type Site, tallyOf, withSite } from './site.ts';

/** People and programs change the configuration while the service is killed: a change is whole, recorded, or not there. */
export const configuration: Scenario = {
  name: 'crash/configuration',
  withinSeconds: 300,
  run: async ({ size, random, say }) => {
    const kills = size === 'short' ? 2 : 8;
    const done = await Promise.all(
      ['a', 'b'].map((name) => withSite(random.fork(name), (site) => strike(site, kills))),
    );
    say(done.map(({ said }) => said).join('; '));
    return { ...tallyOf(done.map(({ site }) => site)), countersExact: true };
  },
};

const FIRST_ANSWER_MS = 10_000;

interface Seen {
  answered: number;
  unanswered: number;
  made: number;
}

async function strike(site: Site, kills: number): Promise<{ site: Site; said: string }> {
  const all = subjects(site);
  const seen: Seen = { answered: 0, unanswered: 0, made: 0 };
  for (let i = 0; i < kills; i++) {
    // The first commits are those of the start.
    const isInside = site.random.between(1, 3) > 1;
    const killAt = { kind: 'commit', count: site.random.between(4, 24) } as const;
    const served = startServed(site.folder, isInside ? { killAt } : {});
    let changing = Promise.resolve();
    try {
      const url = await served.url;
      assert.ok(url !== null || isInside, 'the service did not start');
      if (url !== null) changing = change(site, url, all, seen, () => served.isGone());
      const before = seen.answered;
      const until = performance.now() + FIRST_ANSWER_MS;
      while (seen.answered === before && performance.now() < until && !served.isGone())
        await Promise.race([changing, pause(5)]);
      await Promise.race([isInside ? served.gone : changing, pause(isInside ? 1_500 : site.random.between(0, 500))]);
    } finally {
      await served.kill();
      await changing;
    }
    site.kills += 1;
    await examine(site);
    look(site, all, seen);
  }
  const said = `${seen.answered} changes answered, ${seen.unanswered} not, of these ${seen.made} were made`;
  return { site, said };
}

/** One change after the other, each of a subject chosen by chance, until one gets no answer. */
async function change(
  site: Site,
  url: string,
  all: readonly Subject[],
  seen: Seen,
  isGone: () => boolean,
): Promise<void> {
  const { random } = site;
  try {
    await asOperator(site, async (operator) => {
      const key = await teamKey(operator);
      const api = openApi({ url, key });
      while (!isGone()) {
        const subject = random.pick(all);
        const next = random.pick(subject.changes());
        subject.open = next;
        await next.send({ operator, api });
        settle(subject, next);
        seen.answered += 1;
      }
    });
  } catch (error) {
    // An answer that refuses is one too: none of these changes is wrong.
    if (error instanceof ApiError && error.status !== 503) throw error;
    if (!isGone()) await pause(50);
    assert.ok(isGone() || isBroken(error), String(error));
    if (all.some(({ open }) => open !== null)) seen.unanswered += 1;
  }
}

/** Made at the first life of the service, and again where no answer came. */
async function teamKey(operator: Api): Promise<string> {
  try {
    await operator.json('POST', '/v1/teams', { id: 'acme', name: 'acme' });
  } catch (error) {
    if (!(error instanceof ApiError && error.code === 'already_exists')) throw error;
  }
  return newKey(operator, 'acme');
}

/** After a crash: each subject is as it was answered, and its trail says so; the one without an answer is whole or not there. */
function look(site: Site, all: readonly Subject[], seen: Seen): void {
  const state = readConfiguration(site.folder);
  for (const subject of all) {
    const { open } = subject;
    const is = subject.stateIn(state);
    const trail = state.trail(subject.name);
    const isMade = open !== null && is === open.to && (is !== subject.state || trail.length > subject.trail.length);
    if (isMade) settle(subject, open);
    subject.open = null;
    seen.made += isMade ? 1 : 0;
    const about = `${subject.name}${open ? `, whose ${open.type} got no answer` : ''}`;
    assert.equal(is, subject.state, `the state of ${about}`);
    assert.deepEqual(trail, subject.trail, `the audit events of ${about}`);
  }
}

function isBroken(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const cause = error instanceof Error ? error.cause : undefined;
  return (
    /^(UND_ERR|ECONN|EPIPE|ENOENT)/.test(code) || (cause !== undefined && isBroken(cause)) || error instanceof ApiError
  );
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

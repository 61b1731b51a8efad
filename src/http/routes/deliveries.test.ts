import { afterAll, beforeAll, expect, it } from 'vitest';
import { type HttpApi, startHttpApi } from '../../../test/rig/http-api.ts';
import type { DeadLetter, Progress, StoredDestination } from '../../store/destinations.ts';

let api: HttpApi;
let key: string;

const EVENT = { timestamp: '2026-01-01T00:00:00Z', eventType: 'auth.logout' };
const LOGIN = { fromSequence: 1, categories: ['authentication'], eventTypes: null, newCategories: false };
const PROGRESS: Progress = {
  ...{ cursor: 0, settledAhead: [], scanned: 0, matched: 0, filtered: 0, delivered: 0, deadLettered: 0 },
  ...{ state: 'connected', since: 0, cause: null, fix: null, held: false, refusedRun: [] },
  ...{ lastSuccessAt: null, lastError: null },
};

beforeAll(async () => {
  api = await startHttpApi();
  key = await api.key('acme', 'events:write', 'events:read');
  const made = { ...EVENT, id: 'user', eventType: 'user.created' };
  const { json } = await api.call('POST', '/v1/events', { key, body: [{ ...EVENT, id: 'logout' }, made] });
  const first: number = json.appended[0].firstSequence;
  // One that has everything, one that has nothing yet, one that began later.
  await connect('done', { ...PROGRESS, cursor: first + 1 }, 0);
  await connect('waiting', PROGRESS, 0);
  await connect('late', PROGRESS, first + 1);
});
afterAll(() => api.close());

async function connect(id: string, progress: Progress, startAfter: number): Promise<void> {
  const destination: StoredDestination = {
    ...{ id, team: 'acme', kind: 'splunk', name: id, settings: {}, sealed: {}, startAfter },
    ...{ filters: [{ ...LOGIN, knownCategories: ['authentication', 'user_management'] }] },
    ...{ parallel: 1, lingerMs: 0, paused: null, createdAt: 0, updatedAt: 0 },
  };
  await api.store.destinations.create(destination, progress, []);
}

const get = async (query: string) => (await api.call('GET', `/v1/deliveries?${query}`, { key })).json;

it('says of each event how many destinations are to get it, and how many have it', async () => {
  const { items } = await get('id=logout&id=user');
  expect(items).toEqual([
    { id: 'logout', matched: 2, delivered: 1, worst: 'pending' },
    { id: 'user', matched: 0, delivered: 0, worst: null },
  ]);
});

it('names the worst: a destination that refused it', async () => {
  const letter: DeadLetter = {
    ...{ id: 'logout', sequence: 1, eventType: 'auth.logout', eventCategory: 'authentication', timestamp: 0 },
    ...{ receivedAt: 0, at: 0, reason: 'too old', status: 400, answer: null, json: '{}', redriving: false },
  };
  await api.store.destinations.settle({ destination: 'waiting', progress: PROGRESS, deadLetters: [letter] });
  expect((await get('id=logout')).items).toEqual([{ id: 'logout', matched: 2, delivered: 1, worst: 'dead_letter' }]);
});

it('leaves out what the log does not have, says each event once, and takes a hundred at most', async () => {
  expect((await get('id=none&id=user&id=user')).items).toHaveLength(1);
  const many = Array.from({ length: 101 }, (_, i) => `id=e${i}`).join('&');
  expect(await get(many)).toMatchObject({ status: 400, code: 'invalid_request' });
});

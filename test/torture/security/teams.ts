import assert from 'node:assert/strict';
import { type Api, openApi } from '../../../src/cli/api.ts';
import { operatorSocket } from '../../../src/cli/operator-socket.ts';
import { ROLES } from '../../../src/contract/roles.ts';
import { SCOPES } from '../../../src/contract/scopes.ts';
import type { StandIn } from '../../../src/destinations/destination.ts';
import { startElasticStandIn } from '../../../src/destinations/elastic/stand-in.ts';
import { eventually, producerEvent } from '../../rig/events.ts';
import { temporaryFolder } from '../../rig/service.ts';
import type { Random } from '../random.ts';
import type { Scenario } from '../scenario.ts';
import { type Asker, ask, cookieOf } from './http.ts';
import { watchService } from './watched-service.ts';

const GENEROUS_MS = 60_000;
const PASSWORD = 'four unrelated words walk home';
/** Stands in everything that the one team has, and in no answer to the other. */
const MARK = 'onlyacme';
/** Of the same shape as the ids there are. */
const NO_ID = '01900000-0000-7000-8000-000000000000';

/**
 * Two teams with all that teams can have. Whoever is of the one asks for what is the other's, by every route and every id:
 * the answer is the one for what does not exist, and afterwards the other team is as it was.
 */
export const teams: Scenario = {
  name: 'security/teams',
  inShort: true,
  withinSeconds: 120,
  async run({ size, random, say }) {
    const folder = await temporaryFolder();
    const siem = await startElasticStandIn({ port: 0 });
    siem.setFault({ kind: 'reject_items', every: 2 });
    try {
      const env = { DESTINATION_NETWORK: 'any', ALLOW_HTTP_DESTINATIONS: 'true' };
      const service = await watchService(folder.path, env);
      const operator = openApi({ socketPath: operatorSocket(folder.path) });
      try {
        const acme = await furnish(service.url, operator, 'acme', MARK, ['owner'], siem);
        const other = await furnish(
          service.url,
          operator,
          'other',
          'elsewhere',
          size === 'full' ? ROLES : [random.pick(ROLES)],
          siem,
        );
        siem.setFault(null);
        // Its replay ends first.
        const before = await eventually(async () => {
          const state = await stateOf(service.url, operator, acme);
          assert.deepEqual(await stateOf(service.url, operator, acme), state);
          return state;
        }, GENEROUS_MS);
        const document = (await ask(service.url, 'GET', '/openapi.json')).json['paths'] as Document;
        const trial = { url: service.url, document, acme, other };
        let asked = 0;
        for (const asker of [...other.people, ...someKeys(other.keys, size, random)])
          asked += await tryEverything(trial, asker);
        asked += await tryWithin(trial);
        assert.deepEqual(await stateOf(service.url, operator, acme), before, 'the other team was changed');
        say(`${asked} requests for what is another team's`);
        const faults = asked;
        return {
          events: 0,
          faults,
          lost: 0,
          duplicated: 0,
          deadLettered: acme.deadLetters.length,
          countersExact: null,
        };
      } finally {
        await operator.close();
        await service.end();
      }
    } finally {
      await siem.close();
      await folder.remove();
    }
  },
};

type Document = Readonly<
  Record<string, Readonly<Record<string, { security?: readonly unknown[]; requestBody?: unknown }>>>
>;

interface Furnished {
  readonly id: string;
  /** By what they are of: `{id}` of a route is one of them. */
  readonly ids: Readonly<Record<string, string>>;
  readonly deadLetters: readonly string[];
  readonly cursors: { readonly events: string; readonly list: string };
  readonly people: readonly Asker[];
  readonly keys: readonly Asker[];
}

interface Trial {
  readonly url: string;
  readonly document: Document;
  readonly acme: Furnished;
  readonly other: Furnished;
}

async function furnish(
  url: string,
  operator: Api,
  team: string,
  mark: string,
  roles: readonly string[],
  siem: StandIn,
): Promise<Furnished> {
  const at = `?team=${team}`;
  await operator.json('POST', '/v1/teams', { id: team, name: `Team ${mark}` });
  const makeKey = async (scopes: readonly string[]): Promise<Asker & { id: string }> => {
    const made = await operator.json<{ id: string; key: string }>('POST', `/v1/api-keys${at}`, {
      name: `key ${mark}`,
      team,
      scopes,
    });
    return { key: made.key, id: made.id };
  };
  const full = await makeKey(SCOPES);
  const keys = [full];
  for (const scope of SCOPES) keys.push(await makeKey([scope]));
  const people: Asker[] = [];
  for (const role of roles) {
    const invitation = { email: `${role}.${mark}@acme.example`, role };
    const { link } = await operator.json<{ link: string }>('POST', `/v1/invitations${at}`, invitation);
    const body = { token: link.split('#')[1], name: `${role} ${mark}`, password: PASSWORD };
    const joined = await ask(url, 'POST', '/v1/invitations/accept', {}, body);
    assert.equal(joined.status, 200, joined.text);
    people.push({ cookie: cookieOf(joined) });
  }
  const { items: members } = await operator.json<Items>('GET', `/v1/members${at}`);
  const open = await operator.json<{ id: string }>('POST', `/v1/invitations${at}`, {
    email: `guest.${mark}@acme.example`,
    role: 'member',
  });
  const saved = await ask(url, 'POST', '/v1/saved-filters', people[0]!, { name: `filter ${mark}`, query: `q=${mark}` });

  const events = Array.from({ length: 20 }, (_, n) => ({
    ...producerEvent(n, mark),
    ...{ eventCategory: `category ${mark}`, eventType: `custom.${mark}`, description: `What ${mark} did` },
  }));
  await ask(url, 'POST', '/v1/events', full, events);
  const settings = { ...siem.settings, index: `audit-${mark}` };
  const made = await ask(url, 'POST', '/v1/destinations', full, {
    kind: 'elastic',
    name: `SIEM ${mark}`,
    settings,
    startAt: 'beginning',
  });
  assert.equal(made.status, 201, made.text);
  const destination = String(made.json['id']);
  const deadLetters = await eventually(async () => {
    const { json } = await ask(url, 'GET', `/v1/destinations/${destination}/dead-letters?limit=2`, full);
    const found = (json['items'] as Items['items'] | undefined) ?? [];
    const { counts } = (await ask(url, 'GET', `/v1/destinations/${destination}/health`, full)).json as {
      counts: { pending: number };
    };
    assert.ok(found.length === 2 && counts.pending === 0, 'it is not at rest');
    return found.map(({ id }) => id);
  }, GENEROUS_MS);
  const range = { from: '2020-01-01T00:00:00Z', to: '2100-01-01T00:00:00Z' };
  const replay = await ask(url, 'POST', `/v1/destinations/${destination}/replay`, full, range);
  assert.equal(replay.status, 201, replay.text);
  const page = await ask(url, 'GET', '/v1/events?limit=2', full);
  const list = await ask(url, 'GET', `/v1/destinations/${destination}/attempts?limit=1`, full);
  await operator.json('PATCH', `/v1/team${at}`, { alerts: { mail: false, webhookUrl: `http://127.0.0.1:9/${mark}` } });
  return {
    ...{ id: team, deadLetters, people, keys },
    ids: {
      ...{ events: `${mark}-00000001`, destinations: destination, members: members[0]!.id, invitations: open.id },
      ...{ 'saved-filters': String(saved.json['id']), 'api-keys': full.id, replay: String(replay.json['id']) },
    },
    cursors: { events: String(page.json['nextCursor']), list: String(list.json['nextCursor'] ?? '1') },
  };
}

interface Items {
  readonly items: readonly { readonly id: string }[];
}

/** Bodies that would do something if they were let. A route that takes one and is not here fails the scenario. */
const BODIES: Readonly<Record<string, unknown>> = {
  'POST /v1/events': [{ eventType: 'user.created', id: 'x', team_id: 'acme' }],
  'POST /v1/destinations': {
    kind: 'splunk',
    name: 'x',
    settings: { endpointUrl: 'http://127.0.0.1:9', token: 't', index: 'i' },
  },
  'PATCH /v1/destinations/{id}': { name: 'taken' },
  'POST /v1/destinations/{id}/dead-letters/redrive': { ids: null },
  'POST /v1/destinations/{id}/replay': { from: '2020-01-01T00:00:00Z', to: '2100-01-01T00:00:00Z' },
  'POST /v1/destinations/test': { kind: 'elastic', settings: {} },
  'PATCH /v1/members/{id}': { role: 'member', status: 'deactivated' },
  'POST /v1/invitations': { email: 'thief@acme.example', role: 'admin' },
  'POST /v1/saved-filters': { name: 'x', query: 'q=x' },
  'PATCH /v1/team': { name: 'taken', retentionDays: 1 },
  'DELETE /v1/team': { confirm: `Team ${MARK}` },
  'POST /v1/team/alert-test': { channel: 'webhook' },
  'POST /v1/api-keys': { name: 'x', scopes: ['events:read'], team: 'acme' },
  'POST /v1/teams': { id: 'acme', name: 'x' },
  'POST /v1/links': { kind: 'sign-in', email: `owner.${MARK}@acme.example` },
  'PUT /v1/sandbox/{kind}/fault': { kind: 'busy' },
};

/** Every route, with the other team's ids and under its name, beside the same with what nobody has. */
async function tryEverything({ url, document, acme, other }: Trial, asker: Asker): Promise<number> {
  let asked = 0;
  for (const [pattern, methods] of Object.entries(document))
    for (const [method, { security, requestBody }] of Object.entries(methods)) {
      if (security?.length === 0 || pattern === '/metrics') continue;
      const route = `${method.toUpperCase()} ${pattern}`;
      assert.ok(!requestBody || route in BODIES, `${route} takes a body that the scenario does not know`);
      const hasIds = /\{(id|replay)\}/.test(pattern);
      const kind = pattern.split('/')[2]!;
      const at = (ids: Furnished['ids'] | null, team: string): string =>
        pattern
          .replace('{kind}', 'splunk')
          .replace('{id}', ids?.[kind] ?? NO_ID)
          .replace('{replay}', ids?.['replay'] ?? NO_ID) + queryOf(pattern, team);
      const pairs: (readonly [string, string])[] = [[at(acme.ids, 'acme'), at(null, 'nobody')]];
      if (hasIds) pairs.push([at(acme.ids, ''), at(null, '')], [at(acme.ids, other.id), at(null, other.id)]);
      for (const [theirs, nobodys] of pairs) {
        const answers = [];
        for (const path of [theirs, nobodys])
          answers.push(await ask(url, method.toUpperCase(), path, asker, BODIES[route]));
        asked += 2;
        const [real, none] = answers.map(({ status, text }) => `${status} ${neutral(text, acme)}`);
        assert.ok(!answers[0]!.text.includes(MARK) || theirs.includes(MARK), `${route} tells: ${answers[0]!.text}`);
        assert.equal(real, none, `${route} (${theirs}) tells that it exists`);
        // A list of one's own team is one's own; anything that names the other's must not be done.
        assert.ok(answers[0]!.status >= 400, `${route} (${theirs}): ${answers[0]!.status} ${answers[0]!.text}`);
      }
    }
  return asked;
}

function queryOf(pattern: string, team: string): string {
  const more = { '/v1/events/export': 'format=ndjson', '/v1/deliveries': `id=${MARK}-00000001` }[pattern];
  return `?${[team && `team=${team}`, more].filter(Boolean).join('&')}`;
}

/** Less what differs though nothing is told: the request's own id, and what was asked for. */
function neutral(text: string, { ids }: Furnished): string {
  let rest = text.replace(/"requestId":"[^"]*"/, '');
  for (const id of [...Object.values(ids), NO_ID]) rest = rest.replaceAll(id, '<id>');
  return rest.replace(/"(acme|nobody)"|\\"(acme|nobody)\\"/g, '<team>');
}

/** One's own team, with the other's ids where only a body or a cursor holds them. */
async function tryWithin({ url, acme, other }: Trial): Promise<number> {
  const full = other.keys[0]!;
  const own = other.ids['destinations']!;
  const settings = { index: 'x' };
  const kind = 'elastic';
  const pairs: readonly (readonly [
    method: string,
    theirs: string,
    nobodys: string,
    body?: unknown,
    nobodysBody?: unknown,
  ])[] = [
    [
      'POST',
      '/v1/destinations/test',
      '/v1/destinations/test',
      { kind, id: acme.ids['destinations'], settings },
      { kind, id: NO_ID, settings },
    ],
    ['DELETE', `/v1/destinations/${own}/replays/${acme.ids['replay']}`, `/v1/destinations/${own}/replays/${NO_ID}`],
    [
      'POST',
      `/v1/destinations/${own}/dead-letters/redrive`,
      `/v1/destinations/${own}/dead-letters/redrive`,
      { ids: acme.deadLetters },
      { ids: ['nobodys'] },
    ],
    ['GET', `/v1/deliveries?id=${acme.ids['events']}`, '/v1/deliveries?id=nobodys'],
    ['GET', `/v1/events?q=${MARK}`, '/v1/events?q=nobodysatall'],
    [
      'GET',
      `/v1/events/histogram?q=${MARK}&from=2020-01-01&to=2100-01-01`,
      '/v1/events/histogram?q=nobodysatall&from=2020-01-01&to=2100-01-01',
    ],
    ['GET', `/v1/events?eventType=custom.${MARK}`, '/v1/events?eventType=custom.nobodys'],
  ];
  for (const [method, theirs, nobodys, body, nobodysBody] of pairs) {
    const real = await ask(url, method, theirs, full, body);
    const none = await ask(url, method, nobodys, full, nobodysBody);
    const plain = ({ status, text }: typeof real) =>
      `${status} ${neutral(text, acme).replace(/"lastSequence":\d+/, '')}`;
    assert.equal(plain(real), plain(none), `${method} ${theirs}`);
  }
  // The same id is another event in another team, and nothing tells that it is taken there.
  const same = { ...producerEvent(1, MARK), description: 'another' };
  const taken = await ask(url, 'POST', '/v1/events', full, [same]);
  assert.ok(taken.status === 200 && taken.json['accepted'] === 1, taken.text);
  for (const path of [
    ...[
      `/v1/events?cursor=${encodeURIComponent(acme.cursors.events)}`,
      `/v1/events?cursor=${encodeURIComponent(other.cursors.events)}`,
    ],
    ...[
      `/v1/destinations/${own}/attempts?cursor=${acme.cursors.list}`,
      `/v1/destinations/${own}/dead-letters?cursor=${acme.cursors.list}`,
    ],
    ...[
      '/v1/destinations',
      '/v1/categories',
      '/v1/event-types',
      '/v1/events/export?format=csv',
      '/v1/team',
      '/v1/members',
    ],
    ...['/v1/invitations', '/v1/api-keys', `/v1/destinations/${own}/replays`, `/v1/destinations/${own}/attempts`],
  ]) {
    const { status, text } = await ask(url, 'GET', path, full);
    assert.ok(status < 500, `${path}: ${text}`);
    assert.ok(!text.replaceAll(`${MARK}-00000001`, '').includes(MARK), `${path} tells: ${text}`);
  }
  return 2 * pairs.length + 15;
}

/** What a team is and has, as the operator and its own Owner see it. */
async function stateOf(url: string, operator: Api, { id, ids, people }: Furnished): Promise<unknown> {
  const query = `?team=${id}`;
  const at = `/v1/destinations/${ids['destinations']}`;
  const paths = ['/v1/team', '/v1/members', '/v1/invitations', '/v1/api-keys', '/v1/destinations', '/v1/categories'];
  const state: unknown[] = [];
  for (const path of [...paths, at, `${at}/replays`, `${at}/dead-letters`])
    state.push(await operator.json('GET', `${path}${query}`));
  state.push((await ask(url, 'GET', '/v1/saved-filters', people[0]!)).json);
  // That strangers asked is recorded, and nothing else is. Keys and people are seen to be used.
  const { events } = await operator.json<{ events: readonly { eventType: string; failureReason?: string }[] }>(
    'GET',
    `/v1/events${query}&limit=1000`,
  );
  const quiet = (event: { eventType: string; failureReason?: string }): boolean =>
    event.failureReason === 'unauthorized_team_access' ||
    /^siem\.destination\.state|^apikey\.used/.test(event.eventType);
  state.push(events.filter((event) => !quiet(event)));
  return JSON.parse(
    JSON.stringify(state).replace(/"(lastUsedAt|lastSeenAt|state|updatedAt)":("[^"]*"|null)/g, '"$1":0'),
  ) as unknown;
}

function someKeys(keys: readonly Asker[], size: string, random: Random): readonly Asker[] {
  return size === 'full' ? keys : [keys[0]!, random.pick(keys.slice(1))];
}

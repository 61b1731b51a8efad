import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { createAlerting } from '../../src/alerting/alert.ts';
import { newWebhookSecret } from '../../src/alerting/webhook.ts';
import { openApi } from '../../src/cli/api.ts';
import { destinationKinds } from '../../src/destinations/registry.ts';
import { createMailer } from '../../src/outbound/mail.ts';
import { createOpenOutbound } from '../../src/outbound/open-outbound.ts';
import { SecretBox } from '../../src/secrets.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { eventually, exportLog, producerEvent } from '../rig/events.ts';
import { startHttpApi } from '../rig/http-api.ts';
import { startService, teamApi, temporaryFolder } from '../rig/service.ts';
import { datadog } from '../torture/answers/datadog.ts';
import { elastic } from '../torture/answers/elastic.ts';
import { qradar } from '../torture/answers/qradar.ts';
import { AnswersRig } from '../torture/answers/rig.ts';
import { beyond, type Call, type Events, page, type Reply, reply, type Script } from '../torture/answers/row.ts';
import { sentinel } from '../torture/answers/sentinel.ts';
import { ScriptedSiem } from '../torture/answers/server.ts';
import type { Siem } from '../torture/answers/siem.ts';
import { splunk } from '../torture/answers/splunk.ts';
import { createRandom } from '../torture/random.ts';

/* What hosted and open products of this sort do badly, one test for each line of the list (the product's §10). */

const SIEMS = [splunk, elastic, qradar, sentinel, datadog];
const HOUR_MS = 3_600_000;
const SCOPES = ['events:write', 'events:read', 'destinations:read', 'destinations:write'] as const;

let rig: AnswersRig;
let lanes = 0;
beforeAll(async () => {
  rig = await AnswersRig.start();
});
afterAll(() => rig.close());

it('§10.1 one bad document of a bulk request that was answered 200 is neither delivered, nor in the way, nor repeats the others', async () => {
  const bad = { type: 'document_parsing_exception', reason: 'failed to parse field [x]' };
  let isFirst = true;
  const lane = await open(elastic, (call) => {
    if (call.call !== 'post' || !isFirst) return null;
    isFirst = false;
    const items = call.ids.map((_id, i) => ({ create: { _id, ...(i === 4 ? { status: 400, error: bad } : CREATED) } }));
    return { ...reply(200, { errors: false, items }), stores: call.ids.filter((_, i) => i !== 4) };
  });
  const ids = await lane.append(10);
  await lane.drain();
  expect((await rig.deadLetters(lane.id)).map(({ id }) => id)).toEqual([ids[4]]);
  expect(lane.siem.stored).toEqual(new Map(ids.filter((_, i) => i !== 4).map((id) => [id, 1])));
  expect(lane.siem.posts).toHaveLength(1);
});

it.each([401, 403, 404])(
  '§10.2 an answer that a person can mend (%i) holds for hours and drops nothing',
  async (status) => {
    for (const kind of [splunk, elastic]) {
      const lane = await open(kind, () => reply(status, { error: { type: 'security_exception', reason: 'no' } }));
      const ids = await lane.append(20);
      const { counts, fix } = await lane.tries(40);
      expect(counts).toMatchObject({ delivered: 0, deadLettered: 0, pending: 20 });
      expect(fix).toMatch(/key|token|host|index/i);
      lane.siem.arm(null);
      await lane.drain();
      expect(lane.siem.stored).toEqual(new Map(ids.map((id) => [id, 1])));
    }
  },
);

it('§10.3 no number of tries, and no number of hours, gives a batch up', async () => {
  const lane = await open(datadog, ({ call }) => (call === 'post' ? reply(503, {}, { 'retry-after': '1800' }) : null));
  const ids = await lane.append(20);
  const began = rig.clock.now();
  expect((await lane.tries(60)).counts).toMatchObject({ deadLettered: 0, pending: 20 });
  expect(rig.clock.now() - began).toBeGreaterThan(24 * HOUR_MS);
  lane.siem.arm(null);
  await lane.drain();
  expect([...lane.siem.stored.keys()]).toEqual(ids);
});

it('§10.4 dead letters can be seen and sent again, also after a restart', async () => {
  const lane = await open(qradar, beyond(0, () => reply(400, 'no'))());
  const ids = await lane.append(3);
  await lane.drain();
  const before = await rig.deadLetters(lane.id);
  await rig.restart(async () => {});
  expect(await rig.deadLetters(lane.id)).toEqual(before);
  expect(before).toMatchObject(ids.map((id) => ({ id, status: 400, reason: expect.stringContaining('400') })));
  lane.siem.arm(null);
  expect(await rig.delivery.redrive(lane.id, null, [])).toBe(3);
  expect((await lane.drain()).counts).toMatchObject({ delivered: 3, deadLettered: 0 });
  expect([...lane.siem.stored.keys()].sort()).toEqual(ids);
});

it('§10.5 what is already there (409) is delivered', async () => {
  const lane = await open(elastic, ({ ids }) => {
    const items = ids.map((_id) => ({
      create: { _id, status: 409, error: { type: 'version_conflict_engine_exception' } },
    }));
    return reply(200, { errors: true, items });
  });
  await lane.append(5);
  const { counts, state } = await lane.drain();
  expect({ state, ...counts }).toMatchObject({ state: 'connected', delivered: 5, deadLettered: 0 });
});

it.each([
  ['413', splunk, reply(413, 'too large')],
  ['Splunk Cloud’s own form', splunk, reply(400, { text: 'Invalid data format', code: 6, 'invalid-event-number': 0 })],
  ['Azure’s own form', sentinel, reply(400, { error: { code: 'TimeoutExpired' } })],
])('§10.6 a body that is too large (%s) is halved, not sent for ever', async (_, kind, refusal) => {
  const lane = await open(kind, ({ call, bytes }) => (call === 'post' && bytes > 150_000 ? refusal : null));
  const ids = await lane.append(300, { padding: 1_500 });
  await lane.drain();
  expect(lane.siem.stored).toEqual(new Map(ids.map((id) => [id, 1])));
  expect(lane.siem.posts.length).toBeLessThan(16);
});

it('§10.7 pausing loses nothing of what happens meanwhile, not even through a restart', async () => {
  const lane = await open(sentinel);
  const before = await lane.append(5);
  await lane.drain();
  await rig.delivery.pause(lane.id, 'Ana', []);
  const meanwhile = await lane.append(40);
  await rig.clock.advance(30 * 24 * HOUR_MS);
  await rig.restart(async () => {});
  // Whatever was to be sent would be there when another destination's events are.
  const other = await open(sentinel);
  await other.append(40);
  await other.drain();
  expect([...lane.siem.stored.keys()]).toEqual(before);
  expect(await rig.delivery.health(lane.id)).toMatchObject({ state: 'paused', counts: { pending: 40 } });
  await rig.delivery.resume(lane.id, []);
  await lane.drain();
  expect(lane.siem.stored).toEqual(new Map([...before, ...meanwhile].map((id) => [id, 1])));
});

it('§10.8 a range of time can be sent again, and is there once where the SIEM can deduplicate', async () => {
  for (const kind of [elastic, datadog]) {
    const lane = await open(kind);
    const early = await lane.append(6);
    await rig.clock.advance(HOUR_MS);
    const from = rig.clock.now();
    const wanted = await lane.append(7);
    await rig.clock.advance(HOUR_MS);
    const to = rig.clock.now();
    const late = await lane.append(8);
    await lane.drain();
    const { id } = await rig.delivery.replay(lane.id, from, to, []);
    await eventually(async () => {
      await rig.settle();
      expect((await rig.delivery.replays(lane.id)).find((one) => one.id === id)).toMatchObject({
        status: 'done',
        delivered: 7,
      });
    }, 15_000);
    const again = kind.deduplicates ? 1 : 2;
    expect(wanted.map((one) => lane.siem.stored.get(one))).toEqual(wanted.map(() => again));
    expect([...early, ...late].map((one) => lane.siem.stored.get(one))).toEqual([...early, ...late].map(() => 1));
    expect(lane.siem.posts.flatMap((post) => post.ids).filter((one) => wanted.includes(one))).toHaveLength(14);
    expect((await rig.look(lane.id, lane.id)).counts).toMatchObject({ matched: 21, delivered: 21 });
  }
});

it('§10.9 a queue that is killed while it is filled opens whole: it is a database, with no file format of ours', async () => {
  const folder = await temporaryFolder();
  onTestFinished(() => folder.remove());
  const first = await startService(folder.path);
  const api = await teamApi(first, folder.path);
  const accepted: string[] = [];
  const fill = (async () => {
    for (let n = 0; n < 100_000; n += 20) {
      const events = Array.from({ length: 20 }, (_, i) => producerEvent(n + i));
      await api.json('POST', '/v1/events', events);
      accepted.push(...events.map((event) => String('id' in event && event.id)));
    }
  })().catch(() => {});
  await eventually(() => expect(accepted.length).toBeGreaterThan(400), 30_000);
  await first.kill();
  await fill;
  await api.close();
  const second = await startService(folder.path);
  const reopened = openApi({ url: second.url, key: api.key });
  const log = await exportLog(reopened);
  await reopened.close();
  await second.stop();
  const ids = new Set(log.map(({ id }) => id));
  expect(accepted.filter((id) => !ids.has(id))).toEqual([]);
  expect(log.map(({ sequence }) => sequence)).toEqual(log.map((_, i) => i + 1));
  expect(readFileSync(join(folder.path, 'trailproof.db')).subarray(0, 15).toString()).toBe('SQLite format 3');
});

it('§10.10 what a SIEM would answer with a 2xx and not keep is sent otherwise, or told as a dead letter', async () => {
  const odd: readonly Events[] = [
    { count: 1 },
    { ageMs: 20 * HOUR_MS, count: 3 },
    { ageMs: -5 * HOUR_MS, count: 3 },
    { padding: 250_000, count: 3 },
  ];
  for (const kind of SIEMS) {
    const lane = await open(kind);
    const ids: string[] = [];
    for (const events of odd) {
      ids.push(...(await lane.append(events.count ?? 1, events)));
      await lane.drain();
    }
    expect(lane.siem.stored, kind.kind).toEqual(new Map(ids.map((id) => [id, 1])));
  }
  const diverting = await open(elastic, ({ call, ids }) => {
    const items = ids.map((_, i) => ({ create: { _id: `new-${i}`, status: 201, failure_store: 'used' } }));
    return call === 'post' ? reply(200, { errors: false, items }) : null;
  });
  await diverting.append(2);
  expect((await diverting.drain()).counts).toMatchObject({ delivered: 0, deadLettered: 2 });
});

it('§10.11 a destination that hangs and one that is dead slow neither ingest nor a third', async () => {
  const hanging = await open(splunk, () => ({ status: 0, instead: 'silence' }));
  const dead = await open(datadog, () => ({ status: 0, instead: 'reset' }));
  await hanging.append(300);
  await dead.append(300);
  await eventually(() => expect(hanging.siem.posts).toHaveLength(1), 15_000);
  const well = await open(elastic);
  for (let i = 0; i < 20; i++) await well.append(50);
  await eventually(async () => expect(well.siem.stored.size).toBe(1_000), 15_000);
  expect(hanging.siem.posts).toHaveLength(1);
  expect((await rig.look(dead.id, dead.id)).counts.pending).toBe(300);
});

it('§10.12 a destination that stops is an event, a notification and a figure', async () => {
  const called: unknown[] = [];
  const hook = await serve((request, response) => {
    void json(request).then((body) => {
      called.push(body);
      response.end();
    });
  });
  const lane = await open(splunk, () => reply(403, { text: 'Invalid token', code: 4 }), { withOwnEvents: true });
  const secretBox = new SecretBox(randomBytes(32));
  const alerts = { mail: false, webhook: { url: hook, sealed: newWebhookSecret(secretBox, lane.id).sealed } };
  const mailer = createMailer({ smtpUrl: null, from: 'audit@acme.example' });
  const alerting = createAlerting({
    delivery: rig.delivery,
    teams: { get: async (id) => ({ id, name: id, retentionDays: 1, createdAt: 0, alerts }) },
    alerts: rig.store.alerts,
    recipientsOf: async () => [],
    ...{ mailer, secretBox, kinds: destinationKinds, clock: rig.clock, logger: createLogger({ level: 'silent' }) },
    openOutbound: createOpenOutbound({ network: 'any', allowHttp: true }),
    baseUrl: () => 'http://console.example',
  });
  rig.noticed = (id) => void (id === lane.id && alerting.noticed(id));
  onTestFinished(async () => {
    rig.noticed = () => {};
    await alerting.stop();
    await mailer.close();
  });
  await lane.append(3);
  await rig.rest(lane.id, lane.id);
  await eventually(() => expect(called).toHaveLength(1), 15_000);
  expect(JSON.stringify(called[0])).toMatch(/authentication_failed/);
  const own = (await rig.store.log.read(lane.id, 0, { events: 100, bytes: 1e6 })).map(({ json }) => JSON.parse(json));
  expect(own.filter(({ eventType }) => eventType === 'siem.destination.state_changed')).toMatchObject([
    { changes: { current: { state: 'authentication_failed' } } },
  ]);
  const metrics = createMetrics({ totals: () => rig.delivery.totals(), indexLag: async () => 0 });
  expect(await metrics.render()).toMatch(/^trailproof_destinations\{kind="splunk",state="authentication_failed"\} 1$/m);
});

it('§10.13 “Test connection” takes the path of deliveries: what strikes only them strikes its write', async () => {
  const api = await startHttpApi();
  onTestFinished(() => api.close());
  const key = await api.key('acme', ...SCOPES);
  for (const kind of SIEMS) {
    const siem = await scripted(kind, ({ call }) => (call === 'post' ? reply(503, { message: 'down' }) : null));
    const body = { kind: kind.kind, name: kind.kind, settings: kind.settings(siem.url) };
    const { id } = (await api.call('POST', '/v1/destinations', { key, body })).json;
    const test = () =>
      api.call('POST', `/v1/destinations/${id}/test`, { key, headers: { accept: 'application/json' } });
    const { ok, steps } = (await test()).json;
    expect(ok, kind.kind).toBe(false);
    expect(steps.at(-1)).toMatchObject({ name: 'write', ok: false, detail: expect.stringContaining('503') });
    siem.arm(null);
    expect((await test()).json, kind.kind).toMatchObject({ ok: true });
    const lane = await open(kind);
    await lane.append(1);
    await lane.drain();
    const [tested, delivered] = [siem.posts.at(-1)!, lane.siem.posts.at(-1)!];
    expect(siem.problems).toEqual([]);
    expect(tested.path).toBe(delivered.path);
    expect(Object.keys(tested.headers).sort()).toEqual(Object.keys(delivered.headers).sort());
  }
});

it('§10.14 an endpoint URL reaches no private address, directly, by a name that changes, or by a redirect, and shows no page', async () => {
  let touched = 0;
  const inside = await serve((_request, response) => {
    touched += 1;
    response.setHeader('content-type', 'text/html').end('<html>the secret of the intranet</html>');
  });
  const guarded = createOpenOutbound({ network: 'public', allowHttp: true });
  const api = await startHttpApi({ DESTINATION_NETWORK: 'public' }, () => ({ openOutbound: guarded }));
  onTestFinished(() => api.close());
  const key = await api.key('acme', ...SCOPES);
  const port = new URL(inside).port;
  const testOf = async (endpointUrl: string) => {
    const body = { kind: 'splunk', settings: { endpointUrl, token: 'token', index: 'main' } };
    const headers = { accept: 'application/json' };
    return (await api.call('POST', '/v1/destinations/test', { key, body, headers })).json;
  };
  const hosts = ['127.0.0.1', '[::1]', '[::ffff:127.0.0.1]', '2130706433', '0x7f.1', '0.0.0.0', 'localhost'];
  for (const host of [...hosts, '10.0.0.1', '169.254.169.254', '[fd00:ec2::254]', '168.63.129.16'])
    expect(await testOf(`http://${host}:${port}`), host).toMatchObject({
      ok: false,
      steps: [{ name: 'address', ok: false }],
    });
  // The name is looked up once for each connection, and what was looked up is what is connected to.
  let lookups = 0;
  const rebinding = createOpenOutbound({ network: 'public', allowHttp: true }, async () => {
    lookups += 1;
    return [{ address: '127.0.0.1', family: 4 }];
  })({});
  const request = { method: 'POST', url: `http://siem.example:${port}/`, headers: {}, body: 'x' } as const;
  expect(await rebinding.request(request, AbortSignal.any([]))).toMatchObject({ kind: 'failure', blocked: true });
  expect([lookups, touched]).toEqual([1, 0]);
  await rebinding.close();
  const redirecting = await open(splunk, () => ({ ...page(302), headers: { location: inside } }));
  const echoing = await open(splunk, () => page(200, 'the secret of the intranet'));
  for (const lane of [redirecting, echoing]) {
    await lane.append(2);
    const shown = [await rig.rest(lane.id, lane.id), await rig.delivery.attempts(lane.id, { limit: 10 })];
    expect(JSON.stringify(shown)).not.toContain('the secret');
    expect(shown[0]).toMatchObject({ state: 'misconfigured', counts: { pending: 2 } });
  }
  expect(touched).toBe(0);
});

it('§10.15 no credential is in answers, logs, attempts, exports, metrics or the database in clear, even when the SIEM repeats it', async () => {
  let dataDir = '';
  const api = await startHttpApi({}, ({ config }) => {
    dataDir = config.dataDir;
    return {};
  });
  onTestFinished(() => api.close());
  const key = await api.key('acme', ...SCOPES);
  const shown: string[] = [];
  const secrets: string[] = [];
  for (const kind of SIEMS) {
    const siem = await scripted(kind, (call) => echo(call));
    const settings = kind.settings(siem.url);
    secrets.push(
      ...['token', 'apiKey', 'secToken', 'clientSecret'].flatMap((name) => String(settings[name] ?? '') || []),
    );
    const body = { kind: kind.kind, name: kind.kind, settings };
    const created = await api.call('POST', '/v1/destinations', { key, body });
    const at = `/v1/destinations/${created.json.id}`;
    shown.push(created.text);
    shown.push((await api.call('POST', `${at}/test`, { key, headers: { accept: 'application/json' } })).text);
    for (const path of ['', '/health', '/attempts', '/dead-letters'])
      shown.push((await api.call('GET', at + path, { key })).text);
    shown.push((await api.call('PATCH', at, { key, body: { settings: { endpointUrl: 'nonsense://' } } })).text);
  }
  for (const path of [
    '/v1/destinations',
    '/v1/events',
    '/v1/events/export?format=ndjson',
    '/v1/events/export?format=csv',
    '/metrics',
  ])
    shown.push((await api.call('GET', path, { key })).text);
  shown.push(...api.logged);
  expect(secrets).toHaveLength(SIEMS.length);
  for (const secret of secrets)
    for (const text of shown) expect(text.includes(secret), `${secret} in ${text.slice(0, 200)}`).toBe(false);
  for (const name of readdirSync(dataDir).filter((one) => /\.db/.test(one)))
    for (const secret of secrets) expect(readFileSync(join(dataDir, name)).includes(secret), name).toBe(false);
});

it('§10.16 matched = delivered + dead letters + pending at every moment, as read from the disk too', async () => {
  const random = createRandom('counters');
  const chaos: Script = ({ call, ids }) => {
    if (call !== 'post') return null;
    const answers: Reply[] = [
      reply(503, 'busy'),
      { ...reply(500, 'broken'), stores: ids },
      reply(ids.length > 3 ? 413 : 400, 'no'),
      { status: 0, instead: 'reset' },
    ];
    return random.next() < 0.5 ? random.pick(answers) : null;
  };
  const lane = await open(datadog, chaos);
  let appended = 0;
  let looks = 0;
  let isOver = false;
  const sampling = (async () => {
    try {
      for (; !isOver; looks++) {
        const { matched, delivered, deadLettered, pending } = (await rig.look(lane.id, lane.id)).counts;
        expect(delivered + deadLettered + pending).toBe(matched);
        const kept = (await rig.store.destinations.progress(lane.id))!;
        expect(kept.matched).toBeLessThanOrEqual(appended);
        expect(kept.delivered).toBeLessThanOrEqual(lane.siem.stored.size);
        expect(kept.delivered + kept.deadLettered).toBeLessThanOrEqual(kept.matched);
        await setImmediate();
      }
    } finally {
      isOver = true;
    }
  })();
  for (let i = 0; i < 25; i++) {
    appended += 30;
    await lane.append(30);
    const { nextAttemptAt } = await rig.rest(lane.id, lane.id);
    if (nextAttemptAt !== null) await rig.clock.advance(nextAttemptAt - rig.clock.now());
    // Some looks at each batch, however fast these go.
    while (!isOver && looks < 10 * (i + 1)) await setImmediate();
  }
  lane.siem.arm(null);
  const { counts } = await lane.drain();
  isOver = true;
  await sampling;
  expect(counts).toMatchObject({ matched: 750, pending: 0 });
  expect(counts.deadLettered).toBe((await rig.deadLetters(lane.id)).length);
  expect(looks).toBeGreaterThan(200);
});

const CREATED = { status: 201, result: 'created' };

/** A lane to a SIEM that answers by script, in a team of its own. */
async function open(kind: Siem, script: Script = () => null, { withOwnEvents = false } = {}) {
  const id = `lane-${++lanes}`;
  const siem = await scripted(kind, script);
  await rig.add(id, { team: id, kind: kind.kind, settings: kind.settings(siem.url), withOwnEvents });
  onTestFinished(async () => {
    if (await rig.delivery.get(id)) await rig.delivery.remove(id, []);
  });
  return {
    ...{ id, siem },
    append: (count: number, events?: Events) => rig.append(id, count, events),
    drain: () => rig.drain(id, id),
    /** Lets so many next tries come, and rests. */
    tries: async (count: number) => {
      for (let i = 0; i < count; i++) {
        const { nextAttemptAt } = await rig.rest(id, id);
        await rig.clock.advance(nextAttemptAt! - rig.clock.now());
      }
      return rig.rest(id, id);
    },
  };
}

async function scripted(kind: Siem, script: Script): Promise<ScriptedSiem> {
  const siem = await ScriptedSiem.start(kind, () => rig.clock.now());
  onTestFinished(() => siem.close());
  siem.arm({ row: 'of a test', script: () => script, expect: { effect: 'delivered', state: 'connected' } });
  return siem;
}

/** What a SIEM with no manners says: the credential that it was sent. */
function echo({ headers, wire }: Call): Reply {
  return reply(401, { error: { code: 'Unauthorized', message: JSON.stringify({ headers, body: wire.toString() }) } });
}

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../clock.ts';
import { createOpenOutbound } from '../../outbound/open-outbound.ts';
import type { Answer, OutboundRequest } from '../../outbound/outbound.ts';
import { Secret } from '../../secrets.ts';
import { describeDestination } from '../conformance.ts';
import type { CheckStep, Destination, StandIn } from '../destination.ts';
import { sampleEvents } from '../sample-events.ts';
import { parseSettings, secretsOf } from '../settings.ts';
import { elastic } from './index.ts';
import { type ElasticStandInOptions, startElasticStandIn } from './stand-in.ts';

describeDestination(elastic, {
  wrongCredential: { apiKey: 'wrong:key' },
  itemVerdicts: true,
  deduplicates: true,
  oversize: 'cut',
});

const never = new AbortController().signal;
const openOutbound = createOpenOutbound({ network: 'any', allowHttp: true });
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

describe('the settings', () => {
  const given = { endpointUrl: 'https://es.example.com:9200', apiKey: 'aWQ6a2V5', index: 'audit' };
  const parsed = (change: object) => parseSettings(elastic, { ...given, ...change });

  it.each([
    ['https://es.example.com:9200/', 'https://es.example.com:9200'],
    ['es.example.com:9200', 'https://es.example.com:9200'],
    ['https://es.example.com/_bulk', 'https://es.example.com'],
    ['https://es.example.com/proxy/audit/_bulk?refresh=true', 'https://es.example.com/proxy'],
    [cloudId('eu.aws.elastic.cloud$es-uuid$kibana-uuid'), 'https://es-uuid.eu.aws.elastic.cloud'],
    [cloudId('eu.aws.elastic.cloud:9243$es-uuid$'), 'https://es-uuid.eu.aws.elastic.cloud:9243'],
  ])('take %s as the endpoint', (endpointUrl, expected) => {
    expect(parsed({ endpointUrl })).toMatchObject({ ok: true, settings: { endpointUrl: expected } });
  });

  it.each(['ftp://es.example.com', 'https://user:password@es.example.com', 'not a url', cloudId('nothing')])(
    'refuse %s as the endpoint',
    (endpointUrl) => {
      expect(parsed({ endpointUrl })).toMatchObject({ ok: false, problems: [{ field: 'endpointUrl' }] });
    },
  );

  it.each(['id:key', 'aWQ6a2V5', 'ApiKey aWQ6a2V5', 'Authorization: ApiKey aWQ6a2V5'])(
    'take the API key as %s',
    (apiKey) => {
      const result = parsed({ apiKey: new Secret(apiKey) });
      expect(result.ok && secretsOf(result.settings).map((secret) => secret.reveal())).toEqual(['aWQ6a2V5']);
    },
  );

  it.each(['Audit', '-audit', '_audit', 'a b', 'a/b', 'a,b', '*', '..'])('refuse %s as the index', (index) => {
    expect(parsed({ index })).toMatchObject({ ok: false, problems: [{ field: 'index' }] });
  });

  it.each(['logs-acme.audit-default', 'audit_2026', '.audit', '日誌'])('take %s as the index', (index) => {
    expect(parsed({ index })).toMatchObject({ ok: true });
  });
});

describe('on the wire', () => {
  it('asks for no echo of events, and names the pipeline', async () => {
    const { destination, requests } = await started({}, { pipeline: 'my pipe' });
    expect(await send(destination, 100)).toMatchObject({ kind: 'delivered' });
    const [request] = requests;
    const { pathname, searchParams } = new URL(request!.url);
    expect(pathname).toBe('/logs-trailproof.audit-default/_bulk');
    expect(Object.fromEntries(searchParams)).toEqual({
      filter_path: 'errors,items.*.status,items.*.error.type,items.*.error.reason,items.*.failure_store',
      include_source_on_error: 'false',
      pipeline: 'my pipe',
    });
    expect(request?.headers).toMatchObject({ 'content-type': 'application/x-ndjson', 'content-encoding': 'gzip' });
  });

  it('learns once that an older release does not know how to leave out the echo', async () => {
    const { destination, requests } = await started({ isBefore818: true });
    expect(await send(destination, 2)).toMatchObject({ kind: 'delivered' });
    expect(await send(destination, 3)).toMatchObject({ kind: 'delivered' });
    expect(requests.map(({ url }) => url.includes('include_source_on_error'))).toEqual([true, false, false]);
  });

  it('reports what went to the failure store as refused, and never sends it again', async () => {
    const { destination, standIn } = await started({ failureStore: true });
    standIn.setFault({ kind: 'reject_items', every: 4 });
    const outcome = await send(destination, 4);
    expect(outcome).toMatchObject({ kind: 'partial', rejected: [{ id: 'sample-team-1-4' }], again: [] });
    expect(standIn.counts()).toMatchObject({ events: 3, rejected: 1 });
  });

  it('says of a key that lacks the right to write, which right', async () => {
    const { destination, standIn } = await started();
    standIn.setFault({ kind: 'forbidden' });
    const steps: CheckStep[] = [];
    const expected = { kind: 'misconfigured', cause: 'permission', fix: expect.stringContaining('create_doc') };
    expect(await destination.check(never, (step) => steps.push(step))).toMatchObject(expected);
    expect(steps).toMatchObject([
      { name: 'credential', ok: true },
      { name: 'permission', ok: false },
    ]);
    expect(await send(destination, 1)).toMatchObject(expected);
  });
});

describe('the stand-in', () => {
  const LINES = '{"create":{"_id":"a"}}\n{"@timestamp":"2026-01-15T10:30:00.000Z"}\n';

  it.each([
    ['a body without final newline', LINES.trimEnd(), {}, 400],
    ['an unknown operation', '{"append":{}}\n{}\n', {}, 400],
    ['another media type', LINES, { 'content-type': 'text/plain' }, 406],
    ['no key', LINES, { authorization: '' }, 401],
  ])('refuses %s', async (_what, body, headers, status) => {
    expect(await post(await start(), body, headers)).toMatchObject({ status });
  });

  it('answers no more than is asked for, of items that fail too', async () => {
    const standIn = await start();
    const query = '?filter_path=errors,items.*.status,items.*.error.type';
    const created = '{"errors":false,"items":[{"create":{"status":201}}]}';
    expect(await post(standIn, LINES, {}, query)).toMatchObject({ status: 200, body: created });
    const conflict = '{"create":{"status":409,"error":{"type":"version_conflict_engine_exception"}}}';
    expect(await post(standIn, LINES, {}, query)).toMatchObject({ body: `{"errors":true,"items":[${conflict}]}` });
    expect((await post(standIn, '', {}, query)).body).toContain('root_cause');
  });

  it.each(['application/x-ndjson', 'application/json', 'application/vnd.elasticsearch+x-ndjson; compatible-with=9'])(
    'takes %s, names itself and answers in one line',
    async (type) => {
      const answer = await post(await start(), LINES, { 'content-type': type });
      expect(answer).toMatchObject({ status: 200, headers: { 'x-elastic-product': 'Elasticsearch' } });
      expect(answer.body).toContain('"errors":false,"items":[{"create":{');
    },
  );

  it('lets nothing but create write into a data stream, and no document without time', async () => {
    const body = '{"index":{"_id":"a"}}\n{"@timestamp":0}\n{"create":{"_id":"b"}}\n{"no":"time"}\n';
    const { items } = JSON.parse((await post(await start(), body)).body);
    expect(items).toMatchObject([{ index: { status: 400 } }, { create: { status: 400 } }]);
  });
});

async function start(options: Partial<ElasticStandInOptions> = {}): Promise<StandIn> {
  const standIn = await startElasticStandIn({ port: 0, ...options });
  closing.unshift(() => standIn.close());
  return standIn;
}

async function started(options: Partial<ElasticStandInOptions> = {}, change: Record<string, unknown> = {}) {
  const standIn = await start(options);
  const parsed = parseSettings(elastic, { ...standIn.settings, ...change });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const requests: OutboundRequest[] = [];
  const destination = elastic.open(parsed.settings, {
    clock: systemClock,
    brand: 'Acme',
    configuredAt: 0,
    openOutbound(given) {
      const outbound = openOutbound(given);
      return {
        ...outbound,
        request(request, signal) {
          requests.push(request);
          return outbound.request(request, signal);
        },
      };
    },
  });
  closing.unshift(() => destination.close());
  return { standIn, destination, requests };
}

async function send(destination: Destination, count: number) {
  return (await destination.prepare(sampleEvents(count))).send(never);
}

async function post(standIn: StandIn, body: string, headers: Record<string, string> = {}, query = ''): Promise<Answer> {
  const outbound = openOutbound({});
  closing.unshift(() => outbound.close());
  const answer = await outbound.request(
    {
      method: 'POST',
      url: `${standIn.url}/logs-a-b/_bulk${query}`,
      headers: {
        authorization: `ApiKey ${standIn.settings['apiKey']}`,
        'content-type': 'application/x-ndjson',
        ...headers,
      },
      body,
    },
    never,
  );
  if (answer.kind === 'failure') throw new Error(answer.reason);
  return answer;
}

function cloudId(decoded: string): string {
  return `my-deployment:${Buffer.from(decoded).toString('base64')}`;
}

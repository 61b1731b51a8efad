import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { PROBLEMS } from '../../../src/contract/problem.ts';
import { parseJson } from '../../../src/event/parse-json.ts';
import { type HttpApi, startHttpApi } from '../../rig/http-api.ts';
import type { Scenario, ScenarioContext, Tally } from '../scenario.ts';
import { parseCsv } from './csv.ts';
import { encodedByAll } from './encoded.ts';
import { extremes } from './extremes.ts';
import { type HostileEvent, hostileEvent } from './hostile-events.ts';
import { lostFrom, startInnocent } from './innocent.ts';
import { type JsonNode, meantBy, textOf } from './json-text.ts';
import { mustReject, sameMeaning } from './oracle.ts';
import { holds } from './property.ts';

const TEAM = 'hostile';
/** Bodies of up to BODY_EVENTS events. */
const BODIES = { short: 12, full: 100 };
const BODY_EVENTS = { short: 30, full: 100 };
/** Of so many events taken, one is asked for by its id at once; all are in the exports. */
const FOUND = { short: 1, full: 5 };
/** Of so many events found, one is also searched for. */
const SEARCHED = 20;

/** Valid events changed in every way that JSON allows: what is accepted is found again, means the same and goes out. */
export const eventsStructured: Scenario = {
  name: 'input/events-structured',
  inShort: true,
  withinSeconds: 300,
  run: async (context) => {
    const api = await startHttpApi({ RATE_LIMIT_PER_MINUTE: '10000000' });
    const innocent = startInnocent(api.url, await api.key('innocent', 'events:write'));
    try {
      return await run(context, api, () => innocent.stop());
    } finally {
      await innocent.stop().catch(() => {});
      await api.close();
    }
  },
};

async function run(
  { size, random, say }: ScenarioContext,
  api: HttpApi,
  innocentIds: () => Promise<readonly string[]>,
): Promise<Tally> {
  const before = prototypes();
  const key = await api.key(TEAM, 'events:write', 'events:read');
  const kept = new Map<string, JsonNode>();
  let sent = 0;
  let names = 0;
  const nextName = (): string => String(names++);
  const body = fc.record({
    events: fc.array(hostileEvent(nextName), { minLength: 1, maxLength: BODY_EVENTS[size], size: 'max' }),
    format: fc.constantFrom('array' as const, 'lines' as const),
    isGzipped: fc.boolean(),
  });

  await holds(random, BODIES[size], body, async ({ events, format, isGzipped }) => {
    const isLines = format === 'lines' || events.some(({ node }) => mustReject(node) === 'it is not JSON');
    const texts = events.map(({ node }) => textOf(node));
    const bytes = Buffer.from(isLines ? texts.join('\n') : `[${texts.join(',')}]`);
    const post = () =>
      api.call('POST', '/v1/events', {
        key,
        body: isGzipped ? gzipSync(bytes) : bytes,
        headers: {
          'content-type': isLines ? 'application/x-ndjson' : 'application/json',
          ...(isGzipped && { 'content-encoding': 'gzip' }),
        },
      });
    const accepted = judged(events, await post());
    sent += events.length;
    for (const { node } of accepted) {
      const id = idOf(node);
      if (id === null) continue;
      kept.set(id, node);
      if (kept.size % FOUND[size] !== 0) continue;
      const found = await api.call('GET', `/v1/events/${encodeURIComponent(id)}`, { key });
      assert.equal(found.status, 200, `GET ${id}: ${found.text}`);
      sameMeaning(node, parseJson(found.text), TEAM);
      if (kept.size % SEARCHED === 0) await isFoundBySearch(api, key, found.json);
    }
    const again = await post();
    const named = accepted.filter(({ node }) => idOf(node) !== null).length;
    const { duplicates, rejected } = again.json;
    assert.deepEqual(
      { duplicates, rejected: rejected.length },
      { duplicates: named, rejected: events.length - accepted.length },
    );
  });

  const extreme = await extremes(api, key);
  for (const [id, node] of extreme.kept) kept.set(id, node);
  await exportedWhole(api, key, kept);
  const encoded = await encodedByAll(api, TEAM);
  assert.deepEqual(prototypes(), before, 'an event changed what all objects share');
  const ids = await innocentIds();
  const logOf = async (team: string) => await api.store.log.read(team, 0, { events: 1e6, bytes: 1e9 });
  const lost = lostFrom(await logOf('innocent'), ids) + lostFrom(await logOf(TEAM), kept.keys());
  const count = sent + extreme.sent;
  say(
    `${count} events sent twice, ${kept.size} of them kept; ${encoded.sent} sent to stand-ins, ${encoded.cut} cut to fit`,
  );
  return {
    ...{ events: ids.length + kept.size, faults: count, lost, duplicated: 0 },
    ...{ deadLettered: encoded.refused, countersExact: null },
  };
}

/** The events that were taken. Throws when the answer is not one, or another than must be. */
function judged(events: readonly HostileEvent[], answer: Awaited<ReturnType<HttpApi['call']>>): HostileEvent[] {
  assert([200, 422].includes(answer.status), `answered ${answer.status}: ${answer.text.slice(0, 1000)}`);
  if (answer.status === 422) {
    assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json/);
    assert.equal(PROBLEMS[answer.json.code as keyof typeof PROBLEMS].status, 422);
  }
  const { accepted, duplicates, rejected } = answer.json as {
    accepted: number;
    duplicates: number;
    rejected: { index: number; code: string; path: string; message: string }[];
  };
  assert.equal(accepted + duplicates + rejected.length, events.length, 'each event is judged');
  const refusals = new Map(rejected.map((r) => [r.index, r]));
  return events.filter(({ node, isUntouched }, index) => {
    const refusal = refusals.get(index);
    const why = mustReject(node);
    if (why !== null) assert(refusal, `event ${index} was accepted, though ${why}: ${textOf(node).slice(0, 2000)}`);
    if (isUntouched) assert.equal(refusal, undefined, 'an event like any other is accepted');
    return refusal === undefined;
  });
}

function idOf(node: JsonNode): string | null {
  const { id } = meantBy(node) as { id?: unknown };
  return typeof id === 'string' ? id : null;
}

async function isFoundBySearch(api: HttpApi, key: string, stored: StoredFields): Promise<void> {
  const at = Date.parse(stored.timestamp);
  const isIn = async (more: Record<string, string>): Promise<void> => {
    if (Object.values(more).some((value) => value === '' || value.length > 512)) return;
    const query = new URLSearchParams({
      from: stored.timestamp,
      ...(at < Date.UTC(9999, 11, 31) && { to: new Date(at + 1).toISOString() }),
      limit: '1000',
      ...more,
    });
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page = await api.call('GET', `/v1/events?${query}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`, {
        key,
      });
      assert.equal(page.status, 200, page.text);
      const { events, nextCursor } = page.json as { events: { id: string }[]; nextCursor: string | null };
      if (events.some(({ id }) => id === stored.id)) return;
      cursor = nextCursor;
    }
    assert.fail(`${stored.id} is not found by ${query}`);
  };
  const { eventType, eventCategory: category, description: q, actor } = stored;
  // Its own words make it the only one, or one of few.
  const own = q === undefined ? {} : { q };
  await isIn({ eventType, ...own });
  await isIn({ category, ...own });
  if (actor?.id !== undefined) await isIn({ actor: actor.id, ...own });
}

interface StoredFields {
  readonly id: string;
  readonly timestamp: string;
  readonly eventType: string;
  readonly eventCategory: string;
  readonly description?: string;
  readonly actor?: { readonly id?: string };
}

async function exportedWhole(api: HttpApi, key: string, kept: ReadonlyMap<string, JsonNode>): Promise<void> {
  const lines = await api.call('GET', '/v1/events/export?format=ndjson&order=asc', { key });
  const exported = new Map(
    lines.text
      .trimEnd()
      .split('\n')
      .map((line): [string, unknown] => {
        const event = parseJson(line) as { id: string };
        return [event.id, event];
      }),
  );
  for (const [id, node] of kept) sameMeaning(node, exported.get(id), TEAM);
  const sheet = await api.call('GET', '/v1/events/export?format=csv&order=asc', { key });
  const [header, ...rows] = parseCsv(sheet.text);
  const place = header!.indexOf('id');
  const inSheet = new Set(rows.map((row) => row[place]!.replace(/^'/, '')));
  for (const row of rows) assert.equal(row.length, header!.length, `a row of the CSV has ${row.length} cells: ${row}`);
  for (const id of kept.keys()) assert(inSheet.has(id.replace(/^'/, '')), `${id} is not in the CSV`);
}

/** What every object and array inherits. */
function prototypes(): string[] {
  return [Object.prototype, Array.prototype, String.prototype, Function.prototype].flatMap((prototype) =>
    Reflect.ownKeys(prototype).map(String),
  );
}

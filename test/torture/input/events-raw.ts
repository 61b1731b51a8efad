import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { producerEvent } from '../../rig/events.ts';
import type { Random } from '../random.ts';
import type { Scenario, Size } from '../scenario.ts';
import { bombs, floods } from './bombs.ts';
import { converse, type RawAnswer } from './raw-socket.ts';
import { refusalOf } from './refusal.ts';
import { type Site, underAttack } from './rig.ts';

/** Every so many bytes of a body one truncation; so many random bodies. */
const CUT_EVERY = { short: 40, full: 3 };
const RANDOM_BODIES = { short: 60, full: 1_500 };
const NDJSON = 'application/x-ndjson';
const JSON_TYPE = 'application/json';

/** Bodies that are no events: cut, garbled, wrongly packed, wrongly framed. The good ones among them are kept. */
export const eventsRaw: Scenario = {
  name: 'input/events-raw',
  inShort: true,
  withinSeconds: 300,
  run: ({ size, random, say }) =>
    underAttack(async (site) => {
      const post = poster(site);
      let sent = 0;
      for (const part of [truncated, garbled, packed, framed])
        sent += await part(post, site, random.fork(part.name), size);
      sent += await bombs(site, size);
      if (size === 'full') sent += await floods(site, say);
      return sent;
    }, say),
};

interface Body {
  readonly bytes: Uint8Array | string;
  readonly type?: string;
  readonly encoding?: string;
}
type Post = (body: Body) => Promise<Judged>;

/** The answer: a refusal of the whole body, or what became of each line. */
interface Judged {
  readonly code: string | null;
  readonly taken: number;
  readonly rejected: readonly { readonly index: number; readonly code: string }[];
}

function poster({ service, key }: Site): Post {
  return async ({ bytes, type = NDJSON, encoding }) => {
    const answer = await fetch(`${service.url}/v1/events`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${key}`,
        'content-type': type,
        ...(encoding !== undefined && { 'content-encoding': encoding }),
      },
      body: Buffer.from(bytes),
      signal: AbortSignal.timeout(60_000),
    });
    return judged({
      ...{ status: answer.status, text: await answer.text() },
      contentType: answer.headers.get('content-type') ?? '',
      retryAfter: answer.headers.get('retry-after'),
    });
  };
}

function judged(answer: { status: number; contentType: string; text: string; retryAfter?: string | null }): Judged {
  const code = answer.status === 200 ? null : refusalOf(answer, 'a raw body');
  if (code !== null && code !== 'nothing_accepted') return { code, taken: 0, rejected: [] };
  const { accepted, duplicates, rejected } = JSON.parse(answer.text) as {
    accepted: number;
    duplicates: number;
    rejected: { index: number; code: string }[];
  };
  return { code, taken: accepted + duplicates, rejected };
}

/** A body cut at every place: the whole lines before it count, the line it ends in is rejected, an array is refused. */
async function truncated(post: Post, { kept }: Site, random: Random, size: Size): Promise<number> {
  const lines = [0, 1, 2].map((n) => JSON.stringify(producerEvent(n, 'cut')));
  const text = lines.join('\n');
  const array = `[${lines.join(',')}]`;
  const ends = lines.map((_, i) => lines.slice(0, i + 1).join('\n').length);
  let sent = 0;
  for (let at = random.between(1, CUT_EVERY[size]); at < text.length; at += CUT_EVERY[size]) {
    const whole = ends.filter((end) => end <= at).length;
    const hasRest = text.slice(0, at).split('\n').at(-1) !== '' && !ends.includes(at);
    const cut = await post({ bytes: text.slice(0, at) });
    assert.deepEqual([cut.taken, cut.rejected.length], [whole, hasRest ? 1 : 0], `cut at ${at}`);
    assert.equal((await post({ bytes: array.slice(0, at), type: JSON_TYPE })).code, 'invalid_body', `cut at ${at}`);
    const zipped = gzipSync(array);
    const place = Math.floor((at / text.length) * zipped.length);
    const broken = await post({ bytes: zipped.subarray(0, place), type: JSON_TYPE, encoding: 'gzip' });
    assert.equal(broken.code, 'invalid_body', `gzip cut at ${place}`);
    sent += 3;
  }
  for (const n of [0, 1, 2]) kept.add(`cut-${String(n).padStart(8, '0')}`);
  assert.equal((await post({ bytes: text })).taken, 3);
  return sent;
}

/** Random bytes, and good lines with random bytes in and between them: the good lines are taken. */
async function garbled(post: Post, { kept }: Site, random: Random, size: Size): Promise<number> {
  for (let n = 0; n < RANDOM_BODIES[size]; n++) {
    const good = JSON.stringify(producerEvent(n, 'beside'));
    const noise = random.bytes(random.between(0, 400));
    const ending = random.pick(['\n', '\r\n', '\n\n\n', '\n \t\r\n']);
    const body = Buffer.concat([
      ...(random.next() < 0.2 ? [Buffer.from('\ufeff')] : []),
      Buffer.from(good + ending),
      noise,
      Buffer.from(`\n${random.pick(['', '{', '[', 'null', '"x"', '{}', '\u0000', '\ud83d'])}\n${good}`),
    ]);
    const { taken, code } = await post({ bytes: body });
    assert(
      taken >= 2,
      `the good lines beside noise were answered ${code}, seen ${taken} times: ${body.toString('hex')}`,
    );
    kept.add(`beside-${String(n).padStart(8, '0')}`);
    const flipped = Buffer.from(good);
    for (let i = random.between(1, 5); i > 0; i--)
      flipped[random.between(0, flipped.length - 1)] = random.between(0, 255);
    await post({ bytes: flipped, type: random.pick([NDJSON, JSON_TYPE]) });
    const zipped = gzipSync(good);
    zipped[random.between(0, zipped.length - 1)]! ^= 1 << random.between(0, 7);
    await post({ bytes: zipped, encoding: 'gzip' });
    await post({ bytes: noise, type: random.pick([NDJSON, JSON_TYPE]), encoding: random.pick(['gzip', 'identity']) });
  }
  return 4 * RANDOM_BODIES[size];
}

/** Compressed in ways that are right, wrong, and not ours. */
async function packed(post: Post, { kept }: Site): Promise<number> {
  const line = (n: number): string => `${JSON.stringify(producerEvent(n, 'packed'))}\n`;
  const members = Buffer.concat([0, 1, 2].map((n) => gzipSync(line(n))));
  assert.equal((await post({ bytes: members, encoding: 'x-gzip' })).taken, 3);
  for (const n of [0, 1, 2]) kept.add(`packed-${String(n).padStart(8, '0')}`);
  const cases: readonly [Body, string | null][] = [
    [{ bytes: gzipSync(gzipSync(line(3))), encoding: 'gzip' }, 'nothing_accepted'],
    [{ bytes: gzipSync(line(3)) }, 'nothing_accepted'],
    [{ bytes: gzipSync(line(3)), type: JSON_TYPE }, 'invalid_body'],
    [{ bytes: '', encoding: 'gzip' }, 'invalid_body'],
    [{ bytes: gzipSync(''), encoding: 'gzip' }, 'invalid_body'],
    [{ bytes: line(3), encoding: 'gzip' }, 'invalid_body'],
    ...['br', 'deflate', 'gzip, gzip', 'zstd', 'identity, gzip', '*', 'x'.repeat(1000)].map(
      (encoding): [Body, string] => [{ bytes: gzipSync(line(3)), encoding }, 'unsupported_encoding'],
    ),
    ...['text/plain', 'application/xml', 'multipart/form-data; boundary=x', 'application/jsonx', '*/*'].map(
      (type): [Body, string] => [{ bytes: line(3), type }, 'unsupported_media_type'],
    ),
    [{ bytes: line(4), type: 'application/json; charset=utf-16' }, null],
    [{ bytes: line(5), type: 'Application/X-NDJSON; a=b' }, null],
    [{ bytes: `${JSON.stringify({ ...producerEvent(6), description: 'x'.repeat(300_000) })}\n` }, 'nothing_accepted'],
  ];
  for (const [body, code] of cases) {
    const answer = await post(body);
    assert.equal(answer.code, code, `${body.type} ${body.encoding} was answered ${answer.code}`);
  }
  for (const n of [4, 5]) kept.add(`packed-${String(n).padStart(8, '0')}`);
  return cases.length + 1;
}

/** Framed in ways that are right, wrong, and ambiguous, on connections of their own. */
async function framed(_: Post, { service, key, kept }: Site, random: Random): Promise<number> {
  const good = JSON.stringify(producerEvent(0, 'framed'));
  const head = (...more: string[]): string =>
    [
      'POST /v1/events HTTP/1.1',
      'host: x',
      `authorization: Bearer ${key}`,
      `content-type: ${JSON_TYPE}`,
      ...more,
      '',
      '',
    ].join('\r\n');
  const chunks: string[] = [];
  for (let at = 0; at < good.length; ) {
    const size = random.between(1, 40);
    const part = good.slice(at, at + size);
    chunks.push(`${Buffer.byteLength(part).toString(16).padStart(random.between(1, 6), '0')};ext="a;b"\r\n${part}\r\n`);
    at += size;
  }
  const length = Buffer.byteLength(good);
  const one = async (pieces: string[], options = {}): Promise<RawAnswer | undefined> =>
    (await converse(service.url, pieces, { answers: 1, withinMs: 20_000, ...options })).answers[0];
  const chunked = head('transfer-encoding: chunked', 'trailer: x-sum');
  const taken = [
    await one([chunked, ...chunks, '0\r\nx-sum: 1\r\nauthorization: Bearer other\r\n\r\n']),
    await one([head(`content-length: ${length}`), ...good.match(/.{1,7}/gsu)!]),
  ];
  for (const answer of taken) assert.equal(answer?.status, 200, answer?.body);
  kept.add('framed-00000000');
  const refused: readonly [string, string[], object][] = [
    ['a length below the body', [head('content-length: 5', 'connection: close'), good.slice(0, 5)], {}],
    ['no length at all', [head()], {}],
    ['a chunk size that is none', [chunked, 'zz\r\n{}\r\n0\r\n\r\n'], {}],
    ['a chunk longer than said', [chunked, `2\r\n${good}\r\n0\r\n\r\n`], {}],
    ['a negative length', [head('content-length: -1'), good], {}],
    ['a length that is no number', [head('content-length: 1e3'), good], {}],
    ['a length past all', [head('content-length: 99999999999'), good], {}],
    ['a length past any number', [head(`content-length: ${'9'.repeat(40)}`), good], {}],
    ['a body that ends too early', [head(`content-length: ${length + 1}`), good], { halfClose: true }],
    ['a chunk that ends too early', [chunked, chunks[0]!], { halfClose: true }],
  ];
  for (const [what, pieces, options] of refused) {
    const answer = await one(pieces, options);
    // A body that its sender ended too early need not be answered.
    if (answer === undefined && 'halfClose' in options) continue;
    assert(answer, `${what} was not answered`);
    const contentType = answer.headers.get('content-type') ?? '';
    refusalOf({ status: answer.status, contentType, text: answer.body }, what);
  }
  return taken.length + refused.length;
}

import assert from 'node:assert/strict';
import { producerEvent } from '../../rig/events.ts';
import type { Random } from '../random.ts';
import type { Scenario, Size } from '../scenario.ts';
import { crowds } from './crowds.ts';
import { type Conversation, converse, type RawAnswer } from './raw-socket.ts';
import { refusalOf } from './refusal.ts';
import { type Site, underAttack } from './rig.ts';

const GARBLED = { short: 100, full: 3_000 };
const PIPELINES = { short: 15, full: 100 };

/** HTTP as no client should speak it: answered by a clear refusal or a closed connection, and nobody else notices. */
export const httpRaw: Scenario = {
  name: 'input/http-raw',
  inShort: true,
  withinSeconds: 300,
  run: ({ size, random, say }) =>
    underAttack(async (site) => {
      let sent = 0;
      for (const part of [dialects, smuggled, pipelined, garbled])
        sent += await part(site, random.fork(part.name), size);
      return sent + (await crowds(site, size, say));
    }, say),
};

/** Forms of requests: what is served is served right, what is not is refused as documented. */
async function dialects({ service: { url }, key, kept }: Site): Promise<number> {
  const auth = `authorization: Bearer ${key}`;
  const event = JSON.stringify(producerEvent(0, 'dialect'));
  const post = (...more: string[]): string =>
    ['POST /v1/events HTTP/1.1', 'host: x', auth, 'content-type: application/json', ...more, '', ''].join('\r\n');
  const cases: readonly [name: string, text: string | string[], wanted: number | 'refused'][] = [
    ['an ordinary request', 'GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n', 200],
    ['absolute form', `GET http://evil.example/v1/events HTTP/1.1\r\nhost: x\r\n${auth}\r\n\r\n`, 200],
    ['absolute form without a key', 'GET http://evil.example/v1/events HTTP/1.1\r\nhost: x\r\n\r\n', 401],
    ['a path of two slashes', 'GET //v1//events HTTP/1.1\r\nhost: x\r\n\r\n', 404],
    ['dots in a path', `GET /healthz/../v1/events HTTP/1.1\r\nhost: x\r\n${auth}\r\n\r\n`, 404],
    ['HTTP/1.0', 'GET /healthz HTTP/1.0\r\n\r\n', 200],
    ['HTTP/0.9', 'GET /healthz\r\n\r\n', 200],
    ['HTTP/3.7', 'GET /healthz HTTP/3.7\r\nhost: x\r\n\r\n', 'refused'],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'refused'],
    ['a TLS client hello', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 'refused'],
    ['no host', 'GET /healthz HTTP/1.1\r\n\r\n', 'refused'],
    ['two hosts', 'GET /healthz HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n', 200],
    [
      'an upgrade to a web socket',
      'GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: eA==\r\nsec-websocket-version: 13\r\n\r\n',
      200,
    ],
    [
      'an upgrade to HTTP/2',
      'GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n\r\n',
      200,
    ],
    ['an unknown method', 'BREW /healthz HTTP/1.1\r\nhost: x\r\n\r\n', 'refused'],
    ['a method for another address', 'TRACE /healthz HTTP/1.1\r\nhost: x\r\n\r\n', 'refused'],
    ['a long address', `GET /${'a'.repeat(15_000)} HTTP/1.1\r\nhost: x\r\n\r\n`, 404],
    ['an address past all', `GET /${'a'.repeat(100_000)} HTTP/1.1\r\nhost: x\r\n\r\n`, 431],
    ['a header past all', `GET /healthz HTTP/1.1\r\nhost: x\r\nx: ${'a'.repeat(100_000)}\r\n\r\n`, 431],
    ['thousands of headers', `GET /healthz HTTP/1.1\r\nhost: x\r\n${'a:b\r\n'.repeat(5_000)}\r\n`, 431],
    ['a folded header', 'GET /healthz HTTP/1.1\r\nhost: x\r\nx: a\r\n b\r\n\r\n', 'refused'],
    ['a header without a name', 'GET /healthz HTTP/1.1\r\nhost: x\r\n: a\r\n\r\n', 'refused'],
    ['a header with a space', 'GET /healthz HTTP/1.1\r\nhost: x\r\nx : a\r\n\r\n', 'refused'],
    ['NUL in a header', 'GET /healthz HTTP/1.1\r\nhost: x\r\nx: a\0b\r\n\r\n', 'refused'],
    ['lone line feeds', 'GET /healthz HTTP/1.1\nhost: x\n\n', 'refused'],
    ['an expectation', [post('expect: 100-continue', `content-length: ${Buffer.byteLength(event)}`), event], 200],
    ['an expectation nobody knows', post('expect: a miracle', 'content-length: 0'), 'refused'],
    ['a key of another scheme', 'GET /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Basic eDp5\r\n\r\n', 401],
    ['an address that is not UTF-8', 'GET /v1/events/%ff%fe HTTP/1.1\r\nhost: x\r\n\r\n', 'refused'],
    ['an address cut in a character', 'GET /v1/events/%e HTTP/1.1\r\nhost: x\r\n\r\n', 'refused'],
    ['a proxy’s request', 'CONNECT evil.example:443 HTTP/1.1\r\nhost: evil.example:443\r\n\r\n', 'refused'],
    ['every address at once', 'OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n', 'refused'],
  ];
  for (const [name, text, wanted] of cases) {
    const said = await converse(url, [text].flat(), { answers: 1, withinMs: 20_000 });
    const [answer] = said.answers;
    if (wanted === 'refused') assert(answer || said.isClosed, `${name}: no answer, and the connection stays open`);
    else assert.equal(answer?.status, wanted, `${name}: ${answer?.body} ${said.rest}`);
    if (wanted === 'refused' && answer) isRefusal(answer, name);
  }
  const half = await converse(url, ['GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n'], { answers: 1, halfClose: true });
  assert.equal(half.answers[0]?.status, 200, 'a client that has ended its side is answered');
  kept.add('dialect-00000000');
  return cases.length + 1;
}

/** What a proxy before the service might take for other requests than the service: one request at most is seen in it. */
async function smuggled({ service: { url }, key }: Site): Promise<number> {
  const inner = `GET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n`;
  const start = `POST /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key}\r\ncontent-type: application/json\r\n`;
  const chunked = `2\r\n[]\r\n0\r\n\r\n`;
  const headers = [
    `content-length: ${Buffer.byteLength(chunked + inner)}\r\ntransfer-encoding: chunked`,
    `transfer-encoding: chunked\r\ncontent-length: 2`,
    'content-length: 2\r\ncontent-length: 100',
    'content-length: 2, 2',
    'content-length: 2\r\ncontent-length: 2',
    'content-length: +2',
    'content-length: 0x2',
    'content-length: 2 2',
    'content-length : 2',
    'transfer-encoding: xchunked',
    'transfer-encoding: chunked, identity',
    'transfer-encoding: identity, chunked, identity',
    'transfer-encoding:\tchunked\r\ntransfer-encoding: x',
    'transfer-encoding: chunked\r\ntransfer-encoding: identity',
    'transfer-encoding : chunked',
    'transfer-encoding: \x0bchunked',
    'x: y\rtransfer-encoding: chunked',
    'x: y\ntransfer-encoding: chunked\r\ncontent-length: 2',
    'transfer-encoding: chunked\r\n content-length: 2',
  ];
  for (const header of headers) {
    const text = `${start}${header}\r\n\r\n${chunked}${inner}`;
    const { answers } = await converse(url, [text], { halfClose: true, withinMs: 20_000 });
    assert(!answers.some(({ status }) => status === 404), `${JSON.stringify(header)} smuggles a request`);
    for (const answer of answers) isRefusal(answer, JSON.stringify(header));
  }
  // Chunks whose sizes are written in doubtful ways.
  for (const size of [
    '2 ',
    ' 2',
    '+2',
    '0x2',
    '2\n',
    '-2',
    '\t2',
    '2;\n',
    '00000000000000002',
    'ffffffffffffffff2',
    '2\r',
  ]) {
    const text = `${start}transfer-encoding: chunked\r\n\r\n${size}\r\n[]\r\n0\r\n\r\n`;
    const { answers } = await converse(url, [text], { halfClose: true, withinMs: 20_000 });
    assert(answers.length <= 1, `a chunk of size ${JSON.stringify(size)} is answered ${answers.length} times`);
    for (const answer of answers)
      if (answer.status !== 200) isRefusal(answer, `a chunk of size ${JSON.stringify(size)}`);
  }
  return headers.length + 11;
}

/** Requests sent without waiting: answers come in their order, each the right one, up to the one that is broken. */
async function pipelined({ service: { url }, key, kept }: Site, random: Random, size: Size): Promise<number> {
  for (let n = 0; n < PIPELINES[size]; n++) {
    const wanted: (number | string)[] = [];
    const pieces: string[] = [];
    for (let i = random.between(1, 20); i > 0; i--) {
      const id = `pipelined-${n}-${i}`;
      const event = JSON.stringify({ ...producerEvent(i), id });
      const post = `POST /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(event)}\r\n\r\n${event}`;
      const [text, answer] = random.pick([
        [post, id],
        [`GET /v1/events/${id}-no HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key}\r\n\r\n`, 404],
        ['GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n', 200],
        ['GET /v1/events HTTP/1.1\r\nhost: x\r\n\r\n', 401],
      ] as const);
      pieces.push(text);
      wanted.push(answer);
      if (answer === id) kept.add(id);
    }
    const isBroken = random.next() < 0.5;
    if (isBroken) pieces.push('BROKEN\r\n\r\n');
    const text = pieces.join('');
    const cut = random.between(1, text.length - 1);
    const said = await converse(url, random.pick([[text], [text.slice(0, cut), text.slice(cut)], pieces]), {
      ...(isBroken ? {} : { answers: wanted.length }),
      withinMs: 20_000,
    });
    inOrder(said, wanted, isBroken);
  }
  return PIPELINES[size];
}

function inOrder({ answers, isClosed }: Conversation, wanted: readonly (number | string)[], isBroken: boolean): void {
  const seen = answers.map(({ status }) => status);
  if (!isBroken) assert.equal(seen.length, wanted.length, `${seen} for ${wanted}`);
  for (const [i, want] of wanted.entries()) {
    const answer = answers[i];
    // The connection may end where the broken request was read; until then every answer is of its own request.
    if (!answer) {
      assert(isBroken && isClosed, `no answer to request ${i}`);
      return;
    }
    if (typeof want === 'number') assert.equal(answer.status, want, `request ${i} of ${wanted}: ${seen}`);
    else {
      assert.equal(answer.status, 200, `the event ${want} was answered ${answer.status}: ${answer.body} (${seen})`);
      assert.equal(JSON.parse(answer.body).accepted, 1, answer.body);
    }
  }
}

/** A valid request with some of its bytes changed, cut out or repeated. */
async function garbled({ service: { url }, key }: Site, random: Random, size: Size): Promise<number> {
  const valid = Buffer.from(
    `POST /v1/events?team=hostile HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key}\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n[]`,
  );
  const one = async (): Promise<void> => {
    let text = Buffer.from(valid);
    for (let i = random.between(1, 4); i > 0; i--) {
      const at = random.between(0, text.length - 1);
      const length = random.between(0, 5);
      const put = random.pick([
        random.bytes(length),
        Buffer.from(random.pick(['\r\n', '\0', ' ', ':', '\r', '\n', '%', '\u00ff'])),
      ]);
      text = Buffer.concat([text.subarray(0, at), put, text.subarray(random.pick([at, at + length]))]);
    }
    const said = await converse(url, [text], { halfClose: true, withinMs: 20_000 });
    assert(said.isClosed, `neither answered nor closed: ${text.toString('latin1')}`);
    for (const answer of said.answers)
      if (answer.status !== 200) isRefusal(answer, JSON.stringify(text.toString('latin1')));
  };
  for (let n = 0; n < GARBLED[size]; n += 10) await Promise.all(Array.from({ length: 10 }, one));
  return GARBLED[size];
}

function isRefusal({ status, headers, body }: RawAnswer, what: string): void {
  assert(status >= 400, `${what} was served: ${status} ${body}`);
  const contentType = headers.get('content-type') ?? '';
  refusalOf({ status, contentType, text: body, retryAfter: headers.get('retry-after') ?? null }, what);
}

import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import type { ScenarioContext, Tally } from '../scenario.ts';
import { unreachable } from './connect.ts';
import { type Act, answer, onRequest, pour } from './hostile-server.ts';
import { type Row, type Shown, scenarioOf } from './rows.ts';

/** Short enough to wait for, long enough for a loaded machine to send what it has. */
const LIMIT_MS = 2_000;
const MIB = 1024 * 1024;

const page = '<!doctype html><html><head><title>Sign in</title></head><body>Sign in to continue</body></html>';
const success = '{"text":"Success","code":0}';

function http(status: number | string, headers: readonly string[], body: string | Buffer = ''): Buffer {
  const head = [`HTTP/1.1 ${status} X`, `content-length: ${Buffer.byteLength(body)}`, ...headers].join('\r\n');
  return Buffer.concat([Buffer.from(`${head}\r\n\r\n`), Buffer.from(body)]);
}

/** Begins an answer, then sends the same piece again and again. */
function endless(start: string, piece: string | Buffer): Act {
  return onRequest((socket: Socket) => {
    socket.write(start);
    pour(socket, Buffer.from(piece));
  });
}

function notSplunk(said: string): Shown {
  return {
    state: 'misconfigured',
    cause: `Splunk's address answered ${said}`,
    fix: "Check host and port of the endpoint URL: a web page or a proxy answers there, not Splunk's API.",
  };
}

const noEnd = unreachable('the answer of {target} has no end');
const notHttp = unreachable('{target} did not answer in HTTP');
const cut = unreachable('{target} closed the connection in the middle of its answer');
const slow = unreachable(`{target} did not finish its answer within ${LIMIT_MS / 1000} s`);

/** Answers that anything but a SIEM may give: none is a delivery, none stays in memory, none ends a lane. */
const rows: readonly Row[] = [
  row('an answer in single bytes, without end', slow, dripped('HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n'), {
    answerTimeoutMs: LIMIT_MS,
  }),
  row('shorter than it said', cut, ending('HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\n{"text":"Success"')),
  row('chunked, without its end', cut, ending('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\n{"te\r\n')),
  row('a body without end', notSplunk('200'), endless('HTTP/1.1 200 OK\r\n\r\n', Buffer.alloc(65_536, 'x')), {
    mostTaken: 24 * MIB,
  }),
  row(
    'a body without end, in chunks of one byte',
    notSplunk('200'),
    endless('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n', '1\r\nx\r\n'.repeat(10_000)),
    { mostTaken: 24 * MIB },
  ),
  row('headers without end', tooLong(), endless('HTTP/1.1 200 OK\r\n', 'x-filler: yes\r\n'.repeat(1_000)), {
    mostTaken: 8 * MIB,
  }),
  row('one header without end', tooLong(), endless('HTTP/1.1 200 OK\r\nx-filler: ', Buffer.alloc(65_536, 'x')), {
    mostTaken: 8 * MIB,
  }),
  row(
    'one chunk extension without end',
    noEnd,
    endless('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;', Buffer.alloc(65_536, 'x')),
    {
      mostTaken: 24 * MIB,
    },
  ),
  row('a gzip bomb nobody asked for', notSplunk('200'), answer(http(200, ['content-encoding: gzip'], bomb(gzipSync)))),
  row(
    'a br bomb nobody asked for',
    notSplunk('200'),
    answer(http(200, ['content-encoding: br'], bomb(brotliCompressSync))),
  ),
  row(
    'success, packed though nobody asked',
    notSplunk('200'),
    answer(http(200, ['content-encoding: gzip'], gzipSync(success))),
  ),
  row(
    '100 again and again',
    unreachable('{target} closed the connection without an answer'),
    endless('', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(1_000)),
    {
      mostTaken: 8 * MIB,
    },
  ),
  row('103 again and again', noEnd, endless('', 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'.repeat(1_000)), {
    mostTaken: 24 * MIB,
  }),
  row(
    '101 to another protocol',
    unreachable('{target} closed the connection without an answer'),
    answer('HTTP/1.1 101 Switching\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n'),
  ),
  row(
    'success under the type of a web page',
    notSplunk('a web page (200)'),
    answer(http(200, ['content-type: text/html'], success)),
  ),
  row(
    'success in a type that is not JSON',
    notSplunk('200'),
    answer(http(200, ['content-type: application/json'], 'Success')),
  ),
  row('a login page', notSplunk('a web page (200)'), answer(http(200, ['content-type: text/html'], page))),
  row(
    'a redirect to another host',
    {
      state: 'misconfigured',
      cause: "Splunk's address answered 302",
      fix: "Redirects are not followed: enter the address of Splunk's API, not of its web page.",
    },
    answer(http(302, ['location: http://127.0.0.2:9/login'])),
  ),
  row('HTTP/0.9', notHttp, ending(page)),
  row(
    'the preface of HTTP/2',
    notHttp,
    ending(Buffer.from('000012040000000000000300000064000400100000000600004000', 'hex')),
  ),
  row('HTTP/2 by name', notHttp, ending('HTTP/2 200\r\n\r\n')),
  row('204 with a body', notSplunk('204'), answer(http(204, [], success))),
  row(
    '304 with a body',
    {
      state: 'misconfigured',
      cause: "Splunk's address answered 304",
      fix: "Redirects are not followed: enter the address of Splunk's API, not of its web page.",
    },
    answer(http(304, [], success)),
  ),
  row(
    'two lengths',
    unreachable("{target}'s answer is not as long as it says"),
    answer(`HTTP/1.1 200 OK\r\ncontent-length: 27\r\ncontent-length: 5\r\n\r\n${success}`),
  ),
  row(
    'a length and chunks',
    unreachable("{target}'s answer is not as long as it says"),
    answer(`HTTP/1.1 200 OK\r\ncontent-length: 27\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`),
  ),
  row(
    'a status beyond all',
    {
      state: 'retrying',
      cause: 'Splunk answered 999',
      fix: 'Nothing to do unless it lasts: delivery goes on by itself.',
    },
    answer(http(999, [], success)),
  ),
  row('no status', notHttp, answer('HTTP/1.1 \r\n\r\n')),
];

function row(name: string, shown: Shown, act: Act, more: Partial<Row> = {}): Row {
  return { name, shown, begin: ({ front }) => front.hostile(act), ...more };
}

function tooLong(): Shown {
  return unreachable("the headers of {target}'s answer are too long");
}

function bomb(pack: (bytes: Buffer) => Buffer): Buffer {
  return pack(Buffer.alloc(64 * MIB));
}

/** Sends these bytes and hangs up. */
function ending(bytes: string | Buffer): Act {
  return onRequest((socket) => void socket.end(bytes));
}

function dripped(start: string): Act {
  return onRequest((socket) => {
    socket.write(start);
    const timer = setInterval(() => socket.write('x'), 50);
    socket.on('close', () => clearInterval(timer));
  });
}

/** Most that memory may grow by while six answers without end arrive at once. */
const MOST_GROWTH = 400 * MIB;

const table = scenarioOf({ name: 'network/answer', inShort: true, withinSeconds: 180 }, () => rows);

/** Answers that are none. All that is kept of one is bounded, and so is the memory of all together. */
export const answers = {
  ...table,
  async run(context: ScenarioContext): Promise<Tally> {
    const before = process.memoryUsage.rss();
    let peak = before;
    const watch = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage.rss());
    }, 20);
    try {
      const tally = await table.run(context);
      const growth = peak - before;
      context.say(`memory grew by at most ${Math.round(growth / MIB)} MiB`);
      assert.ok(growth < MOST_GROWTH, `memory grew by ${Math.round(growth / MIB)} MiB`);
      return tally;
    } finally {
      clearInterval(watch);
    }
  },
};

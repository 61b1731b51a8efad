import assert from 'node:assert/strict';
import { connect } from 'node:net';
import type { Lookup } from '../../../src/outbound/connect.ts';
import { certificate } from './certificates.ts';
import { unreachable } from './connect.ts';
import { type Act, answer, relayTo } from './hostile-server.ts';
import { type Row, type Shown, scenarioOf, type World } from './rows.ts';
import { terminate } from './tls.ts';

const HOST = 'siem.example';
const PASSWORD = 'hush-hush';
const HERE: Lookup = async () => [{ address: '127.0.0.1', family: 4 }];

/** Opens every tunnel it is asked for; `inside` has what comes of it. */
function proxying(inside: (port: number) => Act = relayTo): Act {
  return (socket) => {
    let head = '';
    const onData = (chunk: Buffer): void => {
      head += chunk.toString('latin1');
      if (!head.includes('\r\n\r\n')) return;
      socket.off('data', onData);
      const [, host, port] = /^CONNECT ([\d.]+):(\d+) HTTP\/1\.1\r\n/.exec(head) ?? [];
      const credentials = Buffer.from(`ana:${PASSWORD}`).toString('base64');
      const isAllowed =
        host === '127.0.0.1' && head.toLowerCase().includes(`proxy-authorization: basic ${credentials.toLowerCase()}`);
      if (!isAllowed) return void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
      socket.write('HTTP/1.1 200 Connection established\r\nvia: 1.1 proxy\r\n\r\n');
      inside(Number(port))(socket);
    };
    socket.on('data', onData);
  };
}

/** Passes on what comes, until so many bytes went to the destination, counted from the start or from its first answer. */
function dyingAfter(bytes: number, from: 'start' | 'answer'): (port: number) => Act {
  return (port) => (socket) => {
    const inside = connect(port, '127.0.0.1');
    let sent = 0;
    let counts = from === 'start';
    const end = (): void => {
      inside.destroy();
      socket.destroy();
    };
    inside
      .on('error', end)
      .on('close', end)
      .on('data', (chunk) => {
        counts = true;
        socket.write(chunk);
      });
    socket.on('close', end).on('data', (chunk: Buffer) => {
      if (counts) sent += chunk.length;
      if (sent > bytes) end();
      else inside.write(chunk);
    });
  };
}

const REACH =
  /^Check that the proxy 127\.0\.0\.1:\d+ can reach siem\.example:\d+ and that HTTPS_PROXY names the right proxy\.$/;
const RUNS = 'Check that the proxy is running and that HTTPS_PROXY names it.';

function failing(cause: string | RegExp, fix: string | RegExp): Shown {
  return { state: 'disconnected', cause, fix };
}

async function rows(): Promise<readonly Row[]> {
  const { cert, private: key } = await certificate(HOST);
  const intercepting = await certificate(HOST);
  const row = (name: string, act: Act, shown?: Shown, more: Partial<Row> = {}): Row => ({
    ...{ name, host: HOST, scheme: 'https', tls: { certificate: cert, key }, lookup: HERE, ...(shown && { shown }) },
    passOn: () => proxying(),
    proxy: (front) => `http://ana:${PASSWORD}@${front}`,
    begin: ({ front }) => front.hostile(act),
    after: isSilentAboutPassword,
    ...more,
  });
  return [
    row('works', proxying()),
    row(
      'wants other credentials',
      answer('HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic\r\ncontent-length: 0\r\n\r\n'),
      {
        state: 'misconfigured',
        cause: 'the proxy {front} did not accept the user and password of HTTPS_PROXY (407)',
        fix: "Ask the operator to write the proxy's user and password into HTTPS_PROXY (http://user:password@host:port).",
      },
    ),
    row('does not allow it', answer('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n'), {
      state: 'misconfigured',
      cause: /^the proxy 127\.0\.0\.1:\d+ does not allow connections to siem\.example:\d+ \(403\)$/,
      fix: /^Let the proxy 127\.0\.0\.1:\d+ pass CONNECT to port \d+ of the address of siem\.example, or write siem\.example into NO_PROXY\.$/,
    }),
    row(
      'cannot reach the destination',
      answer('HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n'),
      failing(/^the proxy 127\.0\.0\.1:\d+ could not reach siem\.example:\d+ \(502\)$/, REACH),
    ),
    row(
      'hangs',
      (socket) => void socket.resume(),
      failing('the proxy {front} did not open the connection within 400 ms', REACH),
      { connectTimeoutMs: 400 },
    ),
    row('refuses', () => {}, failing('the proxy {front} refused the connection', RUNS), {
      begin: ({ front }) => front.refuse(),
    }),
    row(
      'closes',
      (socket) => void socket.once('data', () => socket.end()),
      failing('the proxy {front} closed the connection without an answer', RUNS),
    ),
    row(
      'answers garbage',
      (socket) => void socket.once('data', () => socket.end('SSH-2.0-OpenSSH_9.6\r\n')),
      failing('the proxy {front} did not answer in HTTP', RUNS),
    ),
    row(
      'answers more than it was asked',
      answer('HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'),
      failing('the proxy {front} did not answer in HTTP', RUNS),
    ),
    row(
      'dies in the handshake',
      proxying(dyingAfter(100, 'start')),
      unreachable(
        /^siem\.example:\d+ \(through the proxy 127\.0\.0\.1:\d+\) closed the connection in the TLS handshake$/,
      ),
    ),
    row(
      'dies in the middle of the request',
      proxying(dyingAfter(400, 'answer')),
      unreachable(/^siem\.example:\d+ \(through the proxy 127\.0\.0\.1:\d+\) closed the connection without an answer$/),
    ),
    row(
      'looks into the tunnel with a certificate of its own',
      proxying((port) => terminate(intercepting, relayTo(port))),
      {
        state: 'disconnected',
        cause: /^the certificate of siem\.example:\d+ \(through the proxy 127\.0\.0\.1:\d+\) is self-signed$/,
        fix: /^Paste the certificate of the authority/,
      },
    ),
  ];
}

async function isSilentAboutPassword({ rig }: World): Promise<void> {
  const said = JSON.stringify(await rig.everythingSaid());
  assert.ok(!said.includes(PASSWORD) && !said.includes(Buffer.from(PASSWORD).toString('base64')), said);
}

export const proxy = scenarioOf({ name: 'network/proxy', inShort: true }, rows);

import { once } from 'node:events';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer, type ServerOptions } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { generate } from 'selfsigned';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Lookup } from './connect.ts';
import { createOpenOutbound } from './open-outbound.ts';
import {
  type Answer,
  type Failure,
  LONGEST_ANSWER,
  type Outbound,
  type OutboundOptions,
  type OutboundRequest,
} from './outbound.ts';

const never = new AbortController().signal;
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

/** An outbound that may reach loopback over http, unless told otherwise. */
function open(options: Partial<OutboundOptions> = {}, lookup?: Lookup): Outbound {
  const { network = 'any', allowHttp = true, ...rest } = options;
  const outbound = createOpenOutbound({ network, allowHttp }, lookup)(rest);
  closing.push(() => outbound.close());
  return outbound;
}

function post(
  outbound: Outbound,
  url: string,
  signal = never,
  body: OutboundRequest['body'] = 'hello',
): Promise<Answer | Failure> {
  return outbound.request({ method: 'POST', url, headers: {}, body }, signal);
}

async function listen(server: Server): Promise<string> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket.on('error', () => {}).on('close', () => sockets.delete(socket)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(async () => {
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const serve = async (listener: RequestListener): Promise<string> =>
  `http://${await listen(createHttpServer(listener))}`;
const serveTls = async (options: ServerOptions): Promise<string> =>
  `https://${await listen(createHttpsServer(options, (_request, response) => response.end('secure')))}`;
/** A server that says nothing by itself. */
const serveTcp = async (onSocket: (socket: Socket) => void): Promise<string> =>
  `http://${await listen(createTcpServer(onSocket))}`;

describe('the connections of an outbound', () => {
  it('are as few as there are requests at once, whatever became of those before', async () => {
    const sockets = new Set<Socket>();
    const url = await serve((request, response) => {
      sockets.add(request.socket);
      if (request.url === '/hang') response.write('the beginning');
      else if (request.url === '/long') response.end('x'.repeat(300 * 1024));
      else response.end('fine');
    });
    const outbound = open();
    const answered = async (path: string, signal = never): Promise<unknown> => {
      const answer = await post(outbound, `${url}${path}`, signal);
      return answer.kind === 'answer' ? answer.status : answer.code;
    };
    const socketsOf = async (work: () => Promise<unknown>): Promise<number> => {
      sockets.clear();
      await work();
      return sockets.size;
    };
    const allAtOnce = async (): Promise<void> => {
      const answers = await Promise.all(Array.from({ length: 20 }, () => answered('/')));
      expect(answers).toEqual(Array(20).fill(200));
    };
    const oneByOne = async (): Promise<void> => {
      for (let again = 0; again < 20; again++) expect(await answered('/')).toBe(200);
    };
    expect(await answered('/hang', AbortSignal.timeout(50))).toBe('ABORT_ERR');
    expect(await answered('/', AbortSignal.abort())).toBe('ABORT_ERR');
    expect(await answered('/long')).toBe(200);
    expect(await socketsOf(oneByOne)).toBe(1);
    expect(await socketsOf(allAtOnce)).toBe(8);
    expect(await socketsOf(oneByOne)).toBe(1);
  });

  it('end with it: a request that comes later fails', async () => {
    const url = await serve((_request, response) => response.end('fine'));
    const outbound = open();
    await outbound.close();
    expect(await post(outbound, url)).toMatchObject({ kind: 'failure', uncertain: false });
  });
});

describe('a request', () => {
  it('brings back status, headers, cookies and body', async () => {
    const url = await serve((request, response) => {
      response.writeHead(201, { 'X-Answer': 'yes', 'Set-Cookie': ['a=1', 'b=2'] });
      request.pipe(response);
    });
    expect(await post(open(), `${url}/path?query=1`)).toMatchObject({
      kind: 'answer',
      status: 201,
      headers: { 'x-answer': 'yes' },
      setCookies: ['a=1', 'b=2'],
      body: 'hello',
      bodyCut: false,
    });
  });

  it('announces an empty body, for servers that wait for one otherwise', async () => {
    const url = await serve((request, response) => response.end(request.headers['content-length']));
    expect(await post(open(), url, never, '')).toMatchObject({ body: '0' });
  });

  it('asks for no coding, so that a small answer cannot unpack into a large one', async () => {
    const url = await serve((request, response) => response.end(request.headers['accept-encoding']));
    expect(await post(open(), url)).toMatchObject({ body: 'identity' });
  });

  it('follows no redirect', async () => {
    const paths: unknown[] = [];
    const url = await serve((request, response) => {
      paths.push(request.url);
      response.writeHead(302, { location: '/login' }).end();
    });
    expect(await post(open(), `${url}/events`)).toMatchObject({ status: 302, headers: { location: '/login' } });
    expect(paths).toEqual(['/events']);
  });

  it('keeps only the beginning of an answer that is too long and hangs up on the rest', async () => {
    const { promise: hungUp, resolve } = Promise.withResolvers<void>();
    const url = await serve((_request, response) => {
      const chunk = Buffer.alloc(256 * 1024, 'x');
      const fill = (): void => {
        while (response.write(chunk));
      };
      response.on('drain', fill).on('close', resolve);
      fill();
    });
    const answer = await post(open(), url);
    if (answer.kind === 'failure') throw new Error(answer.reason);
    expect(answer.bodyCut).toBe(true);
    expect(answer.body.length).toBe(64 * 1024);
    await hungUp;
  });

  it('reads as much of an answer as the request expects', async () => {
    const url = await serve((_request, response) => response.end('x'.repeat(300 * 1024)));
    const outbound = open();
    expect(await post(outbound, url)).toMatchObject({ bodyCut: true });
    const request = { method: 'POST', url, headers: {}, longestAnswer: 1024 * 1024 } as const;
    const answer = await outbound.request(request, new AbortController().signal);
    expect(answer).toMatchObject({ bodyCut: false, body: 'x'.repeat(300 * 1024) });
  });

  it.each([
    ['chunks of a byte', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n', '1\r\nx\r\n'.repeat(10_000)],
    ['an extension of a chunk', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;', 'x'.repeat(65_536)],
    ['interim answers', '', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(1_000)],
  ])('reads no more than 16 MiB of an answer, whatever carries it: %s', async (_what, start, piece) => {
    const { promise: hungUp, resolve } = Promise.withResolvers<number>();
    const url = await serveTcp((socket) => {
      const fill = (): void => {
        while (!socket.destroyed && socket.write(piece));
      };
      socket.once('data', () => {
        socket.write(start);
        fill();
      });
      socket.on('drain', fill).on('close', () => resolve(socket.bytesWritten));
    });
    const request = { method: 'POST', url, headers: {}, longestAnswer: LONGEST_ANSWER } as const;
    expect(await open().request(request, new AbortController().signal)).toMatchObject({
      kind: 'failure',
      uncertain: true,
      code: 'ANSWER_TOO_LONG',
      reason: expect.stringMatching(/^the answer of 127\.0\.0\.1:\d+ has no end$/),
    });
    expect(await hungUp).toBeLessThan(32 * 1024 * 1024);
  });

  it('uses at most eight connections, and each again', async () => {
    const sockets = new Set<Socket>();
    const url = await serve((request, response) => {
      sockets.add(request.socket);
      request.resume().on('end', () => response.end('ok'));
    });
    const outbound = open();
    await Promise.all(Array.from({ length: 50 }, () => post(outbound, url)));
    expect(sockets.size).toBeLessThanOrEqual(8);
  });
});

describe('a failure', () => {
  it('names a refused connection, after which nothing can have been taken', async () => {
    const address = await listen(createTcpServer());
    await closing.pop()?.();
    expect(await post(open(), `http://${address}`)).toEqual({
      kind: 'failure',
      stage: 'connect',
      blocked: false,
      uncertain: false,
      code: 'ECONNREFUSED',
      reason: `${address} refused the connection`,
    });
  });

  it('names a host that does not exist', async () => {
    const lookup: Lookup = async () => {
      throw Object.assign(new Error('no such host'), { code: 'ENOTFOUND' });
    };
    expect(await post(open({}, lookup), 'http://siem.example:8088')).toMatchObject({
      stage: 'address',
      blocked: false,
      uncertain: false,
      code: 'ENOTFOUND',
      reason: 'the host name of siem.example:8088 does not exist',
    });
  });

  it('is uncertain after a reset in the middle of the body', async () => {
    const url = await serveTcp((socket) => socket.once('data', () => socket.resetAndDestroy()));
    const failure = await post(open(), url, never, Buffer.alloc(4 * 1024 * 1024));
    expect(failure).toMatchObject({ stage: 'send', uncertain: true, blocked: false });
  });

  it('is uncertain when the connection closes in the middle of the answer', async () => {
    const url = await serveTcp((socket) =>
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf')),
    );
    expect(await post(open(), url)).toMatchObject({ stage: 'answer', uncertain: true });
  });

  it('is uncertain when a kept connection turns out to be closed', async () => {
    let requests = 0;
    const url = await serveTcp((socket) =>
      socket.on('data', () => {
        if (++requests === 1) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
        else socket.resetAndDestroy();
      }),
    );
    const outbound = open();
    expect(await post(outbound, url)).toMatchObject({ status: 200 });
    expect(await post(outbound, url)).toMatchObject({ kind: 'failure', uncertain: true });
  });

  it('ends a wait for an answer that never comes', async () => {
    const url = await serveTcp((socket) => socket.resume());
    expect(await post(open({ answerTimeoutMs: 100 }), url)).toMatchObject({
      stage: 'send',
      uncertain: true,
      code: 'TIMEOUT',
      reason: expect.stringMatching(/^127\.0\.0\.1:\d+ did not answer within 100 ms$/),
    });
  });

  it.each([
    ['head', 'HTTP/1.1 200 OK\r\nx-filler: '],
    ['body', 'HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n'],
  ])('ends a slow drip of the %s, however small its pauses', async (_part, start) => {
    const url = await serveTcp((socket) => {
      socket.once('data', () => {
        socket.write(start);
        const drip = setInterval(() => socket.write('x'), 20);
        socket.on('close', () => clearInterval(drip));
      });
    });
    expect(await post(open({ answerTimeoutMs: 200 }), url)).toMatchObject({ code: 'TIMEOUT', uncertain: true });
  });

  it('says that an answer was no HTTP', async () => {
    const url = await serveTcp((socket) => socket.once('data', () => socket.end('SSH-2.0-OpenSSH_9.6\r\n')));
    expect(await post(open(), url)).toMatchObject({ reason: expect.stringContaining('did not answer in HTTP') });
  });

  it('comes at once when the caller stops waiting', async () => {
    const { promise: arrived, resolve } = Promise.withResolvers<unknown>();
    const url = await serveTcp((socket) => socket.once('data', resolve));
    const stop = new AbortController();
    const request = post(open(), url, stop.signal);
    await arrived;
    stop.abort();
    expect(await request).toMatchObject({ kind: 'failure', uncertain: true, code: 'ABORT_ERR' });
  });

  it('is certain when the caller stops before anything was sent', async () => {
    const lookup: Lookup = () => new Promise(() => {});
    const stop = new AbortController();
    const outbound = open({}, lookup);
    const request = post(outbound, 'http://siem.example', stop.signal);
    stop.abort();
    expect(await request).toMatchObject({ uncertain: false, code: 'ABORT_ERR' });
    expect(await post(outbound, 'http://siem.example', stop.signal)).toMatchObject({ code: 'ABORT_ERR' });
  });

  it('ends a name that cannot be resolved in time', async () => {
    const outbound = open({ connectTimeoutMs: 50 }, () => new Promise(() => {}));
    expect(await post(outbound, 'http://siem.example')).toMatchObject({
      stage: 'address',
      uncertain: false,
      reason: 'siem.example:80 could not be resolved within 50 ms',
    });
  });

  it('is all that a closed outbound gives, and its connections are gone', async () => {
    const { promise: gone, resolve } = Promise.withResolvers<void>();
    const url = await serve((request, response) => {
      request.socket.on('close', resolve);
      response.end('ok');
    });
    const outbound = open();
    await post(outbound, url);
    await outbound.close();
    await gone;
    expect(await post(outbound, url)).toMatchObject({ kind: 'failure', uncertain: false });
  });
});

describe('the guard', () => {
  it.each([
    ...['127.0.0.1', '127.1', '0x7f.1', '0x7f000001', '2130706433', '0177.0.0.1', '127.0.0.1.'],
    ...[
      '[::1]',
      '[::ffff:127.0.0.1]',
      '[0:0:0:0:0:ffff:7f00:1]',
      '[64:ff9b::127.0.0.1]',
      '[::127.0.0.1]',
      '0',
      '0.0.0.0',
    ],
    ...['10.0.0.1', '169.254.169.254', '168.63.129.16', '[fd00:ec2::254]', '100.100.100.200', '①②⑦.0.0.1'],
  ])('refuses the literal %s before it connects', async (host) => {
    const failure = await post(open({ network: 'public' }), `http://${host}:9/`);
    expect(failure).toMatchObject({ stage: 'address', blocked: true, uncertain: false, code: 'BLOCKED_ADDRESS' });
    expect(await open({ network: 'public' }).probe(`http://${host}:9/`, never)).toEqual(failure);
  });

  it('refuses a name when any of its addresses is refused', async () => {
    const lookup: Lookup = async () => [
      { address: '8.8.8.8', family: 4 },
      { address: '10.0.0.7', family: 4 },
    ];
    expect(await post(open({ network: 'public' }, lookup), 'http://siem.example')).toMatchObject({
      blocked: true,
      reason: expect.stringContaining('siem.example resolves to 10.0.0.7'),
    });
  });

  it.each(['169.254.169.254', '168.63.129.16', 'fd00:ec2::254', 'fe80::1', '0.0.0.0'])(
    'refuses a name that resolves to %s under every policy',
    async (address) => {
      const lookup: Lookup = async () => [{ address, family: address.includes(':') ? 6 : 4 }];
      expect(await post(open({}, lookup), 'http://siem.example')).toMatchObject({ blocked: true, uncertain: false });
    },
  );

  it('connects to the very address it checked, whatever the name resolves to next', async () => {
    const url = await serve((_request, response) => response.end('checked'));
    const answers = [[{ address: '127.0.0.1', family: 4 }], [{ address: '169.254.169.254', family: 4 }]];
    let asked = 0;
    const outbound = open({}, async () => answers[asked++] ?? []);
    const rebound = `http://rebound.example:${new URL(url).port}`;
    expect(await post(outbound, rebound)).toMatchObject({ kind: 'answer', body: 'checked' });
    expect(asked).toBe(1);
    expect(await outbound.probe(rebound, never)).toMatchObject({ blocked: true });
  });

  it('refuses what is not https, unless allowed, and credentials in the URL', async () => {
    const strict = open({ allowHttp: false });
    expect(await post(strict, 'http://siem.example')).toMatchObject({ blocked: true, code: 'BLOCKED_PROTOCOL' });
    for (const url of ['ftp://siem.example', 'file:///etc/passwd', 'javascript:alert(1)'])
      expect(await post(open(), url)).toMatchObject({ blocked: true, code: 'BLOCKED_PROTOCOL' });
    const withCredentials = await post(open(), 'https://user:hunter2@siem.example');
    expect(withCredentials).toMatchObject({ blocked: true, code: 'BLOCKED_CREDENTIALS' });
    expect(JSON.stringify(withCredentials)).not.toContain('hunter2');
    expect(await post(open(), 'no url')).toMatchObject({ blocked: true, code: 'BLOCKED_URL' });
  });
});

describe('TLS', () => {
  const day = 86_400_000;
  let authority: Pems;
  let server: Pems;
  let client: Pems;
  beforeAll(async () => {
    authority = await certificate('Test authority', { isAuthority: true });
    server = await certificate('127.0.0.1', { authority });
    client = await certificate('trailproof', { authority });
  });

  it('trusts no unknown authority', async () => {
    const url = await serveTls({ cert: server.cert, key: server.private });
    expect(await post(open(), url)).toMatchObject({
      stage: 'tls',
      uncertain: false,
      code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      reason: expect.stringContaining('not trusted here'),
    });
  });

  it('trusts the authority of the destination', async () => {
    const url = await serveTls({ cert: server.cert, key: server.private });
    expect(await post(open({ caCertificate: authority.cert }), url)).toMatchObject({ kind: 'answer', body: 'secure' });
  });

  it('refuses a certificate for another host', async () => {
    const other = await certificate('siem.example', { authority });
    const url = await serveTls({ cert: other.cert, key: other.private });
    const failure = await post(open({ caCertificate: authority.cert }), url);
    expect(failure).toMatchObject({ stage: 'tls', code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
  });

  it.each([
    ['has expired', -10 * day, -day, 'CERT_HAS_EXPIRED'],
    ['is not valid yet', day, 10 * day, 'CERT_NOT_YET_VALID'],
  ])('refuses a certificate that %s', async (words, from, to, code) => {
    const now = Date.now();
    const wrong = await certificate('127.0.0.1', { authority, from: new Date(now + from), to: new Date(now + to) });
    const url = await serveTls({ cert: wrong.cert, key: wrong.private });
    const failure = await post(open({ caCertificate: authority.cert }), url);
    expect(failure).toMatchObject({ stage: 'tls', code, reason: expect.stringContaining(words) });
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'shows the client certificate that the server demands (%s)',
    async (version) => {
      const url = await serveTls({
        cert: server.cert,
        key: server.private,
        ca: authority.cert,
        requestCert: true,
        rejectUnauthorized: true,
        minVersion: version,
        maxVersion: version,
      });
      // Node's own servers hang up without saying why, in TLS 1.3 only after the request.
      expect(await post(open({ caCertificate: authority.cert }), url)).toMatchObject({ kind: 'failure' });
      const shown = open({ caCertificate: authority.cert, clientCertificate: client.cert, clientKey: client.private });
      expect(await post(shown, url)).toMatchObject({ kind: 'answer', body: 'secure' });
    },
  );

  it('speaks no TLS older than 1.2', async () => {
    const url = await serveTls({
      cert: server.cert,
      key: server.private,
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    });
    expect(await post(open({ caCertificate: authority.cert }), url)).toMatchObject({ kind: 'failure', stage: 'tls' });
  });

  it('says that a port does not speak TLS', async () => {
    const url = await serve((_request, response) => response.end());
    const failure = await post(open(), url.replace('http:', 'https:'));
    expect(failure).toMatchObject({ stage: 'tls', reason: expect.stringContaining('does not speak TLS') });
  });

  it('ends a handshake that hangs', async () => {
    const url = await serveTcp((socket) => socket.resume());
    const failure = await post(open({ connectTimeoutMs: 100 }), url.replace('http:', 'https:'));
    expect(failure).toMatchObject({ stage: 'tls', code: 'TIMEOUT', uncertain: false });
  });

  it('reports certificates of its own that cannot be used', async () => {
    const url = await serveTls({ cert: server.cert, key: server.private });
    const failure = await post(open({ clientCertificate: client.cert, clientKey: server.private }), url);
    expect(failure).toMatchObject({ stage: 'tls', reason: expect.stringContaining('cannot be used') });
  });

  it('is described by a probe, which sends nothing', async () => {
    const url = await serveTls({ cert: server.cert, key: server.private });
    const probe = await open({ caCertificate: authority.cert }).probe(url, never);
    expect(probe).toMatchObject({
      address: { ip: '127.0.0.1' },
      tls: { issuer: 'Test authority', protocol: 'TLSv1.3' },
    });
    if (!('kind' in probe)) expect(probe.tls?.validTo).toBeGreaterThan(Date.now());
    expect(await open().probe(await serve(() => {}), never)).not.toHaveProperty('tls');
  });
});

interface Pems {
  readonly cert: string;
  readonly private: string;
}

async function certificate(
  name: string,
  options: { readonly authority?: Pems; readonly isAuthority?: boolean; readonly from?: Date; readonly to?: Date },
): Promise<Pems> {
  const { authority, isAuthority = false, from, to } = options;
  return generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    ...(from && { notBeforeDate: from }),
    ...(to && { notAfterDate: to }),
    ...(authority && { ca: { cert: authority.cert, key: authority.private } }),
    extensions: isAuthority
      ? [
          { name: 'basicConstraints', cA: true },
          { name: 'keyUsage', keyCertSign: true, digitalSignature: true },
        ]
      : [
          { name: 'basicConstraints', cA: false },
          {
            name: 'subjectAltName',
            altNames: [name === '127.0.0.1' ? { type: 7, ip: name } : { type: 2, value: name }],
          },
        ],
  });
}

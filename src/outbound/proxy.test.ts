import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, connect, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { generate } from 'selfsigned';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../secrets.ts';
import type { Lookup } from './connect.ts';
import { createOpenOutbound } from './open-outbound.ts';
import type { Answer, Failure, Outbound } from './outbound.ts';
import { type Proxies, proxyFor } from './proxy.ts';

const never = new AbortController().signal;
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

let siem: { cert: string; private: string };
beforeAll(async () => {
  siem = await generate([{ name: 'commonName', value: 'siem.example' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'siem.example' }] }],
  });
});

const LOOPBACK: Lookup = async () => [{ address: '127.0.0.1', family: 4 }];

function open(proxy: string, options: { lookup?: Lookup; network?: 'public' | 'any'; connectTimeoutMs?: number } = {}) {
  const { lookup = LOOPBACK, network = 'any', ...rest } = options;
  const proxies: Proxies = { https: new Secret(proxy), http: new Secret(proxy), except: [] };
  const outbound = createOpenOutbound(
    { network, allowHttp: true, proxies },
    lookup,
  )({
    caCertificate: siem.cert,
    ...rest,
  });
  closing.push(() => outbound.close());
  return outbound;
}

const post = (outbound: Outbound, url: string): Promise<Answer | Failure> =>
  outbound.request({ method: 'POST', url, headers: {}, body: 'hello' }, never);

async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket.on('error', () => {})));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(async () => {
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  });
  return (server.address() as AddressInfo).port;
}

interface Asked {
  readonly to: string;
  readonly authorization: string | undefined;
}

/** A forward proxy that opens every tunnel. */
async function proxyServer(isTls = false): Promise<{ readonly port: number; readonly asked: Asked[] }> {
  const asked: Asked[] = [];
  const server = isTls ? createHttpsServer({ cert: siem.cert, key: siem.private }) : createHttpServer();
  server.on('connect', ({ url, headers }, socket: Socket) => {
    asked.push({ to: url ?? '', authorization: headers['proxy-authorization'] });
    const [, host, port] = /^(.*):(\d+)$/.exec(url ?? '') ?? [];
    const inside = connect(Number(port), host, () => socket.write('HTTP/1.1 200 Connection established\r\n\r\n'));
    inside.on('error', () => socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n')).on('close', () => socket.destroy());
    socket.on('error', () => inside.destroy()).on('close', () => inside.destroy());
    socket.pipe(inside).pipe(socket);
  });
  return { port: await listen(server), asked };
}

const siemServer = (): Promise<number> =>
  listen(createHttpsServer({ cert: siem.cert, key: siem.private }, (_request, response) => response.end('secure')));

/** A proxy that answers every request with these bytes. */
const answering = (bytes: string): Promise<number> =>
  listen(createTcpServer((socket) => socket.once('data', () => socket.end(bytes))));

describe('through a proxy', () => {
  it('TLS goes end to end, to the address that was checked, with the credentials of the URL', async () => {
    const [port, proxy] = [await siemServer(), await proxyServer()];
    const outbound = open(`http://ana:p%40ss@127.0.0.1:${proxy.port}`);
    expect(await post(outbound, `https://siem.example:${port}`)).toMatchObject({ kind: 'answer', body: 'secure' });
    const authorization = `Basic ${Buffer.from('ana:p@ss').toString('base64')}`;
    expect(proxy.asked).toEqual([{ to: `127.0.0.1:${port}`, authorization }]);
  });

  it('a probe names the proxy', async () => {
    const [port, proxy] = [await siemServer(), await proxyServer()];
    expect(await open(`http://127.0.0.1:${proxy.port}`).probe(`https://siem.example:${port}`, never)).toMatchObject({
      address: { ip: '127.0.0.1', via: `127.0.0.1:${proxy.port}` },
      tls: { issuer: 'siem.example' },
    });
  });

  it('plain http goes through a tunnel too', async () => {
    const port = await listen(createHttpServer((_request, response) => response.end('plain')));
    const proxy = await proxyServer();
    const outbound = open(`http://127.0.0.1:${proxy.port}`);
    expect(await post(outbound, `http://siem.example:${port}`)).toMatchObject({ body: 'plain' });
    expect(proxy.asked).toHaveLength(1);
  });

  it('the certificate is still that of the destination', async () => {
    const [port, proxy] = [await siemServer(), await proxyServer()];
    expect(await post(open(`http://127.0.0.1:${proxy.port}`), `https://other.example:${port}`)).toMatchObject({
      stage: 'tls',
      reason: `the certificate of other.example:${port} (through the proxy 127.0.0.1:${proxy.port}) is for another host name`,
    });
  });

  it('a proxy whose own certificate is not trusted is told from the destination', async () => {
    const proxy = await proxyServer(true);
    expect(await post(open(`https://127.0.0.1:${proxy.port}`), 'https://siem.example')).toMatchObject({
      stage: 'proxy',
      reason: `the certificate of the proxy 127.0.0.1:${proxy.port} is self-signed`,
    });
    expect(proxy.asked).toEqual([]);
  });

  it.each(['169.254.169.254', '10.0.0.7', '127.0.0.1'])('refuses a name that resolves to %s here', async (address) => {
    const proxy = await proxyServer();
    const outbound = open(`http://127.0.0.1:${proxy.port}`, {
      network: 'public',
      lookup: async () => [{ address, family: 4 }],
    });
    expect(await post(outbound, 'https://siem.example')).toMatchObject({ blocked: true, code: 'BLOCKED_ADDRESS' });
    expect(proxy.asked).toEqual([]);
  });

  it('the next address is tried when the proxy cannot reach the first', async () => {
    const [port, proxy] = [await siemServer(), await proxyServer()];
    const lookup: Lookup = async () => [
      { address: '127.0.0.9', family: 4 },
      { address: '127.0.0.1', family: 4 },
    ];
    const outbound = open(`http://127.0.0.1:${proxy.port}`, { lookup });
    expect(await post(outbound, `https://siem.example:${port}`)).toMatchObject({ body: 'secure' });
    expect(proxy.asked.map(({ to }) => to)).toEqual([`127.0.0.9:${port}`, `127.0.0.1:${port}`]);
  });
});

describe('a proxy that fails', () => {
  it.each([
    ['HTTP/1.1 407 Proxy Authentication Required\r\n\r\n', 'PROXY_407', 'asks for a user and password (407)'],
    ['HTTP/1.1 403 Forbidden\r\n\r\n', 'PROXY_403', 'does not allow connections to siem.example:443 (403)'],
    ['HTTP/1.1 502 Bad Gateway\r\n\r\n', 'PROXY_502', 'could not reach siem.example:443 (502)'],
    ['SSH-2.0-OpenSSH_9.6\r\n', 'HPE_INVALID_CONSTANT', 'did not answer in HTTP'],
    ['HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\n', 'HPE_UNEXPECTED', 'did not answer in HTTP'],
    ['', 'ECONNRESET', 'closed the connection without an answer'],
  ])('with %j is told by its name', async (bytes, code, words) => {
    const port = await answering(bytes);
    expect(await post(open(`http://127.0.0.1:${port}`), 'https://siem.example')).toMatchObject({
      stage: 'proxy',
      blocked: false,
      uncertain: false,
      code,
      reason: `the proxy 127.0.0.1:${port} ${words}`,
      fix: expect.stringContaining('proxy'),
    });
  });

  it('never shows its credentials', async () => {
    const port = await answering('HTTP/1.1 407 No\r\n\r\n');
    const failure = await post(open(`http://ana:hush@127.0.0.1:${port}`), 'https://siem.example');
    expect(failure).toMatchObject({ reason: expect.stringContaining('did not accept the user and password') });
    expect(JSON.stringify(failure)).not.toMatch(/ana|hush/);
  });

  it('is not waited for without end', async () => {
    const port = await listen(createTcpServer((socket) => socket.resume()));
    const outbound = open(`http://127.0.0.1:${port}`, { connectTimeoutMs: 100 });
    expect(await post(outbound, 'https://siem.example')).toMatchObject({
      code: 'TIMEOUT',
      reason: `the proxy 127.0.0.1:${port} did not open the connection within 100 ms`,
    });
  });
});

describe('which proxy', () => {
  const proxies = (except: string[]): Proxies => ({ https: new Secret('http://proxy:3128'), http: null, except });

  it.each([
    ['https://siem.example', 'siem.example'],
    ['https://a.siem.example', 'siem.example'],
    ['https://a.siem.example', '.siem.example'],
    ['https://a.siem.example', '*.siem.example'],
    ['https://SIEM.example:8088', 'siem.EXAMPLE:8088'],
    ['https://10.1.2.3', '10.0.0.0/8'],
    ['https://10.1.2.3', '10.1.2.3'],
    ['https://[fd00::1]', 'fd00::/8'],
    ['https://[fd00::1]:8088', '[fd00::1]:8088'],
    ['https://siem.example', '*'],
  ])('%s needs none with NO_PROXY=%s', (url, except) => {
    expect(proxyFor(new URL(url), proxies([except]))).toBeNull();
  });

  it.each([
    ['https://other-siem.example', 'siem.example'],
    ['https://siem.example:8088', 'siem.example:443'],
    ['https://11.1.2.3', '10.0.0.0/8'],
    ['https://[fd00::1]', '10.0.0.0/8'],
  ])('%s needs one with NO_PROXY=%s', (url, except) => {
    expect(proxyFor(new URL(url), proxies([except]))).toMatchObject({ host: 'proxy', port: 3128, authorization: null });
  });

  it.each(['https://127.0.0.1:8088', 'https://localhost', 'https://[::1]:9', 'http://siem.example'])(
    '%s is reached directly',
    (url) => expect(proxyFor(new URL(url), proxies([]))).toBeNull(),
  );
});

import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import ipaddr from 'ipaddr.js';
import { Secret } from '../secrets.ts';

/** Not imported: see http/problem.ts. */
const { request } = process.getBuiltinModule('node:http');

/** The operator's proxies, as the environment names them. */
export interface Proxies {
  /** For https:// destinations: HTTPS_PROXY. */
  readonly https: Secret | null;
  /** For http:// destinations: HTTP_PROXY. */
  readonly http: Secret | null;
  /** Reached directly: NO_PROXY. */
  readonly except: readonly string[];
}

export interface ForwardProxy {
  /** The variable it comes from, for the operator. */
  readonly variable: 'HTTPS_PROXY' | 'HTTP_PROXY';
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  /** Value of `Proxy-Authorization`. */
  readonly authorization: Secret | null;
}

/** The proxy did not open the tunnel. */
export class ProxyRefusal extends Error {
  readonly status: number;
  constructor(status: number) {
    super(`the proxy answered ${status}`);
    this.status = status;
  }
}

/**
 * The proxy for a destination; null: it is reached directly. What a proxy would reach is its own machine when the
 * destination is written as this one, so that goes past it.
 */
export function proxyFor({ protocol, hostname, port }: URL, proxies: Proxies): ForwardProxy | null {
  const isHttps = protocol === 'https:';
  const given = isHttps ? proxies.https : proxies.http;
  const host = hostname.replace(/^\[|\]$/g, '').toLowerCase();
  if (given === null || isHere(host)) return null;
  const at = Number(port) || (isHttps ? 443 : 80);
  if (proxies.except.some((exception) => isExcepted(exception.toLowerCase(), host, at))) return null;
  const url = new URL(given.reveal());
  const isTls = url.protocol === 'https:';
  const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return {
    variable: isHttps ? 'HTTPS_PROXY' : 'HTTP_PROXY',
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port) || (isTls ? 443 : 80),
    isTls,
    authorization:
      url.username || url.password ? new Secret(`Basic ${Buffer.from(credentials).toString('base64')}`) : null,
  };
}

/** Host and port, as messages name it. */
export function nameOf({ host, port }: Pick<ForwardProxy, 'host' | 'port'>): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** A connection to the proxy itself. Rejects with the socket's error. */
export async function connectToProxy({ host, port, isTls }: ForwardProxy, signal: AbortSignal): Promise<Socket> {
  const socket = isTls
    ? connectTls({ host, port, ...(isIP(host) ? {} : { servername: host }), minVersion: 'TLSv1.2' })
    : connectTcp({ host, port });
  try {
    socket.on('error', () => {});
    await once(socket, isTls ? 'secureConnect' : 'connect', { signal });
    return socket.setNoDelay(true).setKeepAlive(true, 30_000);
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/**
 * Asks the proxy for a tunnel to an address (RFC 9110 §9.3.6). Rejects with ProxyRefusal or the error of the
 * connection, which is closed then.
 */
export async function openTunnel(
  socket: Socket,
  proxy: ForwardProxy,
  to: { readonly address: string; readonly port: number },
  signal: AbortSignal,
): Promise<void> {
  const authority = nameOf({ host: to.address, port: to.port });
  const asking = request({
    method: 'CONNECT',
    path: authority,
    headers: {
      host: authority,
      'user-agent': 'trailproof',
      ...(proxy.authorization && { 'proxy-authorization': proxy.authorization.reveal() }),
    },
    createConnection: () => socket,
    maxHeaderSize: 16_384,
  });
  asking.on('error', () => {});
  asking.end();
  try {
    const [answer, , early] = (await once(asking, 'connect', { signal })) as [IncomingMessage, Socket, Buffer];
    const status = answer.statusCode ?? 0;
    if (status < 200 || status > 299) throw new ProxyRefusal(status);
    // In both protocols we speak first: what comes before is no destination's answer.
    if (early.length > 0) throw Object.assign(new Error('data before the first request'), { code: 'HPE_UNEXPECTED' });
  } catch (error) {
    socket.destroy();
    asking.destroy();
    throw error;
  }
}

function isHere(host: string): boolean {
  if (host === 'localhost' || host.endsWith('.localhost')) return true;
  return isIP(host) !== 0 && ipaddr.process(host).range() === 'loopback';
}

/** `*`, a host with all below it (with or without a dot before it), an address or a range; each with or without a port. */
function isExcepted(exception: string, host: string, port: number): boolean {
  if (exception === '*') return true;
  const [, name = exception, only] = /^(\[[^\]]+\]|[^:]+):(\d+)$/.exec(exception) ?? [];
  if (only !== undefined && Number(only) !== port) return false;
  const bare = name.replace(/^\[|\]$/g, '');
  if (isIP(host) === 0) {
    const domain = bare.replace(/^\*?\./, '');
    return domain !== '' && (host === domain || host.endsWith(`.${domain}`));
  }
  const address = ipaddr.process(host);
  if (ipaddr.isValid(bare)) return ipaddr.process(bare).toString() === address.toString();
  if (!ipaddr.isValidCIDR(bare)) return false;
  const range = ipaddr.parseCIDR(bare);
  return range[0].kind() === address.kind() && address.match(range);
}

import { lookup as resolveHost } from 'node:dns/promises';
import { once } from 'node:events';
import { connect as connectTcp, isIP, type LookupFunction, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import {
  connect as connectTls,
  createSecureContext,
  getCACertificates,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';
import { isAllowedAddress, policyFor } from './address-guard.ts';
import type { Failure, OutboundOptions } from './outbound.ts';
import {
  connectToProxy,
  type ForwardProxy,
  nameOf,
  openTunnel,
  type Proxies,
  ProxyRefusal,
  proxyFor,
} from './proxy.ts';
import { proxyFailure } from './proxy-failure.ts';
import { reasonOf } from './reason.ts';

/** All addresses of a host name, as `dns.promises.lookup` with `all` gives them. */
export type Lookup = (host: string) => Promise<readonly { readonly address: string; readonly family: number }[]>;

export interface ConnectOptions extends OutboundOptions {
  readonly connectTimeoutMs: number;
  readonly lookup: Lookup;
  readonly proxies: Proxies;
  /** Built by `trustOf`, once per Outbound: parsing all certificate authorities takes milliseconds. */
  readonly trust: () => SecureContext;
}

/** An open connection, and how long its parts took. */
export interface Connection {
  readonly socket: Socket | TLSSocket;
  readonly ip: string;
  /** Host and port of the proxy between. */
  readonly via: string | undefined;
  /** Resolving and TCP, with a proxy also its tunnel. */
  readonly connectMs: number;
  readonly tlsMs: number;
}

/** Thrown through undici, caught in `open-outbound.ts`: no request can have been sent. */
export class ConnectFailure extends Error {
  readonly failure: Failure;
  constructor(failure: Omit<Failure, 'kind' | 'uncertain'>) {
    super(failure.reason);
    this.failure = { kind: 'failure', uncertain: false, ...failure };
  }
}

export const systemLookup: Lookup = (host) => resolveHost(host, { all: true, verbatim: true });

/** Refuses, before anything is resolved, what no answer of the DNS could make acceptable. */
export function refusalOf(url: URL, options: Pick<OutboundOptions, 'allowHttp' | 'network'>): Failure | undefined {
  const blocked = (reason: string, code: string): Failure =>
    new ConnectFailure({ stage: 'address', blocked: true, reason, code }).failure;
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && options.allowHttp))
    return blocked(`the URL begins with ${url.protocol}// instead of https://`, 'BLOCKED_PROTOCOL');
  if (url.username || url.password) return blocked('the URL contains a user name or password', 'BLOCKED_CREDENTIALS');
  // WHATWG URLs have already turned every spelling of an IPv4 address (0x7f.1, 2130706433) into four decimals.
  const host = bareHost(url.hostname);
  return isIP(host) !== 0 && !isAllowedAddress(host, options.network)
    ? blocked(blockedWords(host, [host]), 'BLOCKED_ADDRESS')
    : undefined;
}

/**
 * Resolves the host once, checks every address, connects to one of the checked ones (itself or through the operator's
 * proxy) and shakes hands. Rejects with ConnectFailure. `url` has passed `refusalOf`.
 *
 * A proxy is asked for the checked address, not for the name: it might resolve the name to another one.
 */
export async function connect(url: URL, options: ConnectOptions, signal: AbortSignal): Promise<Connection> {
  const host = bareHost(url.hostname);
  const isTls = url.protocol === 'https:';
  const port = Number(url.port) || (isTls ? 443 : 80);
  const proxy = proxyFor(url, options.proxies);
  const target = targetOf(url, proxy);
  const deadline = AbortSignal.timeout(options.connectTimeoutMs);
  const ended = AbortSignal.any([signal, deadline]);
  const startedAt = performance.now();
  let stage: Failure['stage'] = 'address';
  let socket: Socket | undefined;
  try {
    const addresses = isIP(host) ? [] : await checkedAddresses(host, options, ended);
    stage = proxy ? 'proxy' : 'connect';
    const tunnel = proxy && (await tunnelTo(isIP(host) ? [host] : addresses.map((a) => a.address), port, proxy, ended));
    const lookup: LookupFunction = (_host, _options, answer) => answer(null, [...addresses]);
    socket = tunnel?.socket;
    const way = tunnel ? { socket: tunnel.socket } : { port, lookup };
    socket = isTls
      ? connectTls({
          host,
          ...way,
          ...(isIP(host) ? {} : { servername: host }),
          secureContext: options.trust(),
          ALPNProtocols: ['http/1.1'],
        })
      : (socket ?? connectTcp({ host, port, lookup }));
    // Keeps an error between two waits, or before undici takes the socket over, from ending the process.
    socket.on('error', () => {});
    socket.setNoDelay(true).setKeepAlive(true, 30_000);
    if (!tunnel) await once(socket, 'connect', { signal: ended });
    const connectedAt = performance.now();
    stage = 'tls';
    if (isTls) await once(socket, 'secureConnect', { signal: ended });
    return {
      socket,
      ip: tunnel?.address ?? socket.remoteAddress ?? host,
      via: proxy ? nameOf(proxy) : undefined,
      connectMs: connectedAt - startedAt,
      tlsMs: performance.now() - connectedAt,
    };
  } catch (error) {
    socket?.destroy();
    if (error instanceof ConnectFailure) throw error;
    const code = deadline.aborted && !signal.aborted ? 'TIMEOUT' : codeOf(error);
    const timeoutMs = options.connectTimeoutMs;
    if (proxy && stage === 'proxy')
      throw new ConnectFailure(proxyFailure(error, code, { proxy, url, port, timeoutMs }));
    throw new ConnectFailure({ stage, blocked: false, code, reason: reasonOf(code, { target, stage, timeoutMs }) });
  }
}

/** Host and port of a destination, and of the proxy on the way, as messages name them. */
export function targetOf(url: URL, proxy: ForwardProxy | null): string {
  const target = `${url.hostname}:${url.port || (url.protocol === 'https:' ? 443 : 80)}`;
  return proxy ? `${target} (through the proxy ${nameOf(proxy)})` : target;
}

/** A tunnel to the first of the addresses that the proxy reaches. */
async function tunnelTo(
  [address, ...others]: readonly string[],
  port: number,
  proxy: ForwardProxy,
  signal: AbortSignal,
): Promise<{ readonly socket: Socket; readonly address: string }> {
  const socket = await connectToProxy(proxy, signal);
  try {
    await openTunnel(socket, proxy, { address: address!, port }, signal);
    return { socket, address: address! };
  } catch (error) {
    const isUnreached = error instanceof ProxyRefusal && error.status >= 500;
    if (isUnreached && others.length > 0) return tunnelTo(others, port, proxy, signal);
    throw error;
  }
}

/**
 * The certificate authorities and client certificate of one destination: the built-in authorities (with those of
 * NODE_EXTRA_CA_CERTS) stay trusted beside its own. Throws ConnectFailure for PEM that cannot be read.
 */
export function trustOf(options: OutboundOptions): () => SecureContext {
  let context: SecureContext | undefined;
  return () => {
    try {
      context ??= createSecureContext({
        minVersion: 'TLSv1.2',
        ...(options.caCertificate && { ca: [...getCACertificates('default'), options.caCertificate] }),
        ...(options.clientCertificate && { cert: options.clientCertificate }),
        ...(options.clientKey && { key: options.clientKey }),
      });
      return context;
    } catch (error) {
      const code = codeOf(error);
      const reason = 'the CA certificate, client certificate or client key of this destination cannot be used';
      throw new ConnectFailure({ stage: 'tls', blocked: false, code, reason });
    }
  };
}

/** The error's code, or its name; of several addresses that failed, the first one's. */
export function codeOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  if (!(error instanceof Error)) return 'UNKNOWN';
  return 'code' in error && error.code !== undefined ? String(error.code) : error.name;
}

async function checkedAddresses(host: string, options: ConnectOptions, signal: AbortSignal) {
  const addresses = await Promise.race([options.lookup(host), aborted(signal)]);
  if (addresses.length === 0) throw Object.assign(new Error('no address'), { code: 'ENODATA' });
  const refused = addresses.filter(({ address }) => !isAllowedAddress(address, options.network));
  if (refused.length > 0) {
    const reason = blockedWords(
      host,
      refused.map(({ address }) => address),
    );
    throw new ConnectFailure({ stage: 'address', blocked: true, reason, code: 'BLOCKED_ADDRESS' });
  }
  return addresses;
}

async function aborted(signal: AbortSignal): Promise<never> {
  if (!signal.aborted) await once(signal, 'abort');
  throw Object.assign(new Error('aborted'), { code: 'ABORT_ERR' });
}

function blockedWords(host: string, addresses: readonly string[]): string {
  const named = isIP(host) ? host : `${host} resolves to ${addresses.join(', ')}, which`;
  const policy = addresses.length === 1 ? policyFor(addresses[0]!) : undefined;
  return policy
    ? `${named} is not a public address; the operator allows such addresses with DESTINATION_NETWORK=${policy}`
    : `${named} is an address that destinations may not have`;
}

function bareHost(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '');
}

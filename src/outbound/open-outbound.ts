import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Dispatcher } from 'undici';
import {
  ConnectFailure,
  type ConnectOptions,
  codeOf,
  connect,
  type Lookup,
  refusalOf,
  systemLookup,
  targetOf,
  trustOf,
} from './connect.ts';
import { Connections } from './connections.ts';
import {
  type Answer,
  type Failure,
  LONGEST_ANSWER,
  type NetworkPolicy,
  type OpenOutbound,
  type Outbound,
  type OutboundOptions,
  type OutboundRequest,
  type Probe,
} from './outbound.ts';
import { type Proxies, proxyFor } from './proxy.ts';
import { reasonOf } from './reason.ts';

const CONNECT_TIMEOUT_MS = 10_000;
const ANSWER_TIMEOUT_MS = 60_000;
/** Idle connections are closed before the servers' and balancers' usual limits, so that few requests meet a closed one. */
const KEEP_ALIVE_MS = 15_000;
/** Longest answer read unless the request expects more; what is cut here is an abuse. */
const USUAL_ANSWER = 256 * 1024;
/** What is kept of an answer that was cut: it is not read as JSON, only its beginning is looked at. */
const KEPT_OF_CUT = 64 * 1024;
/** Most bytes read of an answer with all that carries it: interim answers and the marks of chunks may be without end. */
const MOST_READ = 2 * LONGEST_ANSWER;

const NO_PROXIES: Proxies = { https: null, http: null, except: [] };

/** Opens outbounds under the operator's rules. `lookup` resolves host names; the system's resolver unless given. */
export function createOpenOutbound(
  rules: { readonly network: NetworkPolicy; readonly allowHttp: boolean; readonly proxies?: Proxies },
  lookup: Lookup = systemLookup,
): OpenOutbound {
  const { proxies = NO_PROXIES, ...allowed } = rules;
  return (options) => openOutbound({ ...allowed, ...options }, proxies, lookup);
}

function openOutbound(given: OutboundOptions, proxies: Proxies, lookup: Lookup): Outbound {
  const options: ConnectOptions = {
    ...given,
    proxies,
    connectTimeoutMs: given.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
    lookup,
    trust: trustOf(given),
  };
  const answerTimeoutMs = given.answerTimeoutMs ?? ANSWER_TIMEOUT_MS;
  const closing = new AbortController();
  /** The TLS alert with which the server last refused us; undici reports only that the connection was closed. */
  let alert: string | undefined;
  const connections = new Connections({
    pipelining: 1,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connect: ({ protocol, hostname, port }, done) => {
      const host = hostname.includes(':') ? `[${hostname}]` : hostname;
      const url = new URL(`${protocol}//${host}${port ? `:${port}` : ''}`);
      connect(url, options, closing.signal).then(
        ({ socket }) => {
          alert = undefined;
          socket.on('error', (error) => {
            if (isCertificateAlert(codeOf(error))) alert = codeOf(error);
          });
          limitAnswers(socket);
          done(null, socket);
        },
        (error: Error) => done(error, null),
      );
    },
  });
  return {
    async request(request, signal) {
      const url = URL.parse(request.url);
      if (!url) return notAUrl(request.url);
      const exchanged = { url, target: targetOf(url, proxyFor(url, proxies)), timeoutMs: answerTimeoutMs };
      return refusalOf(url, options) ?? exchange(connections, exchanged, request, signal, () => alert);
    },
    async probe(text, signal) {
      const url = URL.parse(text);
      if (!url) return notAUrl(text);
      return refusalOf(url, options) ?? probe(url, options, AbortSignal.any([signal, closing.signal]));
    },
    async close() {
      closing.abort();
      await connections.close();
    },
  };
}

/**
 * One request and its answer. undici's `dispatch` rather than `request`: it alone tells when the first byte is about to
 * be written, and so whether the receiver may have taken anything.
 */
function exchange(
  connections: Connections,
  { url, target, timeoutMs }: { readonly url: URL; readonly target: string; readonly timeoutMs: number },
  { method, headers, body, longestAnswer = USUAL_ANSWER }: OutboundRequest,
  signal: AbortSignal,
  alertOf: () => string | undefined,
): Promise<Answer | Failure> {
  const { promise, resolve } = Promise.withResolvers<Answer | Failure>();
  let stage: Failure['stage'] = 'connect';
  let controller: Dispatcher.DispatchController | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  const end = (result: Answer | Failure): void => {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
    resolve(result);
  };
  const fail = (closedCode: string): void => {
    const code = (closedCode === 'UND_ERR_SOCKET' && alertOf()) || closedCode;
    // The server's refusal of our certificate arrives, in TLS 1.3, only after the request was written; nothing was read.
    if (isCertificateAlert(code)) stage = 'tls';
    const uncertain = stage === 'send' || stage === 'answer';
    end({
      kind: 'failure',
      stage,
      blocked: false,
      uncertain,
      code,
      reason: reasonOf(code, { target, stage, timeoutMs }),
    });
  };
  const stop = (code: string): void => {
    stopped = true;
    fail(code);
    controller?.abort(new Error(code));
  };
  const abort = (): void => stop('ABORT_ERR');
  const limit = (): void => {
    clearTimeout(timer);
    timer = setTimeout(stop, timeoutMs, 'TIMEOUT');
  };

  if (signal.aborted) {
    abort();
    return promise;
  }
  signal.addEventListener('abort', abort, { once: true });
  const received = new GrowingBytes();
  let status = 0;
  let answerHeaders: Pick<Answer, 'headers' | 'setCookies'> = { headers: {}, setCookies: [] };
  const answer = (bodyCut: boolean): Answer => ({
    kind: 'answer',
    status,
    ...answerHeaders,
    body: received.toString(bodyCut ? KEPT_OF_CUT : longestAnswer),
    bodyCut,
  });
  const connection = connections.take(url.origin);
  connection.client.dispatch(
    {
      path: url.pathname + url.search,
      method,
      // Unasked, a server may choose any coding (RFC 9110 §12.5.3), and an answer is not unpacked: no gzip bombs.
      headers: { 'user-agent': 'trailproof', 'accept-encoding': 'identity', ...headers },
      body: body ?? null,
      headersTimeout: 0,
      bodyTimeout: 0,
    },
    {
      onRequestStart(started) {
        controller = started;
        if (stopped) return started.abort(new Error('stopped while connecting'));
        stage = 'send';
        limit();
      },
      onResponseStart(_controller, code, received) {
        if (code < 200) return;
        stage = 'answer';
        status = code;
        answerHeaders = readHeaders(received);
        // The whole rest of the answer has this long: a slow drip ends, however small its pauses.
        limit();
      },
      onResponseData(_controller, chunk) {
        received.add(chunk);
        if (received.length <= longestAnswer) return;
        end(answer(true));
        controller?.abort(new Error('the answer is too long'));
      },
      onResponseEnd() {
        connection.requests -= 1;
        end(answer(false));
      },
      onResponseError(_controller, error) {
        connection.requests -= 1;
        if (error instanceof ConnectFailure) end(error.failure);
        else fail(codeOf(error));
      },
    },
  );
  return promise;
}

/** Bytes in one piece of memory: kept as they come, chunks of one byte would take a hundred times their length. */
class GrowingBytes {
  length = 0;
  #bytes = Buffer.alloc(0);

  add(chunk: Buffer): void {
    const length = this.length + chunk.length;
    if (length > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(length, 2 * this.#bytes.length));
      this.#bytes.copy(larger, 0, 0, this.length);
      this.#bytes = larger;
    }
    chunk.copy(this.#bytes, this.length);
    this.length = length;
  }

  toString(most: number): string {
    return this.#bytes.toString('utf8', 0, Math.min(this.length, most));
  }
}

/** Ends a connection on which an answer brings more than any answer has. What we write last is the request it answers. */
function limitAnswers(socket: Socket): void {
  let written = -1;
  let readBefore = 0;
  socket.on('readable', () => {
    if (socket.bytesWritten !== written) {
      written = socket.bytesWritten;
      readBefore = socket.bytesRead;
    }
    if (socket.bytesRead - readBefore > MOST_READ)
      socket.destroy(Object.assign(new Error('the answer has no end'), { code: 'ANSWER_TOO_LONG' }));
  });
}

/** Alerts about our certificate (RFC 8446 §6.2), which end a handshake; others may strike in the middle of a request. */
function isCertificateAlert(code: string): boolean {
  return /_ALERT_.*(CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED|HANDSHAKE_FAILURE)/.test(code);
}

async function probe(url: URL, options: ConnectOptions, signal: AbortSignal): Promise<Probe | Failure> {
  try {
    const { socket, ip, via, connectMs, tlsMs } = await connect(url, options, signal);
    const address = { ip, ...(via !== undefined && { via }), ms: Math.round(connectMs) };
    // A plain connection may run through a proxy that speaks TLS: its certificate is not the destination's.
    const isTls = url.protocol === 'https:' && socket instanceof TLSSocket;
    const tls = isTls ? { ...describeTls(socket), ms: Math.round(tlsMs) } : undefined;
    socket.destroy();
    return tls ? { address, tls } : { address };
  } catch (error) {
    if (error instanceof ConnectFailure) return error.failure;
    throw error;
  }
}

function describeTls(socket: TLSSocket): Omit<NonNullable<Probe['tls']>, 'ms'> {
  const { issuer, valid_to } = socket.getPeerCertificate();
  const name = issuer.O ?? issuer.CN ?? 'unknown';
  return {
    validTo: Date.parse(valid_to),
    issuer: Array.isArray(name) ? name.join(', ') : name,
    protocol: socket.getProtocol() ?? 'unknown',
  };
}

function readHeaders(received: Readonly<Record<string, string | string[] | undefined>>) {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(received))
    if (value !== undefined && name !== 'set-cookie') headers[name] = Array.isArray(value) ? value.join(', ') : value;
  const cookies = received['set-cookie'];
  return { headers, setCookies: cookies === undefined ? [] : [cookies].flat() };
}

function notAUrl(text: string): Failure {
  const reason = text === '' ? 'there is no URL' : 'the URL cannot be read';
  return { kind: 'failure', stage: 'address', blocked: true, uncertain: false, reason, code: 'BLOCKED_URL' };
}

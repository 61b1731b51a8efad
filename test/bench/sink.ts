import { once } from 'node:events';
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { type AddressInfo, createServer as createPlain } from 'node:net';
import { parentPort, Worker, workerData } from 'node:worker_threads';
import { gunzipSync } from 'node:zlib';
import { certificate } from '../../src/sandbox.ts';

/** A Splunk that takes everything at next to no cost: bodies are kept as they came and counted when nothing is measured. */
export interface Sink {
  readonly url: string;
  /** PEM to trust, with TLS. */
  readonly caCertificate: string | undefined;
  /** What arrived since the last call, counted in the bodies themselves: each event ends one `"event":{…}`. */
  take(): Promise<Taken>;
  /** When something arrived last, milliseconds since the epoch; 0: nothing did. */
  lastArrival(): Promise<number>;
  close(): Promise<void>;
}

export interface Taken {
  readonly requests: number;
  readonly events: number;
  /** As sent, compressed. */
  readonly bytes: number;
  /** When each event arrived whose id was sent with it, milliseconds since the epoch; only when asked for. */
  readonly arrivals: ReadonlyMap<string, number>;
}

export interface SinkOptions {
  readonly tls?: boolean;
  /** Remember when each event arrived. */
  readonly arrivals?: boolean;
  /** Lines over TCP instead of HTTP, each an event: for a program that speaks nothing better. */
  readonly isPlain?: boolean;
}

interface SinkData extends SinkOptions {
  readonly certificate: { readonly cert: string; readonly private: string } | null;
}

/** In a thread of its own: it shall not make the producers wait, nor they it. */
export async function startSink(options: SinkOptions = {}): Promise<Sink> {
  const pems = options.tls ? await certificate('127.0.0.1') : null;
  const worker = new Worker(new URL(import.meta.url), {
    workerData: { ...options, certificate: pems } satisfies SinkData,
  });
  const answer = async <T>(): Promise<T> => {
    const [message] = await once(worker, 'message');
    return message as T;
  };
  const port = await answer<number>();
  return {
    url: `http${options.tls ? 's' : ''}://127.0.0.1:${port}`,
    caCertificate: pems?.cert,
    take: () => {
      const taken = answer<Taken>();
      worker.postMessage('take');
      return taken;
    },
    lastArrival: () => {
      const last = answer<number>();
      worker.postMessage('last');
      return last;
    },
    close: async () => {
      await worker.terminate();
    },
  };
}

function serve({ certificate, arrivals: isTimed, isPlain }: SinkData): void {
  let bodies: { readonly at: number; readonly chunks: readonly Buffer[] }[] = [];
  let last = 0;
  const keep = (chunks: readonly Buffer[]): void => {
    last = Date.now();
    bodies.push({ at: last, chunks });
  };
  const respond = (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      keep(chunks);
      response.end('{"text":"Success","code":0}');
    });
  };
  const server = isPlain
    ? createPlain((socket) => void socket.on('data', (chunk) => keep([chunk])).on('error', () => {}))
    : certificate
      ? createHttps({ cert: certificate.cert, key: certificate.private }, respond)
      : createHttp(respond);
  server.listen(0, '127.0.0.1', () => parentPort!.postMessage((server.address() as AddressInfo).port));
  parentPort!.on('message', (asked: 'take' | 'last') => {
    if (asked === 'last') return parentPort!.postMessage(last);
    const taken = bodies;
    bodies = [];
    let [events, bytes] = [0, 0];
    const arrivals = new Map<string, number>();
    for (const { at, chunks } of taken) {
      const body = Buffer.concat(chunks);
      bytes += body.length;
      if (isPlain) {
        for (let end = body.indexOf(10); end !== -1; end = body.indexOf(10, end + 1)) events++;
        continue;
      }
      const text = (body[0] === 0x1f ? gunzipSync(body) : body).toString('latin1');
      for (const [, id] of text.matchAll(
        /"event":\{"timestamp":"[^"]*",(?:"sequence":\d+,"receivedAt":"[^"]*",)?"id":"([^"]*)"/g,
      )) {
        events++;
        if (isTimed) arrivals.set(id!, at);
      }
    }
    parentPort!.postMessage({ requests: taken.length, events, bytes, arrivals } satisfies Taken);
  });
}

if (parentPort) serve(workerData as SinkData);

import { connect, type Socket } from 'node:net';

/** One answer as it came over the wire. */
export interface RawAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

export interface Conversation {
  readonly answers: readonly RawAnswer[];
  /** The server ended the connection. */
  readonly isClosed: boolean;
  /** What came and is no whole answer. */
  readonly rest: string;
  readonly ms: number;
}

export interface RawOptions {
  /** Ends as soon as so many answers are there. Absent: when the server closes the connection. */
  readonly answers?: number;
  readonly withinMs?: number;
  /** Sends FIN after the last piece. */
  readonly halfClose?: boolean;
  /** Answers to HEAD have no body. */
  readonly isHead?: boolean;
}

const DEFAULT_WITHIN_MS = 30_000;

/** Writes the pieces to a connection of its own, as they are, and reads answers until enough, closed, or time is over. */
export function converse(
  url: string,
  pieces: readonly (string | Uint8Array)[],
  { answers: wanted, withinMs = DEFAULT_WITHIN_MS, halfClose = false, isHead = false }: RawOptions = {},
): Promise<Conversation> {
  const started = performance.now();
  const socket = openSocket(url);
  return new Promise((resolve) => {
    let read = Buffer.alloc(0);
    const end = (isClosed: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      const { answers, rest } = parseAnswers(read, isHead, isClosed);
      resolve({ answers, isClosed, rest: rest.toString('latin1'), ms: performance.now() - started });
    };
    const timer = setTimeout(() => end(false), withinMs);
    socket.on('data', (data) => {
      read = Buffer.concat([read, data]);
      if (wanted !== undefined && parseAnswers(read, isHead, false).answers.length >= wanted) end(false);
    });
    // A reset is an end like any other.
    socket.on('error', () => {});
    // The other side is done, also where ours is still open.
    socket.on('end', () => end(true)).on('close', () => end(true));
    socket.on('connect', () => {
      for (const piece of pieces) socket.write(piece);
      if (halfClose) socket.end();
    });
  });
}

export function openSocket(url: string): Socket {
  const { hostname, port } = new URL(url);
  return connect({ host: hostname, port: Number(port), allowHalfOpen: true, noDelay: true });
}

function parseAnswers(read: Buffer, isHead: boolean, isClosed: boolean): { answers: RawAnswer[]; rest: Buffer } {
  const answers: RawAnswer[] = [];
  let rest = read;
  for (;;) {
    const next = parseAnswer(rest, isHead, isClosed);
    if (!next) return { answers, rest };
    // 100 Continue is no answer yet.
    if (next.answer.status >= 200) answers.push(next.answer);
    rest = next.rest;
  }
}

function parseAnswer(read: Buffer, isHead: boolean, isClosed: boolean): { answer: RawAnswer; rest: Buffer } | null {
  const end = read.indexOf('\r\n\r\n');
  if (end === -1) return null;
  const [first = '', ...lines] = read.toString('latin1', 0, end).split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(first)?.[1]);
  if (!status) throw new Error(`no HTTP answer: ${first.slice(0, 200)}`);
  const headers = new Map(
    lines.map((line): [string, string] => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  const start = end + 4;
  const length = headers.get('content-length');
  if (status < 200 || status === 204 || status === 304 || isHead)
    return { answer: { status, headers, body: '' }, rest: read.subarray(start) };
  if (length !== undefined) {
    const stop = start + Number(length);
    if (read.length < stop) return null;
    return { answer: { status, headers, body: read.toString('utf8', start, stop) }, rest: read.subarray(stop) };
  }
  if (headers.get('transfer-encoding') === 'chunked') {
    const chunks = parseChunks(read, start);
    return chunks && { answer: { status, headers, body: chunks.body }, rest: read.subarray(chunks.end) };
  }
  // To the end of the connection.
  return isClosed ? { answer: { status, headers, body: read.toString('utf8', start) }, rest: Buffer.alloc(0) } : null;
}

function parseChunks(read: Buffer, from: number): { body: string; end: number } | null {
  const parts: Buffer[] = [];
  for (let at = from; ; ) {
    const line = read.indexOf('\r\n', at);
    if (line === -1) return null;
    const size = Number.parseInt(read.toString('latin1', at, line), 16);
    const start = line + 2;
    if (read.length < start + size + 2) return null;
    if (size === 0) return { body: Buffer.concat(parts).toString('utf8'), end: start + 2 };
    parts.push(read.subarray(start, start + size));
    at = start + size + 2;
  }
}

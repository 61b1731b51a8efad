import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import type { Call, Reply, Row, Script } from './row.ts';
import type { Siem, Understood } from './siem.ts';

/**
 * A SIEM that answers by script and is well-behaved otherwise. It parses what arrives by itself and records which events
 * it stored, as what it answers says.
 */
export class ScriptedSiem {
  readonly calls: Call[] = [];
  /** Requests that the SIEM would not have understood. */
  readonly problems: string[] = [];
  /** How often each event was stored. */
  readonly stored = new Map<string, number>();
  /** How often each event was kept elsewhere. */
  readonly diverted = new Map<string, number>();
  /** How often an event may be stored once more: its batch had an uncertain answer. */
  readonly doubtful = new Map<string, number>();
  /** Events that were stored though the answer said otherwise: a later answer may refuse them for good. */
  readonly concealed = new Set<string>();
  /** Events of which an answer said that they will never be taken. */
  readonly refused = new Set<string>();
  struck = 0;
  readonly #siem: Siem;
  readonly #now: () => number;
  readonly #server: Server;
  #row: Row | null = null;
  #script: Script | null = null;

  private constructor(siem: Siem, now: () => number) {
    this.#siem = siem;
    this.#now = now;
    this.#server = createServer((request, response) => {
      // A client that goes away in the middle is part of a restart: nothing is left to answer then.
      this.#respond(request, response).catch((error: unknown) => {
        if (!request.destroyed || request.complete) this.problems.push(String(error));
        response.destroy();
      });
    });
  }

  static async start(siem: Siem, now: () => number): Promise<ScriptedSiem> {
    const scripted = new ScriptedSiem(siem, now);
    scripted.#server.listen(0, '127.0.0.1');
    await once(scripted.#server, 'listening');
    return scripted;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('not listening');
    return `http://127.0.0.1:${address.port}`;
  }

  get posts(): readonly Call[] {
    return this.calls.filter(({ call }) => call === 'post');
  }

  /** From now on this row's script is asked first; null: all is well. */
  arm(row: Row | null): void {
    this.#row = row;
    this.#script = row?.script() ?? null;
  }

  /** These may be stored once more. */
  doubt(ids: readonly string[]): void {
    for (const id of ids) this.doubtful.set(id, (this.doubtful.get(id) ?? 0) + 1);
  }

  /** Resolves when everybody has hung up: nothing more is stored. */
  async deserted(): Promise<void> {
    const connections = promisify(this.#server.getConnections.bind(this.#server));
    while ((await connections()) > 0) await setImmediate();
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const wire = await buffer(request);
    const isCompressed = request.headers['content-encoding'] === 'gzip';
    const text = (isCompressed ? gunzipSync(wire) : wire).toString();
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://siem');
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const now = this.#now();
    const method = request.method ?? '';
    const understood = this.#siem.read({ method, path: pathname, query: searchParams, headers, text, now });
    const { call, ids } = understood;
    const arrived: Call = {
      ...{ call, ids, wire, isCompressed, headers, now },
      ...{ path: pathname, query: searchParams, bytes: Buffer.byteLength(text) },
    };
    this.calls.push(arrived);
    this.#write(response, this.#scripted(arrived) ?? this.#welcome(understood));
  }

  #scripted(call: Call): Reply | null {
    const reply = this.#script?.(call) ?? null;
    if (!reply) return null;
    this.struck++;
    if (this.#row?.uncertain !== undefined) this.#doubtCall(call);
    this.#keep(reply.stores ?? []);
    if (reply.status >= 300) for (const id of reply.stores ?? []) this.concealed.add(id);
    const isRefusal = [400, 413, 422].includes(reply.status) && call.ids.length === 1;
    for (const id of reply.refuses ?? (isRefusal ? call.ids : [])) this.refused.add(id);
    for (const id of reply.diverts ?? []) this.diverted.set(id, (this.diverted.get(id) ?? 0) + 1);
    return reply;
  }

  #doubtCall({ call, ids }: Call): void {
    // Questions for a confirmation are about the last post, and in doubt only once however often they are asked.
    if (call === 'ack') for (const id of this.posts.at(-1)?.ids ?? []) this.doubtful.set(id, 1);
    else this.doubt(ids);
  }

  #welcome(understood: Understood): Reply {
    const answer = understood.answer(this.stored);
    this.#keep(understood.stores ?? understood.ids);
    return answer;
  }

  #keep(ids: readonly string[]): void {
    for (const id of ids) {
      const times = this.stored.get(id) ?? 0;
      if (times === 0 || !this.#siem.deduplicates) this.stored.set(id, times + 1);
    }
  }

  #write(response: ServerResponse, { status, headers = {}, body, instead }: Reply): void {
    if (instead === 'silence') return;
    if (instead === 'reset') return void response.socket?.resetAndDestroy();
    const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);
    const isJson = body !== undefined && typeof body !== 'string';
    response.writeHead(status, { ...(isJson && { 'content-type': 'application/json' }), ...mutable(headers) });
    response.end(text);
  }
}

function mutable(headers: Readonly<Record<string, string | readonly string[]>>): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, typeof value === 'string' ? value : [...value]]),
  );
}

import { UnknownDestination } from './delivery/delivery.ts';
import { BadQuery } from './search/search.ts';
import { StorageDamaged, StoreUnavailable } from './store/event-log.ts';

/**
 * Calls an interface that lives on another thread as if it were local: `expose` answers on one side, `connect` gives a
 * proxy on the other. Arguments and results are structured clones, so only plain data crosses (a Secret does not).
 * `note` sends something nobody answers.
 */
export interface Port {
  postMessage(message: unknown): void;
  // biome-ignore lint/suspicious/noExplicitAny: as a MessagePort and a Worker have it
  on(event: 'message', listener: (message: any) => void): unknown;
}

interface Call {
  readonly call: number;
  readonly service: string;
  readonly method: string;
  readonly args: readonly unknown[];
}
type Reply =
  | { readonly reply: number; readonly value: unknown }
  | { readonly reply: number; readonly error: Readonly<Record<string, unknown>>; readonly errorName: string };
interface Note {
  readonly note: string;
  readonly value: unknown;
}

/** Errors that callers tell apart keep their class across threads. */
const ERRORS: Readonly<Record<string, { prototype: Error }>> = {
  StoreUnavailable,
  StorageDamaged,
  UnknownDestination,
  BadQuery,
};

type Service = Readonly<Record<string, (...args: never[]) => unknown>>;

/** Answers calls that arrive on `port` with the methods of `services`. */
export function expose(port: Port, services: Readonly<Record<string, object>>): void {
  const answer = async (call: Call): Promise<void> => {
    try {
      const service = services[call.service] as Service;
      port.postMessage({ reply: call.call, value: await service[call.method]!(...(call.args as never[])) });
    } catch (error) {
      const e = error instanceof Error ? error : new Error(String(error));
      const fields = { ...e, message: e.message, stack: e.stack };
      port.postMessage({ reply: call.call, error: fields, errorName: e.constructor.name });
    }
  };
  port.on('message', (message: Call | Reply | Note) => {
    if ('call' in message) void answer(message);
  });
}

/** Gives proxies of the services exposed at the other end of `port`. One per port. */
export function connect(port: Port): {
  service<T extends object>(name: string): T;
  /** Rejects every open call: the other thread has ended. */
  fail(reason: Error): void;
} {
  let next = 1;
  let failed: Error | undefined;
  const open = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  port.on('message', (message: Call | Reply | Note) => {
    if (!('reply' in message)) return;
    const caller = open.get(message.reply);
    open.delete(message.reply);
    if ('error' in message) caller?.reject(revive(message.error, message.errorName));
    else caller?.resolve(message.value);
  });
  const call = (service: string, method: string, args: readonly unknown[]): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (failed) return reject(failed);
      open.set(next, { resolve, reject });
      port.postMessage({ call: next++, service, method, args });
    });
  return {
    service: <T extends object>(name: string): T =>
      new Proxy({} as T, {
        get: (_, method) =>
          // Not a thenable: awaiting a proxy must not call the other thread.
          typeof method === 'string' && method !== 'then'
            ? (...args: unknown[]) => call(name, method, args)
            : undefined,
      }),
    fail: (reason) => {
      failed = reason;
      for (const caller of open.values()) caller.reject(reason);
      open.clear();
    },
  };
}

export function note(port: Port, name: string, value: unknown): void {
  port.postMessage({ note: name, value } satisfies Note);
}

export function onNote<T>(port: Port, name: string, listener: (value: T) => void): void {
  port.on('message', (message: Call | Reply | Note) => {
    if ('note' in message && message.note === name) listener(message.value as T);
  });
}

function revive(fields: Readonly<Record<string, unknown>>, name: string): Error {
  const error = new Error();
  Object.assign(error, fields);
  const known = ERRORS[name];
  return known ? Object.setPrototypeOf(error, known.prototype) : error;
}

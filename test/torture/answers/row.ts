import type { DestinationState } from '../../../src/store/destinations.ts';

/** A request as the answering side understood it. */
export interface Call {
  /** `post` carries events; `check` proves settings; `ack` asks for a confirmation; `token` signs the app in. */
  readonly call: 'post' | 'check' | 'ack' | 'token';
  /** Ids of its events, in body order. */
  readonly ids: readonly string[];
  /** Bytes of the body before compression. */
  readonly bytes: number;
  /** The body as it came over the wire. */
  readonly wire: Buffer;
  readonly isCompressed: boolean;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  /** The clock's time when it arrived. */
  readonly now: number;
}

/** What an answer does. `stores`: the ids it keeps, as a SIEM that gives this answer would; default none. */
export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** A string goes as it is, anything else as compact JSON. */
  readonly body?: unknown;
  readonly stores?: readonly string[];
  /** Ids kept elsewhere (Elastic's failure store). */
  readonly diverts?: readonly string[];
  /** Ids of which it says that they will never be taken. Default: the one event of a post that is refused. */
  readonly refuses?: readonly string[];
  /** The connection is reset instead of the answer, or there is none at all. */
  readonly instead?: 'reset' | 'silence';
}

/** Answers a call, or leaves it (null) to the SIEM as it is when all is well. */
export type Script = (call: Call) => Reply | null;

/** One line of an error or trap table, as data. */
export interface Row {
  /** Place and line in the reference: `§2.4 403 code 4`. */
  readonly row: string;
  /** A script of its own for each use. */
  readonly script: () => Script;
  /** What is sent; by default eight events of some 400 bytes. */
  readonly events?: Events;
  /** Beside those with which the SIEM is reached. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** How old the destination's settings are; default a day. */
  readonly configuredAgoMs?: number;
  /** How long an answer may take; only where none comes. */
  readonly answerTimeoutMs?: number;
  readonly expect: Expected;
  /** Why a batch may be stored twice; absent: it must not be. */
  readonly uncertain?: string;
  /** The check sends nothing that would be seen here. */
  readonly isCheckedByConnecting?: boolean;
  /** The next try may have another body. */
  readonly isReframed?: boolean;
  /** What else must be true of all the calls it caused. */
  readonly calls?: (calls: readonly Call[]) => boolean;
}

export interface Events {
  readonly count?: number;
  /** Bytes of free text in each. */
  readonly padding?: number;
  /** How old they are. */
  readonly ageMs?: number;
  readonly actorId?: string;
}

/** How the lane stands when it rests for the first time: everything settled, or waiting for time to pass. */
export interface Expected {
  /**
   * `delivered`: nothing waits. `kept`: what was not taken waits for the next try. `held`: it waits for a re-check.
   */
  readonly effect: 'delivered' | 'kept' | 'held';
  readonly state: DestinationState;
  readonly cause?: RegExp;
  readonly fix?: RegExp;
  /** Held by the rule of ten: single events are tried. The script ends with the hold. */
  readonly isProbed?: boolean;
  /** How many events count as delivered while the others wait; they are the first ones. Default 0. */
  readonly taken?: number;
  /** Shortest and longest wait. Default 100 ms to 1 s when kept, 30 s when held. */
  readonly waitsMs?: readonly [number, number];
  /** Requests with events until then. Default 1. */
  readonly posts?: number;
  /** Place of the first that is sent again; default `taken`. */
  readonly resumesAt?: number;
  /** Places in the first batch of those that become dead letters, and why. */
  readonly deadLetters?: { readonly at: readonly number[]; readonly reason: RegExp };
}

/** The first `count` posts. */
export function first(reply: (call: Call) => Reply, count = 1): () => Script {
  return strikes('post', reply, count);
}

/** The first `count` calls of one sort. */
export function strikes(sort: Call['call'], reply: (call: Call) => Reply, count = 1): () => Script {
  return () => {
    let left = count;
    return (call) => (call.call === sort && left-- > 0 ? reply(call) : null);
  };
}

/** Every post with more than so many events. */
export function beyond(events: number, reply: (call: Call) => Reply): () => Script {
  return () => (call) => (call.call === 'post' && call.ids.length > events ? reply(call) : null);
}

/** Every post that holds the event which was at this place of the first one. */
export function poisoned(at: number, reply: (call: Call) => Reply): () => Script {
  return () => {
    let poison: string | undefined;
    return (call) => {
      if (call.call !== 'post') return null;
      poison ??= call.ids[at];
      return poison !== undefined && call.ids.includes(poison) ? reply(call) : null;
    };
  };
}

export function reply(
  status: number,
  body?: unknown,
  headers: Readonly<Record<string, string | readonly string[]>> = {},
): Reply {
  return { status, body, headers };
}

/** The same reply, by a SIEM that keeps all events although it says this. */
export function andStores(answer: (call: Call) => Reply): (call: Call) => Reply {
  return (call) => ({ ...answer(call), stores: call.ids });
}

export function page(status: number, title = 'Sign in'): Reply {
  return reply(status, `<!DOCTYPE html><html><head><title>${title}</title></head><body>${title}</body></html>`, {
    'content-type': 'text/html; charset=utf-8',
    ...(status >= 300 && status < 400 && { location: '/en-US/account/login' }),
  });
}

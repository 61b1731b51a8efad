import type { Call, Reply, Row } from './row.ts';

/** A request as it arrived, unpacked. */
export interface Arrived {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  readonly now: number;
}

/** What a SIEM makes of a request when all is well; written from the reference, shares no code with the senders. */
export interface Understood {
  readonly call: Call['call'];
  /** Ids of the events it carries, in body order. */
  readonly ids: readonly string[];
  /** Of these, what it stores; default all. The traps with a 2xx are here. */
  readonly stores?: readonly string[];
  answer(stored: ReadonlyMap<string, number>): Reply;
}

export interface Siem {
  readonly kind: string;
  /** It recognises an id that it has stored. */
  readonly deduplicates?: boolean;
  settings(url: string): Readonly<Record<string, unknown>>;
  /** Throws with what is wrong with a request that this SIEM would not understand. */
  read(request: Arrived): Understood;
  readonly rows: readonly Row[];
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The id under which an audit event is known; throws when there is none. */
export function idOf(event: unknown): string {
  if (!isObject(event) || typeof event['id'] !== 'string') throw new Error(`no event: ${JSON.stringify(event)}`);
  return event['id'];
}

/**
 * What an event looks like between modules: opaque JSON with, beside it, the few values that deduplication, filters
 * and framing need. The JSON is serialised once, at ingest, and never changes afterwards.
 */

/** The platform's own id of a team: any string of 1 to 128 characters. */
export type TeamId = string;

/** An event's place in its team's log: 1, 2, 3 … without holes. */
export type Sequence = number;

/** A validated, serialised event that has no place in a log yet. */
export interface NewEvent {
  readonly team: TeamId;
  /** 1 to 128 printable ASCII characters without space or slash; unique in the team. */
  readonly id: string;
  /** Canonical name: aliases are already mapped. */
  readonly eventType: string;
  readonly eventCategory: string;
  /** The event's own time, milliseconds since the epoch. */
  readonly timestamp: number;
  /** Hash of the canonical event without `sequence`, `receivedAt` and clock mark: equal for equal content. */
  readonly hash: string;
  /** The event's JSON without `sequence` and `receivedAt`; begins with `{"timestamp":"YYYY-MM-DDTHH:MM:SS.mmmZ"`. */
  readonly json: string;
}

/** Events to be appended: an array, or what makes them one by one, each time it is asked. */
export interface NewEvents extends Iterable<NewEvent> {
  readonly length: number;
}

/** An event in its team's log. Some fields may be made when they are asked for: copy them by name, not by spreading. */
export interface LoggedEvent {
  readonly team: TeamId;
  readonly sequence: Sequence;
  readonly id: string;
  readonly eventType: string;
  readonly eventCategory: string;
  /** The event's own time, milliseconds since the epoch. */
  readonly timestamp: number;
  /** When it was appended, milliseconds since the epoch; never decreases within a team. */
  readonly receivedAt: number;
  /** The stored JSON, immutable, one line; contains `sequence` and `receivedAt`. */
  readonly json: string;
  /** Length of `json` in UTF-8 bytes. */
  readonly bytes: number;
  /** Copies `json` in UTF-8, where it lies in memory so; returns how many bytes. */
  copyTo?(target: Buffer, at: number): number;
}

/** The event as an object of its own: what another thread can be sent. */
export function plainEvent(event: LoggedEvent): LoggedEvent {
  const { team, sequence, id, eventType, eventCategory, timestamp, receivedAt, json, bytes } = event;
  return { team, sequence, id, eventType, eventCategory, timestamp, receivedAt, json, bytes };
}

/** Writes the event's JSON into `target`, in UTF-8; returns how many bytes. */
export function writeJson(event: LoggedEvent, target: Buffer, at: number): number {
  return event.copyTo ? event.copyTo(target, at) : target.write(event.json, at);
}

/** Length of `{"timestamp":"2026-01-15T10:30:00.000Z"`, with which every event's JSON begins: its place comes behind. */
export const HEAD_LENGTH = 39;

/** The stored JSON of an event: its place written in, nothing re-serialised. */
export function withPlace(json: string, sequence: Sequence, receivedAt: number): string {
  const { before, behind } = aroundSequence(receivedAt);
  return `${json.slice(0, HEAD_LENGTH)}${before}${sequence}${behind}${json.slice(HEAD_LENGTH)}`;
}

/** Where the place ends in an event's stored JSON. */
export function behindPlace(json: Uint8Array): number {
  let at = HEAD_LENGTH + BEFORE_SEQUENCE.length;
  while (json[at] !== COMMA && at < json.length) at++;
  return at + BEHIND_LENGTH;
}

const COMMA = 44;
const BEFORE_SEQUENCE = ',"sequence":';
const BEHIND_LENGTH = ',"receivedAt":"2026-01-15T10:30:00.000Z"'.length;

/** An event's place as it stands in its JSON, ASCII: what comes before its sequence, and what behind. */
export function aroundSequence(receivedAt: number): { readonly before: string; readonly behind: string } {
  return { before: BEFORE_SEQUENCE, behind: `,"receivedAt":"${new Date(receivedAt).toISOString()}"` };
}

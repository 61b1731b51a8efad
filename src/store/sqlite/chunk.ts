import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { LoggedEvent, Sequence, TeamId } from '../../event/logged-event.ts';

/** Events a row of the log holds at most: above, reading one event costs too much; below, compression suffers. */
export const CHUNK_EVENTS = 256;
/** Smaller rows are kept as text: a call of zstd costs more than it saves until the row is merged away. */
const COMPRESS_FROM_EVENTS = 8;
const FASTEST = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

/** What is known of the events without parsing their JSON: one column per value, one entry per event. */
interface Directory {
  readonly ids: readonly string[];
  readonly types: readonly string[];
  readonly categories: readonly string[];
  readonly timestamps: readonly number[];
  readonly receivedAts: readonly number[];
  /** UTF-8 lengths of the events' JSON. */
  readonly bytes: readonly number[];
}

/** A row's body: the directory as one line of JSON, then each event's JSON as one line; zstd when it pays. */
export function encodeChunk(events: readonly LoggedEvent[]): string | Uint8Array {
  const directory: Directory = {
    ids: events.map((event) => event.id),
    types: events.map((event) => event.eventType),
    categories: events.map((event) => event.eventCategory),
    timestamps: events.map((event) => event.timestamp),
    receivedAts: events.map((event) => event.receivedAt),
    bytes: events.map((event) => event.bytes),
  };
  const text = `${JSON.stringify(directory)}\n${events.map((event) => event.json).join('\n')}`;
  return events.length < COMPRESS_FROM_EVENTS ? text : zstdCompressSync(text, FASTEST);
}

/** The events of a row; the first has sequence `first`. */
export function decodeChunk(team: TeamId, first: Sequence, body: string | Uint8Array): readonly LoggedEvent[] {
  const text = typeof body === 'string' ? body : zstdDecompressSync(body).toString('utf8');
  const [head, ...lines] = text.split('\n');
  const directory = JSON.parse(head ?? '') as Directory;
  return lines.map((json, index) => ({
    team,
    sequence: first + index,
    id: directory.ids[index]!,
    eventType: directory.types[index]!,
    eventCategory: directory.categories[index]!,
    timestamp: directory.timestamps[index]!,
    receivedAt: directory.receivedAts[index]!,
    json,
    bytes: directory.bytes[index]!,
  }));
}

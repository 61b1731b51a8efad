import { constants, crc32, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { LoggedEvent, Sequence, TeamId } from '../../event/logged-event.ts';
import { StorageDamaged } from '../event-log.ts';

/** A row with this many events is full: with more, reading one costs too much; with fewer, compression suffers. */
export const CHUNK_EVENTS = 256;
/** A row with this much JSON is full, so that a row of large events fits into memory. */
export const CHUNK_BYTES = 1024 * 1024;
/** Rows with fewer are kept as text: until they are merged, a call of zstd for each costs more than it saves. */
export const COMPRESSED_EVENTS = 32;
/** Output comes in pieces of chunkSize: about one for a full row. */
const FASTEST = { params: { [constants.ZSTD_c_compressionLevel]: 1 }, chunkSize: 32 * 1024 };
const WHOLE = { chunkSize: 256 * 1024 };

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

/** Cuts consecutive events into rows; all but the last are full. */
export function* intoRows(
  events: readonly LoggedEvent[],
): Generator<{ events: readonly LoggedEvent[]; bytes: number }> {
  let from = 0;
  let bytes = 0;
  for (const [index, event] of events.entries()) {
    bytes += event.bytes;
    if (index + 1 - from < CHUNK_EVENTS && bytes < CHUNK_BYTES && index + 1 < events.length) continue;
    yield { events: events.slice(from, index + 1), bytes };
    from = index + 1;
    bytes = 0;
  }
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
  if (events.length < COMPRESSED_EVENTS) return text;
  const plain = Buffer.from(text);
  const body = zstdCompressSync(plain, FASTEST);
  release(plain);
  return body;
}

/** A row as the database has it. */
export interface ChunkRow {
  readonly first: Sequence;
  readonly count: number;
  readonly body: string | Uint8Array;
  /** Null: written before rows had one. */
  readonly checksum: number | null;
}

/** Of a row's place and body: SQLite would hand out what a failing disk has made of either. */
export function checksumOf(teamNo: number, { first, count, body }: Omit<ChunkRow, 'checksum'>): number {
  return crc32(body, crc32(`${teamNo} ${first} ${count} `));
}

/** The events of a row; throws StorageDamaged when it is not as it was written. */
export function decodeChunk(team: TeamId, teamNo: number, row: ChunkRow): readonly LoggedEvent[] {
  try {
    if (row.checksum !== null && row.checksum !== checksumOf(teamNo, row)) throw new Error('the checksum is another');
    const events = eventsOf(team, row);
    if (events.length !== row.count) throw new Error(`${events.length} events instead of ${row.count}`);
    return events;
  } catch (cause) {
    const last = row.first + row.count - 1;
    throw new StorageDamaged(`trailproof.db is damaged in events ${row.first} to ${last} of team ${team}`, { cause });
  }
}

function eventsOf(team: TeamId, { first, body }: ChunkRow): LoggedEvent[] {
  const text = typeof body === 'string' ? body : decompress(body);
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

function decompress(body: Uint8Array): string {
  const plain = zstdDecompressSync(body, WHOLE);
  const text = plain.toString('utf8');
  release(plain);
  return text;
}

/**
 * Gives a buffer's memory back at once. Left to the garbage collector it counts as garbage of the whole heap, which at
 * full speed is then marked again and again for the sake of a few such buffers.
 */
function release(buffer: Buffer<ArrayBuffer>): void {
  // Small buffers share their memory with others.
  if (buffer.buffer.byteLength > Buffer.poolSize) buffer.buffer.transfer(0);
}

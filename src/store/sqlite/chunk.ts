import { constants, crc32, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { type LoggedEvent, type Sequence, type TeamId, writeJson } from '../../event/logged-event.ts';
import { giveBack } from '../../give-back.ts';
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

const NEWLINE = 10;

/** What is known of the events without parsing their JSON: one column per value, one entry per event. */
export interface Directory {
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

export function directoryOf(events: readonly LoggedEvent[]): Directory {
  return {
    ids: events.map((event) => event.id),
    types: events.map((event) => event.eventType),
    categories: events.map((event) => event.eventCategory),
    timestamps: events.map((event) => event.timestamp),
    receivedAts: events.map((event) => event.receivedAt),
    bytes: events.map((event) => event.bytes),
  };
}

/** A row's body: its head as one line of JSON, then each event's JSON as one line; zstd when it pays. */
export function pack(directory: Directory, events: readonly LoggedEvent[]): string | Uint8Array {
  const head = JSON.stringify(directory);
  if (events.length < COMPRESSED_EVENTS) return `${head}\n${events.map((event) => event.json).join('\n')}`;
  let at = Buffer.byteLength(head);
  const plain = Buffer.allocUnsafeSlow(events.reduce((sum, event) => sum + 1 + event.bytes, at));
  plain.write(head);
  for (const event of events) {
    plain[at++] = NEWLINE;
    at += writeJson(event, plain, at);
  }
  const body = zstdCompressSync(plain, FASTEST);
  giveBack(plain);
  return body;
}

/** The head of a body and its events' JSON, as `pack` was given them. */
export function unpack<Head extends Directory>(body: string | Uint8Array): { head: Head; lines: readonly string[] } {
  const text = typeof body === 'string' ? body : decompress(body);
  const [head = '', ...lines] = text.split('\n');
  return { head: JSON.parse(head) as Head, lines };
}

/** The events of the lines from `from` to before `to`, consecutive ones of one team; the first has the sequence `first`. */
export function eventsOf(
  team: TeamId,
  first: Sequence,
  { ids, types, categories, timestamps, receivedAts, bytes }: Directory,
  lines: readonly string[],
  from: number,
  to: number,
): LoggedEvent[] {
  return lines.slice(from, to).map((json, i) => ({
    team,
    sequence: first + i,
    id: ids[from + i]!,
    eventType: types[from + i]!,
    eventCategory: categories[from + i]!,
    timestamp: timestamps[from + i]!,
    receivedAt: receivedAts[from + i]!,
    json,
    bytes: bytes[from + i]!,
  }));
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
    const { head, lines } = unpack(row.body);
    if (lines.length !== row.count) throw new Error(`${lines.length} events instead of ${row.count}`);
    return eventsOf(team, row.first, head, lines, 0, lines.length);
  } catch (cause) {
    const last = row.first + row.count - 1;
    throw new StorageDamaged(`trailproof.db is damaged in events ${row.first} to ${last} of team ${team}`, { cause });
  }
}

function decompress(body: Uint8Array): string {
  const plain = zstdDecompressSync(body, WHOLE);
  const text = plain.toString('utf8');
  giveBack(plain);
  return text;
}

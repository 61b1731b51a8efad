/**
 * The part of the kernel's FUSE protocol (7.31, include/uapi/linux/fuse.h) that a service on SQLite needs: what a
 * request says, and how an answer is laid out. Everything is little endian, as on every machine that Node runs on.
 */
export type Request =
  | { readonly what: 'init' }
  | { readonly what: 'lookup' | 'unlink' | 'rmdir'; readonly name: string }
  | { readonly what: 'forget'; readonly nodes: readonly { readonly node: number; readonly times: number }[] }
  | { readonly what: 'getattr' | 'open' | 'opendir' | 'statfs' | 'release' | 'flush' }
  | { readonly what: 'setattr'; readonly size: number | null; readonly mode: number | null }
  | { readonly what: 'mknod' | 'mkdir' | 'create'; readonly name: string; readonly mode: number }
  | { readonly what: 'link'; readonly target: number; readonly name: string }
  | { readonly what: 'rename'; readonly name: string; readonly folder: number; readonly newName: string }
  | { readonly what: 'read' | 'readdir'; readonly offset: number; readonly length: number }
  | { readonly what: 'write'; readonly offset: number; readonly data: Buffer }
  | { readonly what: 'fsync'; readonly dataOnly: boolean }
  | { readonly what: 'interrupt' }
  | { readonly what: 'unknown' };

export type Asked = Request & { readonly unique: bigint; readonly node: number };

export interface Attributes {
  readonly node: number;
  readonly size: number;
  /** File type and permissions. */
  readonly mode: number;
}

export const ROOT = 1;
/** Bytes of one write at most. */
const MAX_WRITE = 1024 * 1024;
/** What one read of the device may return. */
export const REQUEST_BYTES = MAX_WRITE + 4096;
export const FOLDER = 0o040000;
export const FILE = 0o100000;
export const TYPE = 0o170000;
export const BLOCK_BYTES = 4096;

const IN_HEADER = 40;
const OUT_HEADER = 16;
const ATTRIBUTES = 88;
/** The kernel is told everything that changes, by itself: names and attributes may be kept for ever. */
const KEPT_SECONDS = 1_000_000n;

export function parseRequest(bytes: Buffer): Asked {
  const head = { unique: bytes.readBigUInt64LE(8), node: Number(bytes.readBigUInt64LE(16)) };
  return { ...head, ...parseBody(bytes.readUInt32LE(4), head.node, bytes.subarray(IN_HEADER, bytes.readUInt32LE(0))) };
}

function parseBody(opcode: number, node: number, body: Buffer): Request {
  const long = (at: number): number => Number(body.readBigUInt64LE(at));
  const int = (at: number): number => body.readUInt32LE(at);
  switch (opcode) {
    case 26:
      return { what: 'init' };
    case 1:
      return { what: 'lookup', name: textAt(body, 0) };
    case 10:
      return { what: 'unlink', name: textAt(body, 0) };
    case 11:
      return { what: 'rmdir', name: textAt(body, 0) };
    case 2:
      return { what: 'forget', nodes: [{ node, times: long(0) }] };
    case 42:
      return {
        what: 'forget',
        nodes: Array.from({ length: int(0) }, (_, i) => ({ node: long(8 + 16 * i), times: long(16 + 16 * i) })),
      };
    case 3:
      return { what: 'getattr' };
    case 4:
      return { what: 'setattr', size: int(0) & 8 ? long(16) : null, mode: int(0) & 1 ? int(68) : null };
    case 8:
      return { what: 'mknod', mode: int(0), name: textAt(body, 16) };
    case 9:
      return { what: 'mkdir', mode: int(0), name: textAt(body, 8) };
    case 35:
      return { what: 'create', mode: int(4), name: textAt(body, 16) };
    case 13:
      return { what: 'link', target: long(0), name: textAt(body, 8) };
    case 12:
      return { what: 'rename', folder: long(0), ...namesAt(body, 8) };
    case 45:
      // Flags (do not replace, exchange) are not known here.
      return int(8) === 0 ? { what: 'rename', folder: long(0), ...namesAt(body, 16) } : { what: 'unknown' };
    case 14:
      return { what: 'open' };
    case 27:
      return { what: 'opendir' };
    case 17:
      return { what: 'statfs' };
    case 18:
    case 29:
      return { what: 'release' };
    case 25:
      return { what: 'flush' };
    case 15:
      return { what: 'read', offset: long(8), length: int(16) };
    case 28:
      return { what: 'readdir', offset: long(8), length: int(16) };
    case 16:
      return { what: 'write', offset: long(8), data: Buffer.from(body.subarray(40, 40 + int(16))) };
    case 20:
    case 30:
      return { what: 'fsync', dataOnly: (int(8) & 1) === 1 };
    case 36:
      return { what: 'interrupt' };
    default:
      return { what: 'unknown' };
  }
}

function textAt(body: Buffer, from: number): string {
  return body.toString('utf8', from, body.indexOf(0, from));
}

function namesAt(body: Buffer, from: number): { readonly name: string; readonly newName: string } {
  return { name: textAt(body, from), newName: textAt(body, body.indexOf(0, from) + 1) };
}

/** The whole answer; `error` is an errno, positive. */
export function answer(unique: bigint, body: Buffer | number): Buffer {
  const size = typeof body === 'number' ? 0 : body.length;
  const head = Buffer.alloc(OUT_HEADER);
  head.writeUInt32LE(OUT_HEADER + size, 0);
  head.writeInt32LE(typeof body === 'number' ? -body : 0, 4);
  head.writeBigUInt64LE(unique, 8);
  return typeof body === 'number' ? head : Buffer.concat([head, body]);
}

export const NOTHING = Buffer.alloc(0);

/** Large writes, but no locks and no cache that holds writes back: what a process wrote is here when its call returns. */
export function initialised(): Buffer {
  const BIG_WRITES = 1 << 5;
  const MAX_PAGES = 1 << 22;
  const body = Buffer.alloc(64);
  body.writeUInt32LE(7, 0);
  body.writeUInt32LE(31, 4);
  body.writeUInt32LE(128 * 1024, 8);
  body.writeUInt32LE(BIG_WRITES | MAX_PAGES, 12);
  body.writeUInt16LE(16, 16);
  body.writeUInt16LE(12, 18);
  body.writeUInt32LE(MAX_WRITE, 20);
  body.writeUInt32LE(1, 24);
  body.writeUInt16LE(MAX_WRITE / BLOCK_BYTES, 28);
  return body;
}

function attributes({ node, size, mode }: Attributes): Buffer {
  const body = Buffer.alloc(ATTRIBUTES);
  body.writeBigUInt64LE(BigInt(node), 0);
  body.writeBigUInt64LE(BigInt(size), 8);
  body.writeBigUInt64LE(BigInt(Math.ceil(size / 512)), 16);
  body.writeUInt32LE(mode, 60);
  body.writeUInt32LE((mode & TYPE) === FOLDER ? 2 : 1, 64);
  body.writeUInt32LE(BLOCK_BYTES, 80);
  return body;
}

export function attributesOf(of: Attributes): Buffer {
  const head = Buffer.alloc(16);
  head.writeBigUInt64LE(KEPT_SECONDS, 0);
  return Buffer.concat([head, attributes(of)]);
}

export function entryOf(of: Attributes): Buffer {
  const head = Buffer.alloc(40);
  head.writeBigUInt64LE(BigInt(of.node), 0);
  head.writeBigUInt64LE(KEPT_SECONDS, 16);
  head.writeBigUInt64LE(KEPT_SECONDS, 24);
  return Buffer.concat([head, attributes(of)]);
}

/** An open file without a handle of its own; the kernel keeps its pages, since nobody else writes. */
export function opened(): Buffer {
  const KEEP_CACHE = 1 << 1;
  const body = Buffer.alloc(16);
  body.writeUInt32LE(KEEP_CACHE, 8);
  return body;
}

export function written(length: number): Buffer {
  const body = Buffer.alloc(8);
  body.writeUInt32LE(length, 0);
  return body;
}

export function space(blocks: number, free: number): Buffer {
  const body = Buffer.alloc(80);
  body.writeBigUInt64LE(BigInt(blocks), 0);
  body.writeBigUInt64LE(BigInt(free), 8);
  body.writeBigUInt64LE(BigInt(free), 16);
  body.writeBigUInt64LE(1_000_000n, 24);
  body.writeBigUInt64LE(1_000_000n, 32);
  body.writeUInt32LE(BLOCK_BYTES, 40);
  body.writeUInt32LE(255, 44);
  body.writeUInt32LE(BLOCK_BYTES, 48);
  return body;
}

/** The names after the first `offset`, as many as fit. */
export function names(
  list: readonly { readonly name: string; readonly node: number; readonly mode: number }[],
  offset: number,
  length: number,
): Buffer {
  const parts: Buffer[] = [];
  let size = 0;
  for (const [i, { name, node, mode }] of list.slice(offset).entries()) {
    const text = Buffer.from(name);
    const entry = Buffer.alloc(Math.ceil((24 + text.length) / 8) * 8);
    entry.writeBigUInt64LE(BigInt(node), 0);
    entry.writeBigUInt64LE(BigInt(offset + i + 1), 8);
    entry.writeUInt32LE(text.length, 16);
    entry.writeUInt32LE((mode & TYPE) >> 12, 20);
    text.copy(entry, 24);
    if (size + entry.length > length) break;
    size += entry.length;
    parts.push(entry);
  }
  return Buffer.concat(parts);
}

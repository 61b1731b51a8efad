import { crc32 } from 'node:zlib';

/**
 * CRC-32 of a column's value; `before`: of what comes before it. NaN, which no checksum equals, of a value that is neither
 * text nor bytes: SQLite does not hold a damaged row to its column's type.
 */
export function crcOf(value: unknown, before = 0): number {
  return typeof value === 'string' || value instanceof Uint8Array ? crc32(value, before) : Number.NaN;
}

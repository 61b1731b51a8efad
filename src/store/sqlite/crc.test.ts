import { crc32 } from 'node:zlib';
import { expect, it } from 'vitest';
import { crcOf } from './crc.ts';

it('is the CRC-32 of text and bytes, and equal to no checksum for what a damaged row has instead', () => {
  expect(crcOf('123456789')).toBe(0xcbf43926);
  expect(crcOf(Buffer.from('789'), crc32('123456'))).toBe(0xcbf43926);
  for (const value of [null, undefined, 7, 7n]) expect(crcOf(value)).toBeNaN();
});

import { expect, it } from 'vitest';
import { rowCounter } from './exported-rows.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

it('counts the lines of NDJSON, wherever the pieces are cut', () => {
  const count = rowCounter('ndjson');
  expect([count(bytes('{"a":')), count(bytes('1}\n{"b')), count(bytes('":"\\n"}\n'))]).toEqual([0, 1, 2]);
});

it('counts the rows of CSV without its header, a line break in a cell being none', () => {
  const count = rowCounter('csv');
  expect([count(bytes('a,b\r')), count(bytes('\n1,"x\r\n""y')), count(bytes('""\r\nz"\r\n2,\r\n'))]).toEqual([0, 0, 2]);
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csvHeader, csvRows } from './csv.ts';

const EVENT = {
  timestamp: '2026-01-15T10:30:00.000Z',
  sequence: 7,
  receivedAt: '2026-01-15T10:30:01.000Z',
  id: 'e-1',
  version: '1.0',
  eventType: 'user.role_changed',
  eventCategory: 'user_management',
  status: 'failure',
  description: 'Role of "Ana", changed',
  failureReason: 'rate_limited',
  actor: { id: 'u-1', email: 'a@example.com', name: 'Ana', type: 'user' },
  target: { type: 'user', id: 'u-2', name: 'Bo' },
  context: { ipAddress: '203.0.113.7', userAgent: 'curl/8', sessionId: 's-1', requestId: 'r-1', teamId: 't-1' },
  changes: { previous: { role: 'member' }, current: { role: 'admin' } },
  metadata: { method: 'manual' },
  trailproof: { clock: 'past' },
};

describe('CSV', () => {
  it('writes every field of an event under its column', () => {
    const [names, values] = parseCsv(csvHeader() + csvRows([JSON.stringify(EVENT)]));
    expect(Object.fromEntries(names!.map((name, i) => [name, values![i]]))).toEqual({
      timestamp: EVENT.timestamp,
      sequence: '7',
      id: 'e-1',
      eventType: 'user.role_changed',
      eventCategory: 'user_management',
      status: 'failure',
      failureReason: 'rate_limited',
      description: 'Role of "Ana", changed',
      actorId: 'u-1',
      actorEmail: 'a@example.com',
      actorName: 'Ana',
      actorType: 'user',
      targetType: 'user',
      targetId: 'u-2',
      targetName: 'Bo',
      ipAddress: '203.0.113.7',
      userAgent: 'curl/8',
      sessionId: 's-1',
      requestId: 'r-1',
      teamId: 't-1',
      receivedAt: EVENT.receivedAt,
      changes: JSON.stringify(EVENT.changes),
      metadata: JSON.stringify(EVENT.metadata),
      trailproof: JSON.stringify(EVENT.trailproof),
    });
  });

  it('writes nothing for no events, so that pages can be joined', () => {
    expect(csvRows([])).toBe('');
    const json = JSON.stringify(EVENT);
    expect(csvRows([json]) + csvRows([json])).toBe(csvRows([json, json]));
  });

  it.each([
    '=',
    '+',
    '-',
    '@',
    '\t',
    '\r',
    '\n',
    '＝',
    '＋',
    '－',
    '＠',
    ' =',
    '\u00a0@',
    '\ufeff+',
    '\u200b=',
    '\r\n-',
  ])('puts an apostrophe before a cell that begins with %j', (start) => {
    expect(describedAs(`${start}1+1`)).toBe(`'${start}1+1`);
  });

  it('leaves texts alone that only contain such characters', () => {
    for (const text of ['a=b', ' a', 'x-y', '1-2', 'a\n=b', "'=1"]) expect(describedAs(text)).toBe(text);
  });

  it('keeps any text in one cell of one row', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.string({ unit: fc.constantFrom('"', ',', '\n', '\r', ';', 'a') }),
        (a, b) => {
          const event = { ...EVENT, description: a, actor: { ...EVENT.actor, name: b } };
          const table = parseCsv(csvHeader() + csvRows([JSON.stringify(event), JSON.stringify(EVENT)]));
          expect(table).toHaveLength(3);
          const row = Object.fromEntries(table[0]!.map((name, i) => [name, table[1]![i]]));
          expect([a, `'${a}`]).toContain(row['description']);
          expect([b, `'${b}`]).toContain(row['actorName']);
        },
      ),
    );
  });
});

function describedAs(description: string): string | undefined {
  const [names, values] = parseCsv(csvHeader() + csvRows([JSON.stringify({ ...EVENT, description })]));
  return values![names!.indexOf('description')];
}

/** RFC 4180, read independently of the writer. */
function parseCsv(text: string): string[][] {
  const table: string[][] = [[]];
  for (let at = 0; at < text.length; ) {
    const [, quoted, plain, end] = /^(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/u.exec(text.slice(at)) ?? [];
    if (end === undefined) throw new Error(`not CSV at ${at}: ${JSON.stringify(text.slice(at, at + 40))}`);
    table.at(-1)!.push(quoted?.replaceAll('""', '"') ?? plain!);
    at += (quoted === undefined ? plain!.length : quoted.length + 2) + end.length;
    if (end === '\r\n' && at < text.length) table.push([]);
  }
  return table;
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NewEvent } from '../event/logged-event.ts';
import type { Appended, EventLog } from '../store/event-log.ts';
import { type AcceptOptions, type AcceptParts, createAccept, Overloaded } from './accept.ts';
import { BadBody } from './body.ts';

const now = Date.parse('2026-01-15T12:00:00.000Z');
const asTeam: AcceptOptions = { team: 'acme', format: 'json' };
const asInstallation: AcceptOptions = { team: null, format: 'ndjson' };
const lines = { ...asTeam, format: 'ndjson' } as const;

describe('a body', () => {
  it('is one event, an array or NDJSON', async () => {
    const { accept, log } = start();
    const one = event({ id: 'a' });
    expect(await accept(JSON.stringify(one))).toEqual({
      accepted: 1,
      duplicates: 0,
      rejected: [],
      appended: places(1, 1),
    });
    expect(await accept(JSON.stringify([event({ id: 'b' }), one]))).toMatchObject({
      accepted: 1,
      duplicates: 1,
      appended: places(2, 2),
    });
    expect(
      await accept(`${JSON.stringify(event({ id: 'c' }))}\n${JSON.stringify(event({ id: 'd' }))}`, lines),
    ).toMatchObject({
      accepted: 2,
      appended: places(3, 4),
    });
    expect(log.map(({ id }) => id)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('without events is an empty answer', async () => {
    expect(await start().accept('[]')).toEqual({ accepted: 0, duplicates: 0, rejected: [], appended: [] });
  });

  it.each([
    ['empty_body', '', asTeam],
    ['empty_body', ' \r\n\t', asTeam],
    ['empty_body', '\n\n', lines],
    ['empty_body', '\ufeff', asTeam],
    ['invalid_json', '{"timestamp":', asTeam],
    ['invalid_json', '{"a":1}\n{"b":2}', asTeam],
    ['invalid_json', '5', asTeam],
    ['invalid_json', '"text"', asTeam],
    ['invalid_json', 'null', asTeam],
  ] as const)('that cannot be read is refused whole: %s for %j', async (code, body, options) => {
    const { accept, log } = start();
    await expect(accept(body, options)).rejects.toMatchObject({ name: 'BadBody', code });
    expect(log).toEqual([]);
  });

  it('with more than 10,000 events is refused whole', async () => {
    const { accept, log } = start();
    const most = Array.from({ length: 10_000 }, () => '0');
    expect((await accept(`[${most.join()}]`)).rejected).toHaveLength(10_000);
    for (const [body, options] of [
      [`[${most.join()},0]`, asTeam],
      [`${most.join('\n')}\n\n0`, lines],
    ] as const)
      await expect(accept(body, options)).rejects.toEqual(
        new BadBody('too_many_events', 'the body has more than 10000 events'),
      );
    expect(log).toEqual([]);
  });

  it('may begin with a byte order mark, end lines with CRLF and have blank lines, which count in the index', async () => {
    const { accept } = start();
    const body = `\ufeff\r\n${JSON.stringify(event({ id: 'a' }))}\r\n \nnot json\r\n5\n${JSON.stringify(event({ id: 'b' }))}\r\n\r\n`;
    expect(await accept(body, lines)).toMatchObject({
      accepted: 2,
      rejected: [
        { index: 3, id: null, code: 'invalid_json', path: '' },
        { index: 4, id: null, code: 'invalid_event', path: '' },
      ],
    });
  });

  it('is read alike whether its events need parsing or not', async () => {
    const sealed = (n: number, version = '1.0'): string =>
      `{"timestamp":"2026-01-15T10:30:00.000Z","id":"e${n}","version":"${version}","eventType":"auth.logout","eventCategory":"authentication","status":"success","context":{"teamId":"acme"},"metadata":{"é":"\\n"}}`;
    const piece = fc.oneof(
      { weight: 4, arbitrary: fc.nat(3).map((n) => sealed(n)) },
      fc.nat(3).map((n) => sealed(n, '2.0')),
      fc.constantFrom(
        sealed(5).replace('logout', 'Logout"'),
        sealed(6).replace('acme', 'globex'),
        sealed(7, 'x'.repeat(2000)),
      ),
      fc.constantFrom(
        JSON.stringify(event({ id: 'e8' })),
        '5',
        ' ',
        '',
        '{}',
        `${sealed(9)} `,
        `${sealed(9)}x`,
        sealed(9).slice(1),
      ),
    );
    const between = fc.constantFrom(...Array.from({ length: 8 }, () => ','), ', ', ',,', '\n', ' ', ']', '],');
    const outcome = async (body: string, format: 'json' | 'ndjson') => {
      const { accept, log } = start({ limits: { eventBytes: 1000 } });
      const result = await accept(body, { ...asTeam, format }).catch((error: BadBody) => error.code);
      if (typeof result === 'string') return { result, log };
      // Their messages say where in the text.
      const rejected = result.rejected.map(({ message, ...rest }) => rest);
      return { result: { ...result, rejected }, log: log.map(({ id, json, hash }) => [id, json, hash]) };
    };
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(piece, between), { maxLength: 6 }), async (pieces) => {
        for (const format of ['json', 'ndjson'] as const) {
          const [start, end] = format === 'json' ? ['[', ']'] : ['', ''];
          const text = pieces.map(([one, then], i) => one + (i < pieces.length - 1 ? then : '')).join('');
          const body = `${start}${text}${end}`;
          const parsed = body.replaceAll('{"timestamp"', '{ "timestamp"');
          expect(await outcome(body, format)).toEqual(await outcome(parsed, format));
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('that is not UTF-8 loses only the wrong bytes, counted in the events that had them', async () => {
    const { accept, log } = start();
    const body = `${JSON.stringify(event({ id: 'a', description: 'Jos\xe9 \xff' }))}\n${JSON.stringify(event({ id: 'b', description: '\xef\xbf\xbd\xc3\xa9' }))}`;
    await accept(Buffer.from(body, 'latin1'), lines);
    expect(log.map(({ json }) => JSON.parse(json))).toMatchObject([
      { description: 'Jos\ufffd \ufffd', trailproof: { replacedCharacters: 2 } },
      { description: '\ufffdé' },
    ]);
    expect(log[1]?.json).not.toContain('trailproof');
  });

  it('of millions of blank lines or brackets costs little', async () => {
    const { accept } = start();
    const began = process.cpuUsage();
    await expect(accept('\n'.repeat(10 * 1024 * 1024), lines)).rejects.toMatchObject({ code: 'empty_body' });
    await expect(accept(`[${'{},'.repeat(3_000_000)}{}]`)).rejects.toMatchObject({ code: 'too_many_events' });
    const { user, system } = process.cpuUsage(began);
    expect((user + system) / 1e6, 'seconds of CPU').toBeLessThan(2);
    const last = `${'\n \r\n'.repeat(1000)}${JSON.stringify(event({ id: 'z' }))}\n{\n\n`;
    expect(await accept(last, lines)).toMatchObject({ accepted: 1, rejected: [{ index: 2001 }] });
  });

  it('nested a hundred thousand levels deep is a rejection', async () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    const bad = `{"timestamp":"2026-01-15T10:30:00Z","id":"a","eventType":"logout","metadata":{"a":${deep},"n":1e400}}`;
    const body = `[${bad},${JSON.stringify(event({ id: 'b' }))},${deep}]`;
    expect(await start().accept(body)).toMatchObject({
      accepted: 1,
      rejected: [
        { index: 0, id: 'a', code: 'too_deep' },
        { index: 2, id: null, code: 'too_deep' },
      ],
    });
    expect((await start().accept(bad, lines)).rejected).toMatchObject([{ code: 'too_deep' }]);
  });

  it('keeps numbers no double can hold as their digits', async () => {
    const { accept, log } = start();
    const metadata = '{"id":12345678901234567890,"huge":1e400,"fine":1.0,"more":[-0.12345678901234567891]}';
    await accept(JSON.stringify(event({ id: 'a' })).replace('"logout"', `"logout","metadata":${metadata}`));
    expect(JSON.parse(log[0]?.json ?? '')).toHaveProperty('metadata', {
      ...{ id: '12345678901234567890', huge: '1e400', fine: 1, more: ['-0.12345678901234567891'] },
    });
  });
});

describe('an event', () => {
  it('is judged alone', async () => {
    const { accept, log } = start();
    const sent = [event({ id: 'a' }), event({ id: 'b', status: 'x' }), event({ id: 'c' }), { id: 'd'.repeat(500) }];
    expect(await accept(JSON.stringify(sent))).toMatchObject({
      accepted: 2,
      rejected: [
        { index: 1, id: 'b', code: 'invalid_status', path: 'status' },
        { index: 3, id: 'd'.repeat(128), code: 'invalid_id', path: 'id' },
      ],
      appended: places(1, 2),
    });
    expect(log.map(({ id }) => id)).toEqual(['a', 'c']);
  });

  it('met twice is a duplicate, with other content a conflict, also within one body', async () => {
    const { accept } = start();
    const sent = [event({ id: 'a' }), event({ id: 'a' }), event({ id: 'a', description: 'other' }), { id: 'z' }];
    const verdict = { accepted: 1, duplicates: 1 };
    const rejected = [
      {
        index: 2,
        id: 'a',
        code: 'id_conflict',
        path: 'id',
        message: 'another event with this id and other content has sequence 1',
      },
      { index: 3, id: 'z', code: 'missing_field' },
    ];
    expect(await accept(JSON.stringify(sent))).toMatchObject({ ...verdict, rejected });
    expect(await accept(JSON.stringify(sent))).toMatchObject({ accepted: 0, duplicates: 2, appended: [], rejected });
  });

  it('has at most 256 KiB', async () => {
    const { accept } = start();
    const filler = 256 * 1024 - Buffer.byteLength(JSON.stringify(event({ id: 'a', description: '' })));
    const fits = JSON.stringify(
      event({ id: 'a', description: 'é'.repeat(filler / 2).padEnd(filler - Math.floor(filler / 2), 'x') }),
    );
    expect(Buffer.byteLength(fits)).toBe(256 * 1024);
    const tooLong = fits.replace('éé', 'ééx');
    for (const options of [asTeam, lines]) {
      expect(await accept(fits, options)).toMatchObject({ rejected: [] });
      expect(await accept(tooLong, options)).toMatchObject({ rejected: [{ code: 'event_too_large', id: 'a' }] });
    }
    expect(await accept(`${fits} `, lines)).toMatchObject({ rejected: [{ code: 'event_too_large' }] });
    expect(await accept(`[${fits} , ${fits}]`)).toMatchObject({ rejected: [] });
  });

  it('is judged alone in a large body too, where what is far too large is not even parsed', async () => {
    const { accept } = start();
    const spaced = JSON.stringify(event({ id: 'spaced' })).replace('{', `{${' '.repeat(700_000)}`);
    const huge = `{"id":"huge","a":${'['.repeat(1_100_000)}${']'.repeat(1_100_000)}}`;
    expect(await accept(`[${spaced}, 5,${huge}]`)).toMatchObject({
      accepted: 1,
      rejected: [
        { index: 1, code: 'invalid_event' },
        { index: 2, code: 'event_too_large', id: null },
      ],
    });
    expect(await accept(`${huge}\n${spaced}`, lines)).toMatchObject({ duplicates: 0, rejected: [{ index: 0 }, {}] });
    expect(await accept(huge)).toMatchObject({ rejected: [{ code: 'event_too_large' }] });
    for (const broken of [`[${spaced},]`, `[${spaced}`, `[${spaced}] 1`, `${spaced},`, ` ${' '.repeat(600_000)}5`])
      await expect(accept(broken)).rejects.toMatchObject({ code: 'invalid_json' });
  });

  it('names its team under an installation key', async () => {
    const { accept } = start();
    const sent = [
      event({ id: 'a', context: { teamId: 'one' } }),
      event({ id: 'a', team_id: 'two' }),
      event({ id: 'b', context: { teamId: 'one' } }),
      event({ id: 'c' }),
      event({ id: 'd', team_id: '_installation' }),
    ];
    expect(await accept(JSON.stringify(sent), { team: null, format: 'json' })).toMatchObject({
      accepted: 3,
      appended: [
        { teamId: 'one', firstSequence: 1, lastSequence: 2 },
        { teamId: 'two', firstSequence: 1, lastSequence: 1 },
      ],
      rejected: [
        { index: 3, code: 'team_required' },
        { index: 4, code: 'invalid_team' },
      ],
    });
  });

  it('is refused for an unknown team when teams are not created on first sight', async () => {
    const { accept } = start({ isTeamKnown: async (team) => team === 'one' });
    const sent = [event({ id: 'a', team_id: 'one' }), event({ id: 'b', team_id: 'two' })];
    expect(await accept(JSON.stringify(sent), { team: null, format: 'json' })).toMatchObject({
      accepted: 1,
      rejected: [{ index: 1, code: 'unknown_team' }],
    });
    expect(await accept(JSON.stringify(event({ id: 'c' })), asTeam)).toMatchObject({ accepted: 1 });
  });

  it('is refused for a deleted team, the events of others are taken', async () => {
    const { accept } = start({}, undefined, 'gone');
    const sent = ['gone', 'acme', 'gone'].map((team_id, i) => event({ id: `${i}`, team_id }));
    const refused = { code: 'unknown_team', path: 'context.teamId', message: 'the team was deleted' };
    expect(await accept(JSON.stringify(sent), { team: null, format: 'json' })).toEqual({
      accepted: 1,
      duplicates: 0,
      rejected: [
        { index: 0, id: '0', ...refused },
        { index: 2, id: '2', ...refused },
      ],
      appended: places(1, 1),
    });
    expect(await accept(JSON.stringify(event({ id: 'c' })), { team: 'gone', format: 'json' })).toMatchObject({
      accepted: 0,
      rejected: [{ index: 0, id: 'c', ...refused }],
    });
  });
});

describe('what the SDK wrote', () => {
  const fixture = (name: string) => readFileSync(join(import.meta.dirname, 'fixtures', name), 'utf8');

  it('is accepted whole, found again whole, and conflicts where it differs', async () => {
    const { accept } = start();
    const events = fixture('producer-sdk-v1.ndjson');
    const first = await accept(events, asInstallation);
    expect(first).toMatchObject({ accepted: 400, duplicates: 0, rejected: [] });
    expect(first.appended).toHaveLength(3);
    expect(await accept(events, asInstallation)).toMatchObject({
      accepted: 0,
      duplicates: 400,
      rejected: [],
      appended: [],
    });
    const array = `[${events.trim().split('\n').join()}]`;
    expect(await accept(array, { team: null, format: 'json' })).toMatchObject({ accepted: 0, duplicates: 400 });
    const { accepted, duplicates, rejected } = await accept(fixture('conflicts.ndjson'), asInstallation);
    expect([accepted, duplicates, rejected.map(({ code }) => code)]).toEqual([0, 0, Array(10).fill('id_conflict')]);
  });

  it('keeps its meaning', async () => {
    const { accept, log } = start();
    const events = fixture('producer-sdk-v1.ndjson');
    await accept(events, asInstallation);
    for (const [i, line] of events.trim().split('\n').entries()) {
      const sent = JSON.parse(line);
      const stored = JSON.parse(log[i]?.json ?? '');
      expect(stored).toMatchObject({ id: sent.id, eventCategory: sent.event.category, status: sent.event.status });
      expect(stored.timestamp).toBe(`${sent.timestamp.slice(0, 23).replace(' ', 'T')}Z`);
      expect([stored.metadata, stored.changes, stored.target]).toEqual([sent.metadata, sent.changes, sent.target]);
      expect([stored.description, stored.failureReason]).toEqual([sent.event.description, sent.event.error_message]);
      expect([stored.actor, stored.context.ipAddress]).toEqual([sent.actor ?? undefined, sent.context?.ip_address]);
      expect(stored).not.toHaveProperty('trailproof');
    }
  });
});

describe('accepting', () => {
  it('refuses more than fits in memory, but always takes one body', async () => {
    const held = Promise.withResolvers<void>();
    const { accept } = start({ limits: { bytesInFlight: 100 } }, held.promise);
    const first = accept(JSON.stringify(event({ id: 'a' })));
    await expect(accept(JSON.stringify(event({ id: 'b' })))).rejects.toBeInstanceOf(Overloaded);
    held.resolve();
    expect(await first).toMatchObject({ accepted: 1 });
    expect(await accept(JSON.stringify(event({ id: 'b' })))).toMatchObject({ accepted: 1 });
  });

  it('frees its place when the log fails', async () => {
    const failing = createAccept({
      log: { append: () => Promise.reject(new Error('disk')) },
      clock: { now: () => now },
      limits: { bytesInFlight: 1 },
    });
    for (let i = 0; i < 2; i++)
      await expect(failing.accept(Buffer.from(JSON.stringify(event({ id: 'a' }))), asTeam)).rejects.toThrow('disk');
  });

  it('judges any bytes', async () => {
    const { accept } = start();
    const piece = fc.oneof(
      fc.uint8Array(),
      fc.constantFrom('\n', '{"id":"', '"}', '[', ']', '1e999').map((s) => Buffer.from(s)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece), fc.constantFrom(asTeam, lines), async (pieces, options) => {
        const verdict = await accept(Buffer.concat(pieces), options).catch((error: unknown) => error);
        if (verdict instanceof Error) expect(verdict).toBeInstanceOf(BadBody);
        else expect(verdict).toMatchObject({ accepted: 0 });
      }),
    );
  });
});

function event(fields: object): object {
  return { timestamp: '2026-01-15T10:30:00.000Z', eventType: 'logout', ...fields };
}

function places(firstSequence: number, lastSequence: number) {
  return [{ teamId: 'acme', firstSequence, lastSequence }];
}

/** Accept over a log in memory; `held` delays every append; the team `deleted` was deleted. */
function start(parts: Omit<Partial<AcceptParts>, 'log' | 'clock'> = {}, held?: Promise<void>, deleted?: string) {
  const log: NewEvent[] = [];
  const append: EventLog['append'] = async (events) => {
    await held;
    return Array.from(events, (event): Appended => {
      if (event.team === deleted) return { kind: 'team_deleted' };
      const ofTeam = log.filter(({ team }) => team === event.team);
      const known = ofTeam.findIndex(({ id }) => id === event.id);
      if (known !== -1)
        return { kind: ofTeam[known]?.hash === event.hash ? 'duplicate' : 'conflict', sequence: known + 1 };
      log.push(event);
      return { kind: 'appended', sequence: ofTeam.length + 1 };
    });
  };
  const { accept } = createAccept({ ...parts, log: { append }, clock: { now: () => now } });
  return {
    log,
    accept: (body: string | Buffer, options: AcceptOptions = asTeam) => accept(Buffer.from(body), options),
  };
}

import { andStores, beyond, type Call, first, page, type Reply, type Row, reply } from './row.ts';

const MAYBE_STORED = 'the answer leaves open whether the batch was stored';
const LASTS = /goes on by itself/;
const ADDRESS = /Check host, port and path of the endpoint URL/;

/** Sections 1.1 to 1.3: what any server, proxy or balancer in front of a SIEM answers. `siem` as causes name it. */
export function commonRows(siem: string): readonly Row[] {
  const said = (words: string): RegExp => new RegExp(`^${siem}.*${words}`);
  const setting = (row: string, answer: () => Reply, cause: RegExp, fix: RegExp): Row => ({
    row: `§1.2 ${row}`,
    script: first(answer),
    expect: { effect: 'held', state: 'misconfigured', cause, fix },
  });
  const again = (row: string, answer: (call: Call) => Reply, more: Partial<Row> = {}): Row => ({
    row,
    script: first(answer),
    expect: { effect: 'kept', state: 'retrying', cause: said('answered'), fix: LASTS },
    ...more,
  });
  const throttled = (
    row: string,
    headers: (now: number) => Record<string, string>,
    waitsMs: [number, number],
  ): Row => ({
    row: `§1.2 429 ${row}`,
    script: first(({ now }) => reply(429, { error: 'slow down' }, headers(now))),
    expect: { effect: 'kept', state: 'throttled', cause: said('429'), fix: /raise the limit/, waitsMs },
  });
  const unreachable = (row: string, answer: (call: Call) => Reply, cause: RegExp, more: Partial<Row> = {}): Row => ({
    row: `§1.1 ${row}`,
    script: first(answer),
    expect: { effect: 'kept', state: 'disconnected', cause, fix: /firewall allows our IP addresses/ },
    uncertain: MAYBE_STORED,
    ...more,
  });
  const serverErrors = [500, 502, 503, 504].flatMap((status) => [
    again(`§1.1 ${status}, nothing stored`, () => reply(status, { message: 'try later' })),
    again(
      `§1.1 ${status}, all stored`,
      andStores(() => reply(status, { message: 'try later' })),
      {
        uncertain: MAYBE_STORED,
      },
    ),
  ]);
  return [
    ...[301, 302, 303, 307, 308].map((status) =>
      setting(`${status} to a login page`, () => page(status), said(`${status}`), /Redirects are not followed/),
    ),
    setting(
      '200 with a web page',
      () => page(200),
      said('a web page \\(200\\)'),
      /a web page or a proxy answers there/,
    ),
    setting(
      '200 with a web page under the type of JSON',
      () => ({ ...page(200), headers: { 'content-type': 'application/json' } }),
      said('a web page \\(200\\)'),
      /a web page or a proxy answers there/,
    ),
    ...[400, 401, 403, 404].map((status) =>
      setting(
        `${status} with a web page`,
        () => page(status),
        said(`a web page \\(${status}\\)`),
        /web page or a proxy/,
      ),
    ),
    setting('407', () => reply(407, 'no'), said('407'), /proxy asks for credentials/),
    setting('511', () => page(511), said('511'), /Sign this network in/),
    ...[421, 426, 505].map((status) => setting(`${status}`, () => reply(status, 'no'), said(`${status}`), ADDRESS)),
    again('§1.2 408, nothing stored', () => reply(408, { message: 'too slow' })),
    again(
      '§1.2 408, all stored',
      andStores(() => reply(408, { message: 'too slow' })),
      { uncertain: MAYBE_STORED },
    ),
    again('§1.2 425', () => reply(425, { message: 'too early' })),
    ...serverErrors,
    again('§1.1 503 with a web page of a balancer', () => page(503, 'Bad gateway')),
    again('§1.2 503 with Retry-After in seconds', () => reply(503, {}, { 'retry-after': '120' }), {
      expect: { effect: 'kept', state: 'retrying', cause: said('503'), fix: LASTS, waitsMs: [120_000, 120_000] },
    }),
    throttled('without Retry-After', () => ({}), [100, 1_000]),
    throttled('with Retry-After in seconds', () => ({ 'retry-after': '47' }), [47_000, 47_000]),
    throttled(
      'with Retry-After as an HTTP date',
      (now) => ({ 'retry-after': new Date(Math.ceil(now / 1_000) * 1_000 + 90_000).toUTCString() }),
      [90_000, 91_000],
    ),
    throttled('with Retry-After for days', () => ({ 'retry-after': '864000' }), [3_600_000, 3_600_000]),
    throttled('with Retry-After that nobody can read', () => ({ 'retry-after': 'soon' }), [100, 1_000]),
    unreachable('reset before anything was stored', () => ({ status: 0, instead: 'reset' }), /closed the connection/),
    unreachable(
      'reset while waiting for the answer, all stored',
      andStores(() => ({ status: 0, instead: 'reset' })),
      /closed the connection/,
    ),
    unreachable(
      'no answer in time, all stored',
      andStores(() => ({ status: 0, instead: 'silence' })),
      /did not answer within/,
      { answerTimeoutMs: 400 },
    ),
    {
      row: '§1.1 413 of a proxy, as a web page',
      script: beyond(3, () => page(413, 'Request Entity Too Large')),
      expect: { effect: 'delivered', state: 'connected', posts: 7 },
    },
  ];
}

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { openApi } from '../../../src/cli/api.ts';
import { operatorSocket } from '../../../src/cli/operator-socket.ts';
import { startDatadogStandIn } from '../../../src/destinations/datadog/stand-in.ts';
import type { StandIn } from '../../../src/destinations/destination.ts';
import { startElasticStandIn } from '../../../src/destinations/elastic/stand-in.ts';
import { startQRadarStandIn } from '../../../src/destinations/qradar/stand-in.ts';
import { startSentinelStandIn } from '../../../src/destinations/sentinel/stand-in.ts';
import { startSplunkStandIn } from '../../../src/destinations/splunk/stand-in.ts';
import { startMailServer } from '../../rig/mail-server.ts';
import { teamApi, temporaryFolder } from '../../rig/service.ts';
import { judge } from '../judge.ts';
import type { Random } from '../random.ts';
import type { Scenario, Tally } from '../scenario.ts';
import { type Asker, ask } from './http.ts';
import { KINDS, SECRET_OF, settingsOf } from './kinds.ts';
import { type WatchedService, watchService } from './watched-service.ts';

/** Says that it is something else than a part of a value: a line, a header, a field, a formula, a record. */
const BREAKS: readonly string[] = [
  ...[
    '\n',
    '\r',
    '\r\n',
    '\n\n',
    '\u0000',
    '\u000b',
    '\u000c',
    '\u001c',
    '\u0085',
    '\u2028',
    '\u2029',
    '\t',
    '|',
    '^',
    '\\n',
    '%0d%0a',
  ],
];
const FORGED: readonly string[] = [
  '{"level":30,"time":1,"msg":"forged"}',
  '{"id":"forged","eventType":"forged"}',
  '{"create":{"_index":"forged","_id":"forged"}}',
  '{"event":{"id":"forged"},"index":"forged"}',
  'LEEF:2.0|forged|forged|1|forged|x09|eventUid=forged\tusrName=forged',
  '<14>1 2026-01-01T00:00:00Z forged forged - - - forged',
  'X-Injected: forged',
  'Bcc: forged@evil.example',
  ']},{"id":"forged"},{"x":["',
  '=cmd|"/c calc"!A0',
  '","forged","',
];
const FORMULAS: readonly string[] = [
  ...[
    '=1+1',
    '+1',
    '-1+2',
    '@SUM(1)',
    '\t=1',
    '\r=1',
    '\n=1',
    ' =1',
    '\u00a0=1',
    '\ufeff=1',
    '\u200b+1',
    '＝1',
    '＋1',
    '－1',
    '＠x',
  ],
  ...[
    '=HYPERLINK("http://evil.example","x")',
    "=cmd|' /C calc'!A0",
    '"=1',
    "'=1",
    ';=1',
    ',=1',
    '\u2060@x',
    '\u0000=1',
  ],
];

/** Values that pretend to be more than a value, in events, names and settings: nowhere does one become more. */
export const injection: Scenario = {
  name: 'security/injection',
  inShort: true,
  withinSeconds: 120,
  async run({ size, random, say }) {
    const folder = await temporaryFolder();
    const siems: (readonly [kind: string, settings: object, standIn: StandIn])[] = [];
    const mail = await startMailServer({ disabledCommands: ['STARTTLS'] });
    try {
      const port = { port: 0 };
      for (const [kind, standIn, more] of [
        ['splunk', await startSplunkStandIn(port), {}],
        ['datadog', await startDatadogStandIn(port), {}],
        ['elastic', await startElasticStandIn(port), {}],
        ['sentinel', await startSentinelStandIn(port), {}],
        ['qradar', await startQRadarStandIn(port, { maxPayloadLength: 32_767 }), { maxPayloadLength: '32767' }],
        [
          'qradar',
          await startQRadarStandIn(port, { maxPayloadLength: 32_767 }),
          { maxPayloadLength: '32767', payload: 'leef' },
        ],
      ] as const)
        siems.push([kind, { ...standIn.settings, ...more }, standIn]);
      const env = {
        ...{ DESTINATION_NETWORK: 'any', ALLOW_HTTP_DESTINATIONS: 'true', LOG_LEVEL: 'trace' },
        SMTP_URL: `smtp://127.0.0.1:${mail.port}`,
      };
      const service = await watchService(folder.path, env);
      const api = await teamApi({ ...service, kill: async () => {}, stop: service.end }, folder.path);
      try {
        const destinations: string[] = [];
        for (const [kind, settings] of siems) {
          const made = await ask(service.url, 'POST', '/v1/destinations', api, {
            kind,
            name: kind,
            settings,
            startAt: 'beginning',
          });
          assert.equal(made.status, 201, made.text);
          destinations.push(String(made.json['id']));
        }
        const acknowledged = await sendHostileEvents(service, api, random, size === 'full' ? 600 : 120);
        const settings = await enterHostileSettings(service, api, size, random);
        const mails = await mailHostileNames(service, folder.path, mail);
        const total = { events: 0, lost: 0, duplicated: 0, deadLettered: 0, countersExact: true as boolean | null };
        for (const [i, destination] of destinations.entries()) {
          const standIn = siems[i]![2];
          const tally: Omit<Tally, 'faults'> = await judge({ api, destination, standIn, acknowledged });
          total.events = tally.events;
          total.lost += tally.lost;
          total.duplicated += tally.duplicated;
          total.deadLettered += tally.deadLettered;
          if (tally.countersExact === false) total.countersExact = false;
          const { rejected } = standIn.counts();
          assert.equal(rejected, 0, `${siems[i]![0]}: ${rejected} lines that are no event`);
          for (const id of standIn.ids().keys())
            assert.ok(!id.includes('forged'), `${siems[i]![0]} took a forged event ${id}`);
        }
        await readTables(service, api, acknowledged.length);
        readLog(service);
        say(`${settings} settings, ${mails} mails, ${destinations.length} SIEMs, the log, CSV`);
        return { ...total, faults: acknowledged.length + settings + mails };
      } finally {
        await api.close();
        await service.end();
      }
    } finally {
      for (const [, , standIn] of siems) await standIn.close();
      await mail.close();
      await folder.remove();
    }
  },
};

/** A text that breaks out of whatever it is put into. */
function hostile(random: Random): string {
  if (random.between(0, 3) === 0) return random.pick(FORMULAS) + random.pick(BREAKS) + random.pick(FORGED);
  return `a${random.pick(BREAKS)}${random.pick(FORGED)}${random.pick(BREAKS)}${random.pick(FORGED)}`;
}

async function sendHostileEvents(
  service: WatchedService,
  asker: Asker,
  random: Random,
  count: number,
): Promise<string[]> {
  const text = (): string => hostile(random);
  const events = Array.from({ length: count }, (_, n) => ({
    id: `real-${String(n).padStart(6, '0')}`,
    timestamp: new Date().toISOString(),
    eventType: random.pick(['user.created', 'auth.login.failure', 'custom.thing']),
    eventCategory: random.pick(['authentication', 'custom']),
    ...{ description: text(), failureReason: text(), status: 'failure' },
    actor: { id: text().slice(0, 100), email: text().slice(0, 100), name: text().slice(0, 100), type: 'user' },
    target: { type: 'user', id: text().slice(0, 100), name: text().slice(0, 100) },
    context: {
      ipAddress: text().slice(0, 40),
      userAgent: text(),
      sessionId: text().slice(0, 60),
      requestId: text().slice(0, 60),
    },
    changes: { previous: { [text()]: text() }, current: { [text()]: [text(), { [text()]: null }] } },
    metadata: {
      [text()]: text(),
      constructor: { prototype: { forged: 1 } },
      list: [text()],
      [random.pick(FORMULAS)]: 1,
    },
  }));
  const acknowledged: string[] = [];
  for (let at = 0; at < events.length; at += 100) {
    const batch = events.slice(at, at + 100);
    const answer = await ask(service.url, 'POST', '/v1/events', asker, batch, { 'user-agent': 'x forged' });
    assert.equal(answer.status, 200, answer.text);
    const rejected = new Set(
      ((answer.json['rejected'] ?? []) as readonly { index: number }[]).map(({ index }) => index),
    );
    acknowledged.push(...batch.filter((_, i) => !rejected.has(i)).map(({ id }) => id));
  }
  assert.ok(acknowledged.length > count / 2, `most of it is allowed: ${acknowledged.length} of ${count}`);
  return acknowledged;
}

/** Settings that end a header or a request line: refused, or sent as what they are. */
async function enterHostileSettings(
  service: WatchedService,
  asker: Asker,
  size: string,
  random: Random,
): Promise<number> {
  const heads: string[] = [];
  const server = createServer((request, response) => {
    heads.push(
      JSON.stringify([request.url, ...request.rawHeaders.map((name, i) => (i % 2 === 0 ? name.toLowerCase() : ''))]),
    );
    request
      .resume()
      .on('end', () =>
        response.writeHead(200, { 'content-type': 'application/json' }).end('{"text":"Success","code":0}'),
      );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const more = {
    ...{ source: 's', sourcetype: 's', tags: 't', pipeline: 'p', headerName: 'SEC', service: 's', payload: 'leef' },
  };
  const attacks = [
    '\r\nX-Injected: 1',
    '\nX-Injected: 1',
    '\rX-Injected: 1',
    '\u0000\r\nX-Injected: 1',
    '\u010d\u010aX-Injected: 1',
    ' HTTP/1.1\r\nX-Injected: 1\r\n\r\nGET /injected',
  ];
  let entered = 0;
  try {
    for (const kind of KINDS) {
      const plain = settingsOf(kind, url);
      for (const field of [...Object.keys(plain), ...Object.keys(more)])
        for (const attack of size === 'full' ? attacks : [random.pick(attacks)]) {
          const optional = field in plain ? {} : { [field]: more[field as keyof typeof more] };
          const settings: Record<string, string> = { ...plain, ...optional };
          settings[field] +=
            field.endsWith('Url') || field.endsWith('Endpoint') || field.endsWith('Host') ? `/${attack}` : attack;
          const { status, text } = await ask(service.url, 'POST', '/v1/destinations/test', asker, { kind, settings });
          assert.ok(status === 200 || status === 422, `${kind}.${field}: ${status} ${text}`);
          if (field === SECRET_OF[kind] && /[\r\n\0]/.test(attack) && kind !== 'sentinel')
            assert.equal(status, 422, `${kind}.${field}`);
          entered += 1;
        }
    }
    assert.ok(heads.length > 0, 'some of it is sent');
    for (const head of heads) assert.doesNotMatch(head, /"x-injected"|"\/injected/i);
    return entered;
  } finally {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  }
}

/** Names and addresses that end a mail's header. */
async function mailHostileNames(
  service: WatchedService,
  folder: string,
  mail: Awaited<ReturnType<typeof startMailServer>>,
): Promise<number> {
  const operator = openApi({ socketPath: operatorSocket(folder) });
  const names = [
    '\r\nBcc: forged@evil.example',
    '\nX-Injected: 1\n\nforged body',
    '\u0085Bcc: forged@evil.example',
    '=?utf-8?q?=0D=0ABcc:_forged@evil.example?=',
    '"<forged@evil.example>, ',
  ];
  const addresses = [
    'li@acme.example\r\nBcc: forged@evil.example',
    'li@acme.example,forged@evil.example',
    '"forged@evil.example> x"@acme.example',
    'forged@evil.example\u0000@acme.example',
    '<forged@evil.example>li@acme.example',
  ];
  let tried = 0;
  try {
    for (const [i, name] of names.entries()) {
      await operator.json('PATCH', '/v1/team?team=acme', { name: `Acme${name}` }).catch(() => {});
      const email = `guest${i}@acme.example`;
      const invited = await operator.json<{ mailed: boolean }>('POST', '/v1/invitations?team=acme', {
        email,
        role: 'member',
      });
      assert.ok(invited.mailed, 'a mail was sent');
      tried += 1;
    }
    for (const email of addresses) {
      await operator.json('POST', '/v1/invitations?team=acme', { email, role: 'member' }).catch(() => {});
      await ask(service.url, 'POST', '/v1/password/ask-reset', {}, { email });
      tried += 1;
    }
    for (const { to, headers, raw } of await mail.taken(names.length)) {
      assert.doesNotMatch(to, /evil/, `mailed to ${to}`);
      assert.ok(!headers.has('bcc') && !headers.has('x-injected') && !headers.has('cc'), raw);
    }
    return tried;
  } finally {
    await operator.json('PATCH', '/v1/team?team=acme', { name: 'acme' });
    await operator.close();
  }
}

/** CSV as a spreadsheet reads it (RFC 4180): as many rows as events, as many cells as columns, and no formula. */
async function readTables(service: WatchedService, asker: Asker, least: number): Promise<void> {
  const { text } = await ask(service.url, 'GET', '/v1/events/export?format=csv', asker);
  const rows = cellsOf(text);
  const width = rows[0]!.length;
  assert.ok(rows.length > least, `${rows.length} rows for ${least} events`);
  for (const row of rows) {
    assert.equal(row.length, width, JSON.stringify(row));
    for (const cell of row)
      assert.doesNotMatch(
        cell,
        /^[\s\p{Cc}\p{Cf}]*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20]|^[\t\r\n]/u,
        `a formula: ${JSON.stringify(cell)}`,
      );
  }
  for (const id of rows.slice(1).map((row) => row[rows[0]!.indexOf('id')]!)) assert.ok(!id.includes('forged'), id);
  const lines = (await ask(service.url, 'GET', '/v1/events/export?format=ndjson', asker)).text.trimEnd().split('\n');
  for (const line of lines) assert.ok(!String((JSON.parse(line) as { id: string }).id).includes('forged'), line);
}

function cellsOf(text: string): string[][] {
  const rows: string[][] = [[]];
  for (let at = 0; at < text.length; ) {
    let cell = '';
    if (text[at] === '"') {
      let end = at + 1;
      while (text[end] !== '"' || text[end + 1] === '"') end += text[end] === '"' ? 2 : 1;
      cell = text.slice(at + 1, end).replaceAll('""', '"');
      at = end + 1;
    } else {
      const end = at + /^[^",\r\n]*/.exec(text.slice(at, at + 10_000))![0].length;
      cell = text.slice(at, end);
      at = end;
    }
    rows.at(-1)!.push(cell);
    if (text[at] === ',') at += 1;
    else if (text.startsWith('\r\n', at)) {
      at += 2;
      if (at < text.length) rows.push([]);
    } else if (at < text.length) throw new Error(`no CSV at ${at}: ${JSON.stringify(text.slice(at, at + 60))}`);
  }
  return rows;
}

/** Every line of the log is one that the service wrote. */
function readLog(service: WatchedService): void {
  for (const line of service.output().split('\n')) {
    if (line === '') continue;
    const entry = JSON.parse(line) as { readonly msg?: unknown; readonly level?: unknown };
    assert.ok(typeof entry.level === 'number' && entry.msg !== 'forged', `a forged line: ${line}`);
  }
}

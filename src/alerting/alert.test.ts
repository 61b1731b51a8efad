import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type MailServer, startMailServer } from '../../test/rig/mail-server.ts';
import { TestClock } from '../../test/rig/test-clock.ts';
import type { Health } from '../delivery/delivery.ts';
import { createMailer } from '../outbound/mail.ts';
import { createOpenOutbound } from '../outbound/open-outbound.ts';
import { Secret, SecretBox } from '../secrets.ts';
import type { Alerted, AlertStore } from '../store/alerts.ts';
import type { DestinationState, StoredDestination } from '../store/destinations.ts';
import type { Team } from '../store/teams.ts';
import type { Logger } from '../telemetry/logger.ts';
import { createAlerting } from './alert.ts';
import type { Alerting } from './alerting.ts';
import { newWebhookSecret, resealWebhooks } from './webhook.ts';

const MINUTE = 60_000;
const ANA = 'ana@acme.example';
const closing: (() => unknown)[] = [];

let clock: TestClock;
let smtp: MailServer;
let secretBox: SecretBox;
/** How the destination `prod` stands: what delivery would measure. */
let health: Health;
let exists: boolean;
let team: Team;
let written: Alerted[];
let logged: string[];
let alerting: Alerting;

beforeEach(async () => {
  clock = new TestClock();
  secretBox = new SecretBox(randomBytes(32));
  smtp = await startMailServer({ disabledCommands: ['STARTTLS'] });
  closing.push(() => smtp.close());
  team = { id: 'acme', name: 'Acme', retentionDays: 365, createdAt: 0, alerts: { mail: true, webhook: null } };
  exists = true;
  written = [];
  logged = [];
  stand('connected');
  start();
});

afterEach(async () => {
  vi.useRealTimers();
  for (const close of closing.splice(0).reverse()) await close();
});

function stand(state: DestinationState, change: Partial<Health> = {}): void {
  const bad = {
    cause: 'Splunk answered "Invalid token" (403, code 4)',
    fix: 'Create a new token and replace it here.',
  };
  health = {
    ...{ state, since: clock.now(), cause: null, fix: null, nextAttemptAt: null, warning: null },
    ...{ lag: { events: 0, seconds: 0 }, last24h: { delivered: 0, failedAttempts: 0 } },
    counts: { matched: 0, filtered: 0, delivered: 0, deadLettered: 0, pending: 0 },
    ...{ lastSuccessAt: null, lastError: null },
    ...(state === 'connected' ? {} : bad),
    ...change,
  };
}

/** Starts alerting, as after a start of the process. */
function start(
  options: {
    smtpPort?: number | null;
    recipientsOf?: () => Promise<readonly string[]>;
    alerts?: Partial<AlertStore>;
  } = {},
): void {
  const { smtpPort = smtp.port, recipientsOf = async () => [ANA], alerts } = options;
  const smtpUrl = smtpPort === null ? null : new Secret(`smtp://127.0.0.1:${smtpPort}`);
  const mailer = createMailer({ smtpUrl, from: 'audit@acme.example', timeoutMs: 2_000 });
  const stored = { id: 'prod', team: 'acme', kind: 'splunk', name: 'prod' } as StoredDestination;
  const note = (_fields: object, message: string): void => void logged.push(message);
  const logger: Logger = { debug: note, info: note, warn: note, error: note, child: () => logger };
  alerting = createAlerting({
    delivery: {
      list: async () => (exists ? [stored] : []),
      get: async () => (exists ? stored : undefined),
      health: async () => health,
    },
    teams: { get: async () => team },
    alerts: { list: async () => written.slice(-1), put: async (alerted) => void written.push(alerted), ...alerts },
    openOutbound: createOpenOutbound({ network: 'any', allowHttp: true }),
    kinds: [{ kind: 'splunk', title: 'Splunk' }],
    baseUrl: () => 'https://audit.acme.example',
    ...{ recipientsOf, mailer, secretBox, clock, logger },
  });
  const started = alerting;
  closing.push(
    () => mailer.close(),
    () => started.stop(),
  );
}

function become(state: DestinationState, change: Partial<Health> = {}): void {
  stand(state, change);
  alerting.noticed('prod');
}

interface Receiver {
  readonly url: string;
  readonly calls: { readonly id: string; readonly body: unknown; readonly raw: string }[];
  answer: (call: number) => number;
}

/** Takes a webhook's calls, each verified by the library that receivers would use, at the test's time. */
async function receiver(): Promise<Receiver> {
  const { secret, sealed } = alerting.newSecret('acme');
  vi.useFakeTimers({ toFake: ['Date'] });
  const received: Receiver = { url: '', calls: [], answer: () => 204 };
  const server = createServer((request, response) => {
    void text(request).then((raw) => {
      vi.setSystemTime(clock.now());
      const body = new Webhook(secret).verify(raw, request.headers as Record<string, string>);
      received.calls.push({ id: String(request.headers['webhook-id']), body, raw });
      response.writeHead(received.answer(received.calls.length), { location: '/elsewhere' }).end('<b>not for you</b>');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  team = { ...team, alerts: { ...team.alerts, webhook: { url, sealed } } };
  return Object.assign(received, { url });
}

describe('a bad state', () => {
  it('is mailed to every Owner and Admin, each alone, with cause, fix, what waits and where to go', async () => {
    await alerting.stop();
    start({ recipientsOf: async () => [ANA, 'li@acme.example'] });
    become('authentication_failed', { lag: { events: 1_318, seconds: 750 } });
    const mails = await smtp.taken(2);
    expect(mails.map(({ to }) => to).sort()).toEqual([ANA, 'li@acme.example']);
    expect(mails[0]!.headers.get('subject')).toBe('Splunk “prod” has stopped accepting events (Acme)');
    expect(mails[0]!.text).toBe(
      [
        'Splunk “prod” has stopped accepting events since 2026-01-15 10:30:00 UTC: Authentication failed.',
        'Measured: Splunk answered "Invalid token" (403, code 4)',
        'What to do: Create a new token and replace it here.',
        '1,318 events are waiting. None is lost. The oldest has waited for 12 minutes.',
        'https://audit.acme.example/settings/siem/prod?team=acme',
        'You get this mail as an Owner or Admin of Acme. To change that: https://audit.acme.example/settings/general?team=acme',
        '',
      ]
        .join('\n\n')
        .replace(/\n\n$/, '\n'),
    );
  });

  it('is told once, however often it is noticed, and its end once', async () => {
    become('disconnected');
    await smtp.taken(1);
    for (let i = 0; i < 5; i++) alerting.noticed('prod');
    await clock.advance(60 * MINUTE);
    become('connected', { lag: { events: 1, seconds: 3_700 } });
    const mails = await smtp.taken(2);
    expect(mails[1]!.headers.get('subject')).toBe('Splunk “prod” accepts events again (Acme)');
    expect(mails[1]!.text).toContain('accepts events again since 2026-01-15 11:30:00 UTC. Before: Disconnected.');
    expect(mails[1]!.text).toContain('1 event is waiting. None is lost. The oldest has waited for 1 hour.');
    await clock.advance(60 * MINUTE);
    expect(smtp.mails).toHaveLength(2);
  });

  it('that comes back is told again only when a quarter of an hour is over', async () => {
    become('disconnected');
    await smtp.taken(1);
    become('connected');
    await smtp.taken(2);
    await clock.advance(MINUTE);
    become('disconnected');
    await vi.waitFor(() => expect(clock.nextDueAt).toBe(clock.now() + 14 * MINUTE));
    await clock.advance(14 * MINUTE);
    expect((await smtp.taken(3))[2]!.headers.get('subject')).toContain('has stopped');
  });

  it('that mostly ends by itself is told when it lasts five minutes, through whatever states', async () => {
    become('retrying');
    await vi.waitFor(() => expect(clock.nextDueAt).toBe(clock.now() + 5 * MINUTE));
    await clock.advance(4 * MINUTE);
    become('throttled');
    await vi.waitFor(() => expect(clock.nextDueAt).toBe(clock.now() + MINUTE));
    await clock.advance(MINUTE);
    const [mail] = await smtp.taken(1);
    expect(mail!.headers.get('subject')).toBe('Splunk “prod” is slowing events down (Acme)');
  });

  it('is nobody’s news while a person has paused the destination', async () => {
    become('retrying');
    await vi.waitFor(() => expect(clock.sleeping).toBe(1));
    become('paused');
    await vi.waitFor(() => expect(clock.sleeping).toBe(0));
    become('disconnected');
    await smtp.taken(1);
    expect(smtp.mails[0]!.text).toContain('Disconnected');
  });

  it('that began while the process was down is told at the start', async () => {
    await alerting.stop();
    stand('misconfigured');
    start();
    expect((await smtp.taken(1))[0]!.text).toContain('Needs a correction');
  });

  it('that was told is not told again after a restart, but its end is', async () => {
    become('disconnected');
    await vi.waitFor(() => expect(written).toHaveLength(1));
    await alerting.stop();
    start();
    become('connected');
    const mails = await smtp.taken(2);
    expect(mails.map((mail) => mail.headers.get('subject'))).toEqual([
      'Splunk “prod” has stopped accepting events (Acme)',
      'Splunk “prod” accepts events again (Acme)',
    ]);
  });
});

describe('the webhook', () => {
  it('gets a signed message of what happened', async () => {
    const hook = await receiver();
    become('authentication_failed', { lag: { events: 318, seconds: 90 } });
    await vi.waitFor(() => expect(hook.calls).toHaveLength(1));
    expect(hook.calls[0]!.body).toEqual({
      type: 'siem.destination.state_changed',
      timestamp: '2026-01-15T10:30:00.000Z',
      data: {
        team: { id: 'acme', name: 'Acme' },
        destination: { id: 'prod', name: 'prod', kind: 'splunk' },
        state: 'authentication_failed',
        previousState: null,
        since: '2026-01-15T10:30:00.000Z',
        summary: 'Splunk “prod” has stopped accepting events (Acme)',
        cause: 'Splunk answered "Invalid token" (403, code 4)',
        fix: 'Create a new token and replace it here.',
        waiting: {
          events: 318,
          oldestSeconds: 90,
          summary: '318 events are waiting. None is lost. The oldest has waited for 1 minute.',
        },
        url: 'https://audit.acme.example/settings/siem/prod?team=acme',
      },
    });
  });

  it('is called again, with the same id and bytes, at growing distances while the state lasts; mail is not', async () => {
    const hook = await receiver();
    hook.answer = (call) => (call < 4 ? 500 : 200);
    become('disconnected');
    for (const [i, pauseMs] of [5_000, 10_000, 20_000].entries()) {
      await vi.waitFor(() => expect(clock.nextDueAt).toBe(clock.now() + pauseMs));
      expect(hook.calls).toHaveLength(i + 1);
      await clock.advance(pauseMs);
    }
    await vi.waitFor(() => expect(hook.calls).toHaveLength(4));
    await vi.waitFor(() => expect(clock.sleeping).toBe(0));
    expect(new Set(hook.calls.map(({ id, raw }) => id + raw)).size).toBe(1);
    expect(smtp.mails).toHaveLength(1);
    expect(logged.filter((message) => message.includes('not taken'))).toHaveLength(3);
  });

  it('is not called for what is over', async () => {
    const hook = await receiver();
    hook.answer = () => 500;
    become('disconnected');
    await vi.waitFor(() => expect(clock.sleeping).toBe(1));
    hook.answer = () => 200;
    become('connected');
    await vi.waitFor(() => expect(hook.calls).toHaveLength(2));
    expect(hook.calls[1]!.body).toMatchObject({ data: { state: 'connected', previousState: 'disconnected' } });
    expect(hook.calls[1]!.id).not.toBe(hook.calls[0]!.id);
  });

  it('is called at its new address once a person has mended it', async () => {
    const hook = await receiver();
    const { url } = hook;
    team = { ...team, alerts: { ...team.alerts, webhook: { ...team.alerts.webhook!, url: 'http://127.0.0.1:9/' } } };
    become('disconnected');
    await vi.waitFor(() => expect(clock.sleeping).toBe(1));
    team = { ...team, alerts: { ...team.alerts, webhook: { ...team.alerts.webhook!, url } } };
    await clock.advance(5_000);
    await vi.waitFor(() => expect(hook.calls).toHaveLength(1));
  });
});

describe('when something of ours fails', () => {
  it('an alert that reached nobody is not taken for told', async () => {
    await alerting.stop();
    const gone = await startMailServer();
    await gone.close();
    start({ smtpPort: gone.port });
    become('disconnected');
    await vi.waitFor(() => expect(clock.sleeping).toBe(1));
    expect(written).toEqual([]);
    await alerting.stop();
    start();
    become('disconnected');
    await smtp.taken(1);
  });

  it('an alert that cannot be recorded is sent once', async () => {
    await alerting.stop();
    start({ alerts: { put: () => Promise.reject(new Error('disk full')) } });
    become('disconnected');
    await smtp.taken(1);
    await vi.waitFor(() => expect(logged).toContain('an alert was sent but could not be recorded'));
    alerting.noticed('prod');
    become('connected');
    expect((await smtp.taken(2))[1]!.headers.get('subject')).toContain('again');
  });

  it('it looks again', async () => {
    await alerting.stop();
    stand('disconnected');
    let asked = 0;
    start({ recipientsOf: async () => (asked++ === 0 ? Promise.reject(new Error('locked')) : [ANA]) });
    await vi.waitFor(() => expect(clock.sleeping).toBe(1));
    await clock.advance(5_000);
    await smtp.taken(1);
  });
});

describe('an idle process', () => {
  it('has no timer running while all is well, nor once the bad state was told', async () => {
    become('connected');
    become('disconnected');
    await smtp.taken(1);
    await vi.waitFor(() => expect(written).toHaveLength(1));
    expect(clock.sleeping).toBe(0);
  });

  it('forgets a destination that is deleted', async () => {
    become('retrying');
    await vi.waitFor(() => expect(clock.sleeping).toBe(1));
    exists = false;
    alerting.noticed('prod');
    await vi.waitFor(() => expect(clock.sleeping).toBe(0));
    await clock.advance(60 * MINUTE);
    expect(smtp.mails).toEqual([]);
  });
});

describe('a test', () => {
  it('of mail goes to those who would get an alert', async () => {
    expect(await alerting.test('acme', 'mail')).toEqual({
      ok: true,
      detail: `The mail server took it for ${ANA}.`,
      fix: null,
    });
    expect(smtp.mails[0]!.headers.get('subject')).toBe('Test of alerts (Acme)');
  });

  it('of mail says why none can be sent', async () => {
    await alerting.stop();
    start({ smtpPort: null });
    expect(await alerting.test('acme', 'mail')).toMatchObject({ ok: false, fix: expect.stringContaining('SMTP_URL') });
  });

  it('of the webhook posts a signed message and says what was answered, without the answer', async () => {
    const hook = await receiver();
    const { host } = new URL(hook.url);
    expect(await alerting.test('acme', 'webhook')).toEqual({ ok: true, detail: `${host} answered 204`, fix: null });
    expect(hook.calls[0]!.body).toMatchObject({ type: 'siem.alert.test', data: { team: { id: 'acme' } } });
    hook.answer = () => 302;
    expect(await alerting.test('acme', 'webhook')).toEqual({
      ok: false,
      detail: `${host} answered 302`,
      fix: 'Enter the address it leads to: redirects are not followed.',
    });
    hook.answer = () => 500;
    expect(JSON.stringify(await alerting.test('acme', 'webhook'))).not.toContain('not for you');
    expect(hook.calls).toHaveLength(3);
  });

  it.each(['http://169.254.169.254/latest', 'http://168.63.129.16/'])(
    'reaches no forbidden address: %s',
    async (url) => {
      await receiver();
      team = { ...team, alerts: { ...team.alerts, webhook: { ...team.alerts.webhook!, url } } };
      expect(await alerting.test('acme', 'webhook')).toMatchObject({
        ok: false,
        detail: expect.stringContaining('an address that destinations may not have'),
      });
    },
  );

  it('of a webhook whose secret was sealed elsewhere says so', async () => {
    await receiver();
    const sealed = secretBox.seal(new Secret('whsec_AAAA'), 'team:other:webhook');
    team = { ...team, alerts: { ...team.alerts, webhook: { ...team.alerts.webhook!, sealed } } };
    expect(await alerting.test('acme', 'webhook')).toMatchObject({ ok: false, fix: 'Make a new signing secret.' });
  });
});

describe('signing secrets', () => {
  it('outlive a rotation of the master key', async () => {
    const [old, next] = [randomBytes(32), randomBytes(32)];
    const { sealed } = newWebhookSecret(new SecretBox(old), 'acme');
    team = { ...team, alerts: { mail: true, webhook: { url: 'https://acme.example', sealed } } };
    const plain = { ...team, id: 'plain', alerts: { mail: true, webhook: null } };
    const updated: Team[] = [];
    const teams = {
      list: async () => [team, plain, ...updated],
      update: async (changed: Team) => updated.push(changed) > 0,
    };
    const rotated = new SecretBox(next, [old]);
    expect(await resealWebhooks(teams, rotated)).toBe(1);
    expect(await resealWebhooks({ ...teams, list: async () => updated }, rotated)).toBe(0);
    const { webhook } = updated[0]!.alerts;
    const secret = (box: SecretBox, text: string) => box.open(text, 'team:acme:webhook').reveal();
    expect(secret(new SecretBox(next), webhook!.sealed)).toBe(secret(new SecretBox(old), sealed));
    expect(secret(new SecretBox(old), sealed)).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  });
});

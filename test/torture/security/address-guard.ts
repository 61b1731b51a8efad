import assert from 'node:assert/strict';
import { openApi } from '../../../src/cli/api.ts';
import { operatorSocket } from '../../../src/cli/operator-socket.ts';
import { isAllowedAddress } from '../../../src/outbound/address-guard.ts';
import { createOpenOutbound } from '../../../src/outbound/open-outbound.ts';
import type { NetworkPolicy } from '../../../src/outbound/outbound.ts';
import { eventually, producerEvent } from '../../rig/events.ts';
import { teamApi, temporaryFolder } from '../../rig/service.ts';
import type { Scenario, ScenarioContext } from '../scenario.ts';
import { ADDRESSES, LOOPBACK_HOSTS, NEVER_HOSTS, ODD_FORMS, REFUSED_URLS } from './address-corpus.ts';
import { type DnsServer, startDnsServer } from './dns-server.ts';
import { KINDS, settingsOf } from './kinds.ts';
import { type Sentinels, startSentinels } from './sentinels.ts';
import { watchService } from './watched-service.ts';

const POLICIES: readonly NetworkPolicy[] = ['public', 'private', 'any'];
const GENEROUS_MS = 30_000;

/**
 * No address that a policy excludes is ever connected to, however it is written, resolved or led to, neither by the way
 * out itself nor by anything that the API lets a person enter.
 */
export const addressGuard: Scenario = {
  name: 'security/address-guard',
  inShort: true,
  withinSeconds: 120,
  async run(context) {
    const sentinels = await startSentinels(`sentinel-${context.random.bytes(8).toString('hex')}`);
    const dns = await startDnsServer();
    try {
      const addresses = judgeAddresses();
      const urls = await tryUrls(sentinels);
      const names = await tryNames(sentinels, dns);
      const redirects = await tryRedirects(sentinels);
      const entered = await enterEverywhere(sentinels, context);
      context.say(
        `${addresses} addresses, ${urls} URLs, ${names} names, ${redirects} redirects, ${entered} settings; no connection`,
      );
      const faults = addresses + urls + names + redirects + entered;
      return { events: 0, faults, lost: 0, duplicated: 0, deadLettered: 0, countersExact: null };
    } finally {
      await dns.close();
      await sentinels.close();
    }
  },
};

function judgeAddresses(): number {
  let judged = 0;
  for (const [allowance, texts] of ADDRESSES)
    for (const text of texts)
      for (const policy of POLICIES) {
        const isMeant = allowance !== 'never' && POLICIES.indexOf(policy) >= POLICIES.indexOf(allowance);
        assert.equal(isAllowedAddress(text, policy), isMeant, `${JSON.stringify(text)} under ${policy}`);
        judged += 1;
      }
  return judged;
}

/** URLs of this machine in every spelling, by way of the sentinels' port. */
function loopbackUrls(port: number): string[] {
  return [
    ...LOOPBACK_HOSTS.map((host) => `http://${host}:${port}/services`),
    ...ODD_FORMS.map((form) => form.replaceAll('PORT', String(port))),
  ];
}

function forbiddenUrls(port: number): string[] {
  return [
    ...NEVER_HOSTS.map((host) => `http://${host}:${port}/latest/meta-data/`),
    ...REFUSED_URLS.map((form) => form.replaceAll('PORT', String(port))),
  ];
}

async function tryUrls(sentinels: Sentinels): Promise<number> {
  const never = AbortSignal.timeout(GENEROUS_MS);
  let tried = 0;
  for (const network of POLICIES) {
    const outbound = createOpenOutbound({ network, allowHttp: true })({});
    try {
      const reachable = loopbackUrls(sentinels.port);
      const refused = [...forbiddenUrls(sentinels.port), ...(network === 'any' ? [] : reachable)];
      for (const url of refused) {
        const before = sentinels.connections();
        const answer = await outbound.request({ method: 'GET', url, headers: {} }, never);
        const probe = await outbound.probe(url, never);
        const what = `${JSON.stringify(url)} under ${network}`;
        assert.ok(answer.kind === 'failure' && answer.blocked, `${what}: ${JSON.stringify(answer)}`);
        assert.ok('kind' in probe && probe.blocked, `${what}, probed: ${JSON.stringify(probe)}`);
        assert.equal(sentinels.connections(), before, `${what} was connected to`);
        tried += 1;
      }
      if (network !== 'any') continue;
      // The same URLs do lead here: what was refused above would have been a connection.
      for (const url of reachable) {
        const answer = await outbound.request({ method: 'GET', url, headers: {} }, never);
        assert.ok(
          answer.kind === 'answer' && answer.body.includes(sentinels.text),
          `${JSON.stringify(url)} leads nowhere`,
        );
      }
    } finally {
      await outbound.close();
    }
  }
  return tried;
}

/** Names whose answers are forbidden, mixed, or change between two look-ups. */
async function tryNames(sentinels: Sentinels, dns: DnsServer): Promise<number> {
  const signal = AbortSignal.timeout(GENEROUS_MS);
  const openWith = (network: NetworkPolicy) => createOpenOutbound({ network, allowHttp: true }, dns.lookup)({});
  const forbidden: readonly (readonly string[])[] = [
    ...[
      ['127.0.0.1'],
      ['::1'],
      ['::ffff:7f00:1'],
      ['127.0.0.2', '::1'],
      ['8.8.8.8', '127.0.0.1'],
      ['127.0.0.1', '8.8.8.8'],
    ],
    ...[
      ['2606:4700::1111', '127.0.0.1'],
      ['8.8.8.8', '::1'],
      ['8.8.8.8', '64:ff9b::7f00:1'],
      ['10.0.0.1', '127.0.0.1'],
    ],
    ...[['0.0.0.0'], ['::'], ['169.254.169.254'], ['8.8.8.8', '169.254.169.254'], ['fd00:ec2::254'], ['2002:7f00:1::']],
  ];
  const metadata = ['metadata.google.internal', 'instance-data.ec2.internal', 'metadata.azure.internal', 'metadata'];
  for (const name of metadata) dns.say(name, ['169.254.169.254']);
  let tried = 0;
  for (const network of ['public', 'private'] as const) {
    const outbound = openWith(network);
    const refuse = async (host: string): Promise<void> => {
      const url = `http://${host}:${sentinels.port}/`;
      const answer = await outbound.request({ method: 'GET', url, headers: {} }, signal);
      assert.ok(answer.kind === 'failure' && answer.blocked, `${host} under ${network}: ${JSON.stringify(answer)}`);
      tried += 1;
    };
    try {
      for (const [i, answer] of forbidden.entries()) {
        dns.say(`mixed-${i}.test`, answer);
        await refuse(`mixed-${i}.test`);
        await refuse(`MIXED-${i}.test.`);
      }
      for (const name of metadata) await refuse(name);
      for (const name of metadata) await refuse(`${name}.`);
    } finally {
      await outbound.close();
    }
  }
  assert.equal(sentinels.connections() > 0, true, 'the sentinels can be reached');

  const outbound = openWith('any');
  try {
    const ask = (host: string) =>
      outbound.request({ method: 'GET', url: `http://${host}:${sentinels.port}/`, headers: {} }, signal);
    for (const next of [['169.254.169.254'], ['0.0.0.0'], ['64:ff9b::7f00:1'], ['127.0.0.1', '169.254.169.254']]) {
      dns.say('rebound.test', ['127.0.0.1'], next);
      const before = sentinels.connections();
      const first = await ask('rebound.test');
      assert.equal(first.kind, 'answer', JSON.stringify(first));
      assert.equal(dns.asked('rebound.test'), 1, 'what was checked is what is connected to: one look-up a connection');
      const second = await ask('rebound.test');
      assert.ok(second.kind === 'failure' && second.blocked, JSON.stringify(second));
      assert.equal(sentinels.connections(), before + 1);
      tried += 1;
    }
  } finally {
    await outbound.close();
  }
  return tried;
}

async function tryRedirects(sentinels: Sentinels): Promise<number> {
  const elsewhere = await startSentinels('elsewhere');
  const outbound = createOpenOutbound({ network: 'any', allowHttp: true })({});
  let tried = 0;
  try {
    const targets = [
      `http://127.0.0.2:${elsewhere.port}/`,
      `//127.0.0.1:${elsewhere.port}`,
      'http://169.254.169.254/',
      'file:///etc/passwd',
    ];
    for (const status of [300, 301, 302, 303, 305, 307, 308])
      for (const location of targets) {
        sentinels.redirect({ status, location });
        const url = `http://127.0.0.1:${sentinels.port}/`;
        const answer = await outbound.request(
          { method: 'POST', url, headers: {}, body: 'x' },
          AbortSignal.timeout(GENEROUS_MS),
        );
        assert.equal(answer.kind === 'answer' && answer.status, status);
        tried += 1;
      }
    assert.equal(elsewhere.connections(), 0, 'a redirect was followed');
  } finally {
    sentinels.redirect(null);
    await outbound.close();
    await elsewhere.close();
  }
  return tried;
}

/** Everything that the API takes an address in: destinations of each kind, tests of them, the team's webhook. */
async function enterEverywhere(sentinels: Sentinels, { size, random }: ScenarioContext): Promise<number> {
  const all = [...loopbackUrls(sentinels.port), ...forbiddenUrls(sentinels.port), cloudId(sentinels.port)];
  let entered = 0;
  for (const network of size === 'full'
    ? (['public', 'private'] as const)
    : [random.pick(['public', 'private'] as const)]) {
    const folder = await temporaryFolder();
    try {
      const env = { DESTINATION_NETWORK: network, ALLOW_HTTP_DESTINATIONS: 'true' };
      const service = await watchService(folder.path, env);
      const before = sentinels.connections();
      try {
        const api = await teamApi({ ...service, kill: async () => {}, stop: service.end }, folder.path);
        const seen: string[] = [];
        const call = async (method: string, path: string, body?: object): Promise<{ status: number; text: string }> => {
          const answer = await fetch(`${service.url}${path}`, {
            method,
            headers: {
              authorization: `Bearer ${api.key}`,
              accept: 'application/json',
              ...(body && { 'content-type': 'application/json' }),
            },
            ...(body && { body: JSON.stringify(body) }),
          });
          const text = await answer.text();
          assert.ok(answer.status < 500, `${method} ${path} ${JSON.stringify(body)}: ${answer.status} ${text}`);
          seen.push(text);
          return { status: answer.status, text };
        };
        const urls = size === 'full' ? all : random.shuffled(all).slice(0, 12);
        const created: string[] = [];
        for (const url of urls)
          for (const kind of random.shuffled(KINDS).slice(0, size === 'full' ? 2 : 1)) {
            const settings = settingsOf(kind, url);
            const test = await call('POST', '/v1/destinations/test', { kind, settings });
            assert.ok(test.status === 422 || JSON.parse(test.text).ok === false, `${kind} at ${url}: ${test.text}`);
            entered += 1;
            // Each lane costs a worker's time: some of each spelling, kinds in turn.
            if (created.length >= (size === 'full' ? 60 : 5)) continue;
            const made = await call('POST', '/v1/destinations', {
              kind,
              name: url.slice(0, 60).trim() || 'x',
              settings,
            });
            if (made.status === 201) created.push((JSON.parse(made.text) as { id: string }).id);
          }
        await call(
          'POST',
          '/v1/events',
          [1, 2, 3].map((n) => producerEvent(n)),
        );
        await tryWebhook(folder.path, urls, seen);
        for (const id of created)
          await eventually(async () => {
            const { text } = await call('GET', `/v1/destinations/${id}/health`);
            assert.match(text, /"state":"(misconfigured|retrying|disconnected)"/);
          }, GENEROUS_MS);
        for (const id of created) await call('GET', `/v1/destinations/${id}/attempts`);
        for (const id of created) await call('POST', `/v1/destinations/${id}/test`);
        assert.equal(sentinels.connections(), before, `a forbidden address was connected to under ${network}`);
        const told = seen.join('\n') + service.output();
        assert.ok(!told.includes(sentinels.text), 'what a forbidden address would answer was told');
        entered += created.length;
        await api.close();
      } finally {
        await service.end();
      }
    } finally {
      await folder.remove();
    }
  }
  return entered;
}

async function tryWebhook(folder: string, urls: readonly string[], seen: string[]): Promise<void> {
  const operator = openApi({ socketPath: operatorSocket(folder) });
  try {
    for (const webhookUrl of urls) {
      try {
        await operator.json('PATCH', '/v1/team?team=acme', { alerts: { webhookUrl } });
      } catch (error) {
        seen.push(String(error));
        continue;
      }
      const told = await operator.json<object>('POST', '/v1/team/alert-test?team=acme', { channel: 'webhook' });
      assert.ok('ok' in told && told.ok === false, `${webhookUrl}: ${JSON.stringify(told)}`);
      seen.push(JSON.stringify(told));
    }
  } finally {
    await operator.close();
  }
}

/** An Elastic Cloud ID whose parts make up a URL of this machine. */
function cloudId(port: number): string {
  return `deployment:${Buffer.from(`example.com$127.0.0.1:${port}/x$y`).toString('base64')}`;
}

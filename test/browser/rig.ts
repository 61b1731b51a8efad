import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { type BrowserContext, test as base, expect, type Page } from '@playwright/test';
import { type Api, openApi } from '../../src/cli/api.ts';
import { operatorSocket } from '../../src/cli/operator-socket.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox.ts';
import { type MailServer, startMailServer } from '../rig/mail-server.ts';
import { type ServiceProcess, startService, temporaryFolder } from '../rig/service.ts';

/** The built service in a process of its own, with stand-ins and a mail server in this one. */
export interface Rig {
  readonly service: ServiceProcess;
  readonly sandbox: Sandbox;
  readonly mail: MailServer;
  /** The API as the operator at the control socket. */
  readonly operator: Api;
}

export interface Person {
  readonly name: string;
  readonly email: string;
  readonly password: string;
}

export const ANA: Person = { name: 'Ana Novak', email: 'ana@acme.example', password: 'seven quiet rivers 7' };
export const TEAM = 'acme';

const MAIN = join(import.meta.dirname, '../../dist/main.js');

interface Fixtures {
  /** Environment of the service, above what the rig sets. */
  readonly environment: Readonly<Record<string, string>>;
  readonly rig: Rig;
  readonly watched: string[];
  /** A page in a browser of its own, as somebody else's; `ipAddress` is believed where TRUSTED_PROXIES says so. */
  readonly elsewhere: (ipAddress?: string) => Promise<Page>;
}

/**
 * Each test has a service of its own. Whatever a test does, its pages must ask no other origin for anything, violate no
 * policy and report no error.
 */
export const test = base.extend<Fixtures>({
  environment: [{}, { option: true }],
  rig: async ({ environment }, use) => {
    const rig = await startRig(environment);
    await use(rig);
    await rig.close();
  },
  watched: [
    async ({ context, rig }, use) => {
      const faults: string[] = [];
      watch(context, rig.service.url, faults);
      await use(faults);
      expect(faults).toEqual([]);
    },
    { auto: true },
  ],
  elsewhere: async ({ browser, rig, watched }, use) => {
    const contexts: BrowserContext[] = [];
    await use(async (ipAddress) => {
      const context = await browser.newContext(
        ipAddress === undefined ? {} : { extraHTTPHeaders: { 'x-forwarded-for': ipAddress } },
      );
      contexts.push(context);
      watch(context, rig.service.url, watched);
      return context.newPage();
    });
    await Promise.all(contexts.map((context) => context.close()));
  },
});
export { expect };

async function startRig(environment: Readonly<Record<string, string>> = {}): Promise<Rig & { close(): Promise<void> }> {
  if (!existsSync(MAIN)) throw new Error('dist/ is missing: npm run build');
  const folder = await temporaryFolder();
  const mail = await startMailServer({ disabledCommands: ['STARTTLS'] });
  const sandbox = await startSandbox({ port: 0, host: '127.0.0.1', tls: false });
  const service = await startService(folder.path, { SMTP_URL: `smtp://127.0.0.1:${mail.port}`, ...environment }, MAIN);
  const operator = openApi({ socketPath: operatorSocket(folder.path) });
  return {
    ...{ service, sandbox, mail, operator },
    async close() {
      await operator.close();
      await service.stop();
      await Promise.all([sandbox.close(), mail.close()]);
      await folder.remove();
    },
  };
}

/** Notes what no page may do: ask an origin that is not the service's own, violate a policy, report an error. */
export function watch(context: BrowserContext, service: string, faults: string[]): void {
  context.on('request', (request) => {
    const { protocol, origin } = new URL(request.url());
    const isOurs = origin === service || protocol === 'data:' || protocol === 'blob:';
    if (!isOurs) faults.push(`asked ${origin} for something`);
  });
  context.on('console', (message) => {
    // Refused requests are the browser's own remark; what they mean is up to the test.
    const isRemark = /^Failed to load resource: the server responded with a status of 4\d\d/.test(message.text());
    if (message.type() === 'error' && !isRemark) faults.push(message.text());
  });
  context.on('weberror', (error) => faults.push(String(error.error().stack)));
}

/** Opens the set-up link and makes the first team and its Owner, as a person does. Ends on Settings → SIEM. */
export async function setUp(page: Page, { service }: Rig, person: Person = ANA): Promise<void> {
  await page.goto(service.setupUrl!);
  await page.getByLabel('Team', { exact: true }).fill('Acme');
  await page.getByLabel('Your name').fill(person.name);
  await page.getByLabel('Your e-mail').fill(person.email);
  await page.getByLabel('Password', { exact: true }).fill(person.password);
  await page.getByRole('button', { name: 'Set up and connect a SIEM' }).click();
  await expect(page).toHaveURL(/\/settings\/siem\?team=acme/);
}

export async function signIn(page: Page, { service }: Rig, person: Person = ANA): Promise<void> {
  await page.goto(`${service.url}/sign-in`);
  await page.getByLabel('E-mail').fill(person.email);
  await page.getByLabel('Password', { exact: true }).fill(person.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page).toHaveURL(/\/settings\//);
}

/** A key of the team, made by the operator, and the API opened with it. */
async function teamKey({ operator, service }: Rig, ...scopes: string[]): Promise<Api & { readonly key: string }> {
  const { key } = await operator.json<{ key: string }>('POST', '/v1/api-keys', { team: TEAM, name: 'rig', scopes });
  return { ...openApi({ url: service.url, key }), key };
}

/** Nothing that axe knows of keeps anybody from using the page, by WCAG 2.2 AA; in the dark scheme only colours differ. */
export async function axeClean(page: Page): Promise<void> {
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await expect(page.locator('html')).toHaveAttribute('data-mantine-color-scheme', colorScheme);
    // A colour on its way to another is neither.
    await page.evaluate(async () => {
      await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
      const changes = document.getAnimations().filter((animation) => animation instanceof CSSTransition);
      await Promise.allSettled(changes.map(({ finished }) => finished));
    });
    const axe = new AxeBuilder({ page });
    const { violations } = await (colorScheme === 'light'
      ? axe.withTags(tags)
      : axe.withRules('color-contrast')
    ).analyze();
    const found = violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => ({ id, html, failureSummary })),
    );
    expect.soft(found, `${page.url()} in ${colorScheme}`).toEqual([]);
  }
}

/** A destination of the team at a stand-in, made by the operator; `change` goes over what the stand-in takes. */
export async function connect(
  { operator, sandbox }: Rig,
  kind: string,
  change: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const settings = { ...sandbox.standIns.get(kind)!.settings, ...change };
  const body = { kind, name: kind, settings, startAt: 'beginning' };
  return (await operator.json<{ id: string }>('POST', `/v1/destinations?team=${TEAM}`, body)).id;
}

/** Sends events through the API as a producer does. Each is a change of roles unless it says otherwise. */
export async function send(rig: Rig, ...events: readonly Readonly<Record<string, unknown>>[]): Promise<void> {
  const api = await teamKey(rig, 'events:write');
  const timestamp = new Date().toISOString();
  const actor = { id: 'u-7', email: 'bjorn@acme.example' };
  const sent = events.map((event) => ({ timestamp, eventType: 'user.role_changed', actor, ...event }));
  const { accepted } = await api.json<{ accepted: number }>('POST', '/v1/events', sent);
  expect(accepted).toBe(events.length);
  await api.close();
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { type Browser, type BrowserContext, chromium, expect, type Page } from '@playwright/test';
import { CHROMIUM_ARGUMENTS, chromiumPath } from '../test/browser/chromium.ts';
import { pagesOf, settled } from '../test/browser/pages.ts';

/**
 * Every page of the console from the demo's data, with one SIEM that refuses the credentials, in light and dark, on a
 * desktop and on a phone: `screenshots/<page>.<scheme>.<width>.png`. Words after the command choose pages by name.
 */
const FOLDER = 'screenshots';
const WIDTHS = { desktop: { width: 1440, height: 900 }, phone: { width: 360, height: 780 } };
const SCHEMES = ['light', 'dark'] as const;
const OUTAGE = 'splunk';
const wanted = process.argv.slice(2);

await rm(FOLDER, { recursive: true, force: true });
await mkdir(FOLDER, { recursive: true });
const demo = spawn(process.execPath, ['dist/main.js', 'demo', '--events', '3000'], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
const ended = once(demo, 'exit');
const browser = await chromium.launch({ executablePath: chromiumPath(), args: CHROMIUM_ARGUMENTS });
try {
  const taken = await takeAll(browser, await signInLink());
  console.log(`${taken} screenshots in ${FOLDER}/`);
} finally {
  await browser.close();
  demo.kill('SIGTERM');
  await ended;
}

/** The demo says it when its day has arrived everywhere. */
async function signInLink(): Promise<string> {
  for await (const line of createInterface({ input: demo.stdout })) {
    const link = /https?:\/\/\S+\/link#\S+/.exec(line)?.[0];
    if (link) return link;
  }
  throw new Error('the demo ended before it printed its link');
}

async function takeAll(browser: Browser, link: string): Promise<number> {
  const { origin } = new URL(link);
  const door = await browser.newContext({ timezoneId: 'UTC', locale: 'en-US' });
  let taken = await take(door, origin, { 'sign-in': '/sign-in', 'link-void': '/link#used' });
  const page = await door.newPage();
  await page.goto(link);
  await expect(page).toHaveURL(/\/settings\//, { timeout: 30_000 });
  const pages = await failing(page, origin);
  taken += await take(door, origin, pages);
  return taken;
}

/** Lets one SIEM refuse the credentials, and waits until the console knows. */
async function failing({ request }: Page, origin: string): Promise<Readonly<Record<string, string>>> {
  const get = async (path: string) => (await request.get(origin + path)).json();
  await request.put(`${origin}/v1/sandbox/${OUTAGE}/fault`, { data: { kind: 'unauthorized' }, headers: { origin } });
  const { items } = await get('/v1/destinations');
  const { id } = items.find(({ kind }: { kind: string }) => kind === OUTAGE);
  const state = async () => (await get(`/v1/destinations/${id}/health`)).state;
  await expect.poll(state, { timeout: 60_000 }).toBe('authentication_failed');
  const { events } = await get('/v1/events?eventType=user.role_changed&limit=1');
  return pagesOf(id, events[0].id);
}

async function take(context: BrowserContext, origin: string, pages: Readonly<Record<string, string>>): Promise<number> {
  const page = await context.newPage();
  let taken = 0;
  for (const [name, path] of Object.entries(pages)) {
    if (wanted.length > 0 && !wanted.some((word) => name.includes(word))) continue;
    for (const [width, viewport] of Object.entries(WIDTHS)) {
      await page.setViewportSize(viewport);
      await page.goto(origin + path);
      await settled(page);
      for (const colorScheme of SCHEMES) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        // The log has no end to show; a drawer covers the window, not the page.
        const fullPage = !name.startsWith('audit-logs');
        await page.screenshot({ path: `${FOLDER}/${name}.${colorScheme}.${width}.png`, fullPage });
        taken += 1;
      }
    }
  }
  await page.close();
  return taken;
}

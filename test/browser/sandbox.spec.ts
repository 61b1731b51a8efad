import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test as base, expect, type Page } from '@playwright/test';
import { watch } from './rig.ts';

const MAIN = join(import.meta.dirname, '../../dist/main.js');

/** The demo, as a visitor starts it, and the page their link opens. */
const test = base.extend<{ visitor: Page }>({
  visitor: async ({ page, context }, use) => {
    const demo = spawn(process.execPath, [MAIN, 'demo', '--events', '300'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const exited = once(demo, 'exit');
    try {
      const link = await printedLink(demo);
      const faults: string[] = [];
      watch(context, new URL(link).origin, faults);
      await page.goto(link);
      await use(page);
      expect(faults).toEqual([]);
    } finally {
      demo.kill('SIGINT');
      await exited;
    }
  },
});

test('a visitor of the demo takes Splunk’s credentials away, sees it said, and gives them back', async ({
  visitor: page,
}) => {
  test.setTimeout(120_000);
  const splunk = page.getByRole('region', { name: 'Splunk' });
  const standing = page.getByRole('listitem').filter({ has: page.getByRole('link', { name: 'Splunk' }) });
  const banner = page.getByRole('status', { name: 'Forwarding is not healthy' });

  await test.step('the sandbox shows what each stand-in received', async () => {
    await page.getByRole('link', { name: 'Sandbox' }).click();
    await expect(page.getByRole('region').filter({ hasText: 'Answers as it should' })).toHaveCount(5);
    await expect(splunk).toContainText('Connected');
    const received = splunk.getByRole('definition').first();
    expect(Number((await received.innerText()).replace(',', ''))).toBeGreaterThanOrEqual(300);
    await splunk.getByRole('button', { name: 'Splunk: Show events' }).click();
    await expect(splunk.getByRole('listitem')).toHaveCount(10);
  });

  await test.step('rejected, it is said on Settings → SIEM within a minute, with the fix and what waits', async () => {
    await splunk.getByRole('button', { name: 'Splunk: Reject credentials' }).click();
    await expect(splunk).toContainText('Refuses the credential');
    await page.getByRole('link', { name: 'SIEM', exact: true }).click();
    await expect(standing).toContainText('Authentication failed', { timeout: 60_000 });
    await expect(standing).toContainText('Copy the token value again');
    await expect(standing).toContainText(/[1-9]\d* events? (is|are) waiting\. None is lost\./);
    await expect(banner).toContainText('Splunk has not accepted events since');
  });

  await test.step('back again, everything arrives', async () => {
    await page.getByRole('link', { name: 'Sandbox' }).click();
    await splunk.getByRole('button', { name: 'Splunk: Come back' }).click();
    await expect(splunk).toContainText('Answers as it should');
    // By itself it would try again within half a minute.
    await banner.getByRole('link', { name: 'Fix Splunk' }).click();
    await page.getByRole('button', { name: 'Test connection' }).click();
    await expect(page.locator('#state')).toContainText(/Connected.*nothing waiting/);
    await page.getByRole('link', { name: 'SIEM', exact: true }).click();
    await expect(standing).toContainText('Connected');
    await expect(banner).toBeHidden();
  });
});

/** The link it prints when all is ready. */
function printedLink({ stdout }: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    createInterface({ input: stdout! })
      .on('line', (line) => {
        const link = /http\S+\/link#\S+/.exec(line);
        if (link) resolve(link[0]);
      })
      .once('close', () => reject(new Error('The demo ended without a link.')));
  });
}

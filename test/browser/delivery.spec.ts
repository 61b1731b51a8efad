import type { Page } from '@playwright/test';
import { connect, expect, type Rig, send, setUp, TEAM, test } from './rig.ts';
import { append } from './team.ts';

test('refused events are kept and sent again; a range of the log, too', async ({ page, rig }) => {
  const [splunk, elastic] = [rig.sandbox.standIns.get('splunk')!, rig.sandbox.standIns.get('elastic')!];
  await setUp(page, rig);
  // Every third event is wrong for its index, so that not all are: those would hold the destination.
  elastic.setFault({ kind: 'reject_items', every: 3 });
  const [atSplunk, atElastic] = [await connect(rig, 'splunk'), await connect(rig, 'elastic')];
  const ids = Array.from({ length: 9 }, (_, i) => `kept-${i}`);
  await send(rig, ...ids.map((id) => ({ id })));
  await expect.poll(() => health(rig, atElastic)).toMatchObject({ counts: { pending: 0 } });
  const refused = (await health(rig, atElastic)).counts.deadLettered;
  expect(refused).toBeGreaterThan(3);

  await test.step('dead letters say why, in the words of the SIEM', async () => {
    await open(page, rig, atElastic, 'dead-letters');
    const letters = page.getByRole('listitem').filter({ hasText: 'refused' });
    await expect(letters).toHaveCount(refused);
    const first = letters.filter({ hasText: 'user.role_changed' }).first();
    await expect(first).toContainText('Elasticsearch refused it: document_parsing_exception');
    await first.getByText('The event', { exact: true }).click();
    await expect(first).toContainText('bjorn@acme.example');
  });

  await test.step('mended, one is sent again, then all', async () => {
    elastic.setFault(null);
    const again = page.getByRole('button', { name: /^Send user.role_changed, number \d+, again$/ });
    await again.first().click();
    await expect(page.getByRole('status').filter({ hasText: '1 event on the way again' })).toBeVisible();
    await expect(page.getByRole('tab', { name: `Dead letters ${refused - 1}` })).toBeVisible();
    await page.getByRole('button', { name: `Send all ${refused - 1} again` }).click();
    await expect(page.getByRole('heading', { name: 'No dead letters' })).toBeVisible();
    for (const id of ids) expect(elastic.ids().get(id)).toBe(1);
  });

  await test.step('a range is counted before it is sent again; Elastic ignores what it has', async () => {
    await open(page, rig, atElastic, 'replay');
    const before = elastic.counts();
    const events = await replay(page, 'Elastic ignores those it has.');
    expect(elastic.counts().ignoredDuplicates).toBe(before.ignoredDuplicates + events);
    for (const id of ids) expect(elastic.ids().get(id)).toBe(1);
  });

  await test.step('Splunk shows them twice', async () => {
    await open(page, rig, atSplunk, 'replay');
    const before = splunk.counts();
    const events = await replay(page, 'Splunk does not recognise repeats: it may show up to');
    expect(splunk.counts().duplicates).toBeGreaterThanOrEqual(before.duplicates + events - 2);
    for (const id of ids) expect(splunk.ids().get(id)).toBe(2);
  });
});

test('paused, cut off and deleted, a destination says what becomes of events', async ({ page, rig }) => {
  const splunk = rig.sandbox.standIns.get('splunk')!;
  await setUp(page, rig);
  const id = await connect(rig, 'splunk');
  await connect(rig, 'elastic');
  const state = page.locator('#state');

  await test.step('paused, events wait', async () => {
    await open(page, rig, id, 'activity');
    await expect(state).toContainText('Connected');
    await page.getByRole('button', { name: 'Pause' }).click();
    const dialog = page.getByRole('dialog', { name: 'Pause splunk?' });
    await expect(dialog).toContainText('none is lost');
    await dialog.getByRole('button', { name: 'Pause' }).click();
    await expect(state).toContainText('Paused by Ana Novak');
    await append(rig, event('while-paused-1'), event('while-paused-2'));
    await expect.poll(async () => (await health(rig, id)).lag.events).toBeGreaterThanOrEqual(2);
    const { lag } = await health(rig, id);
    await expect(state).toContainText(`${lag.events} events are waiting. None is lost.`);
    expect(splunk.ids().has('while-paused-1')).toBe(false);
  });

  await test.step('resumed, they arrive', async () => {
    await page.getByRole('button', { name: 'Resume' }).click();
    await expect(state).toContainText(/Connected.*nothing waiting/);
    for (const event of ['while-paused-1', 'while-paused-2']) expect(splunk.ids().get(event)).toBe(1);
  });

  await test.step('the chart can be read', async () => {
    const chart = page.getByRole('img', { name: /In the last .*: \d+ events delivered, 0 attempts failed\./ });
    await expect(chart).toBeVisible();
    await page.getByText('As a table').click();
    await expect(page.getByRole('table').filter({ hasText: 'Longest wait' }).getByRole('row')).not.toHaveCount(1);
  });

  await test.step('refused, a banner comes on the page one is on, and goes', async () => {
    await page.getByRole('link', { name: 'Members' }).click();
    await expect(page.getByRole('heading', { name: 'Members' })).toBeVisible();
    splunk.setFault({ kind: 'unauthorized' });
    await append(rig, event('while-refused'));
    const banner = page.getByRole('status', { name: 'Forwarding is not healthy' });
    await expect(banner).toContainText('splunk has not accepted events since');
    await expect(banner).toContainText('none is lost');
    splunk.setFault(null);
    await banner.getByRole('link', { name: 'Fix splunk' }).click();
    await page.getByRole('button', { name: 'Test connection' }).click();
    await expect(state).toContainText('Connected');
    await page.getByRole('link', { name: 'Members' }).click();
    await expect(banner).toBeHidden();
    expect(splunk.ids().get('while-refused')).toBe(1);
  });

  await test.step('deleted only by its name, and its events stay', async () => {
    await open(page, rig, id, 'settings');
    await page.getByRole('button', { name: 'Delete' }).click();
    const dialog = page.getByRole('dialog', { name: 'Delete splunk?' });
    await expect(dialog).toContainText('Every event stays in the audit log');
    await dialog.getByLabel('Type splunk to confirm').fill('elastic');
    await dialog.getByRole('button', { name: 'Delete' }).click();
    await expect(dialog).toContainText('This is not the same.');
    await dialog.getByLabel('Type splunk to confirm').fill('splunk');
    await dialog.getByRole('button', { name: 'Delete' }).click();
    await expect(page).toHaveURL(/\/settings\/siem$/);
    await expect(page.getByRole('link', { name: 'elastic' })).toBeVisible();
    await expect(page.getByRole('link', { name: 'splunk' })).toBeHidden();
    await page.goto(`${rig.service.url}/settings/audit-logs?event=while-refused`);
    await expect(page.getByRole('dialog')).toContainText('while-refused');
  });
});

interface Standing {
  readonly lag: { readonly events: number };
  readonly counts: { readonly pending: number; readonly deadLettered: number };
}

function health({ operator }: Rig, id: string): Promise<Standing> {
  return operator.json('GET', `/v1/destinations/${id}/health?team=${TEAM}`);
}

function open(page: Page, { service }: Rig, id: string, tab: string): Promise<unknown> {
  return page.goto(`${service.url}/settings/siem/${id}?tab=${tab}`);
}

function event(id: string): object {
  return { id, timestamp: new Date().toISOString(), eventType: 'auth.logout', actor: { id: 'u-7' } };
}

/** Sends the last hour again and waits until all of it arrived; says how many events that were. */
async function replay(page: Page, note: string): Promise<number> {
  await page.getByRole('button', { name: 'Last hour' }).click();
  const counted = page.getByText(/^\d+ events, about [\d.]+ kB\.$/);
  await expect(counted).toBeVisible();
  await expect(page.getByText(note)).toBeVisible();
  const events = Number.parseInt(await counted.innerText(), 10);
  await page.getByRole('button', { name: 'Start' }).click();
  await expect(page.getByText(`${events} of ${events} delivered`)).toBeVisible();
  return events;
}

import { readFile } from 'node:fs/promises';
import type { Download, Locator, Page } from '@playwright/test';
import { dayOfEvents } from '../../src/demo-events.ts';
import { connect, expect, setUp, TEAM, test } from './rig.ts';
import { append, counted, join } from './team.ts';

const LOGS = '/settings/audit-logs';

test('the log is narrowed, shared, brushed and kept as a view', async ({ page, rig, elsewhere }) => {
  await setUp(page, rig);
  await append(rig, ...dayOfEvents(3_000, Date.now()));
  await page.goto(rig.service.url + LOGS);
  const [first, filter] = [row(page, 0), page.getByRole('search')];
  await expect(first).toBeVisible();
  const everything = await counted(rig);
  await expect(total(page)).toHaveText(inWords(everything));
  let left = everything;

  await test.step('the page needs less than 300 kB of compressed script', async () => {
    const bytes = await page.evaluate(() =>
      performance
        .getEntriesByType('resource')
        .filter((entry) => entry instanceof PerformanceResourceTiming && entry.name.endsWith('.js'))
        .reduce((sum, entry) => sum + (entry instanceof PerformanceResourceTiming ? entry.encodedBodySize : 0), 0),
    );
    expect(bytes).toBeGreaterThan(50_000);
    expect(bytes).toBeLessThan(300_000);
  });

  /** The page shows as many events as the API counts, fewer than before. */
  const narrowed = async (query: Readonly<Record<string, string>>): Promise<void> => {
    const events = await counted(rig, query);
    expect(events).toBeGreaterThan(0);
    expect(events).toBeLessThan(left);
    left = events;
    await expect(total(page)).toHaveText(inWords(events));
    await expect(list(page)).toHaveAttribute('aria-rowcount', String(events + 1));
  };
  const choose = async (title: string, choice: string): Promise<void> => {
    await filter.getByRole('button', { name: title, exact: true }).click();
    await page.getByRole('listbox', { name: title }).getByRole('option', { name: choice }).click();
    await page.keyboard.press('Escape');
  };
  const type = async (title: string, value: string): Promise<void> => {
    await filter.getByRole('button', { name: title, exact: true }).click();
    await page.getByRole('dialog', { name: title }).getByRole('textbox', { name: title }).fill(value);
    await page.keyboard.press('Enter');
  };

  await test.step('each condition leaves fewer, as many as the API counts', async () => {
    await choose('Category', 'Authentication');
    await narrowed({ category: 'authentication' });
    await choose('Status', 'Failure');
    await narrowed({ category: 'authentication', status: 'failure' });
    await type('IP address', '198.51.100.0/24');
    await narrowed({ category: 'authentication', status: 'failure', ip: '198.51.100.0/24' });
    await type('Actor', 'bjorn@acme.example');
    await narrowed({
      category: 'authentication',
      status: 'failure',
      ip: '198.51.100.0/24',
      actor: 'bjorn@acme.example',
    });
    await expect(first).toContainText('Sign-in refused');
    await expect(first).toContainText('bjorn@acme.example');
    await expect(first).toContainText('198.51.100.23');
    await expect(first).toContainText('failure');
  });

  await test.step('somebody else sees the same at the same address', async () => {
    const other = await elsewhere();
    await join(other, rig, 'auditor');
    await other.goto(page.url());
    await expect(total(other)).toHaveText(inWords(left));
    await expect(row(other, 0)).toHaveText(await first.innerText(), { useInnerText: true });
  });

  await test.step('Back and Forward', async () => {
    const narrowest = await total(page).innerText();
    await page.goBack();
    await expect(filter.getByRole('button', { name: 'Actor', exact: true })).toBeVisible();
    await expect(total(page)).not.toHaveText(narrowest);
    await page.goForward();
    await expect(filter.getByRole('button', { name: 'Actor: bjorn@acme.example' })).toBeVisible();
    await expect(total(page)).toHaveText(narrowest);
  });

  await test.step('by type, and by words', async () => {
    await filter.getByRole('button', { name: 'Clear' }).click();
    await expect(total(page)).toHaveText(inWords(await counted(rig)));
    left = Number.POSITIVE_INFINITY;
    await choose('Event', 'Role changed user.role_changed');
    await narrowed({ eventType: 'user.role_changed' });
    await filter.getByRole('searchbox').fill('FATIMA');
    await narrowed({ eventType: 'user.role_changed', q: 'fatima' });
    await expect(page).toHaveURL(/q=FATIMA/);
  });

  await test.step('a saved view opens it again, until it is deleted', async () => {
    await page.getByRole('button', { name: 'Views' }).click();
    await page.getByRole('menuitem', { name: 'Save this view …' }).click();
    const dialog = page.getByRole('dialog', { name: 'Save this view' });
    await expect(dialog).toContainText('Role changed, with “FATIMA”, last 24 hours');
    await dialog.getByLabel('Name').fill('Promotions');
    await dialog.getByRole('button', { name: 'Save view' }).click();
    await page.goto(rig.service.url + LOGS);
    await page.getByRole('button', { name: 'Views' }).click();
    await page.getByRole('menuitem', { name: 'Promotions', exact: true }).click();
    await expect(page.getByRole('button', { name: 'Promotions' })).toBeVisible();
    await expect(total(page)).toHaveText(inWords(left));
    await page.getByRole('button', { name: 'Promotions' }).click();
    await page.getByRole('menuitem', { name: 'Delete the view Promotions' }).click();
    await expect(page.getByText('A saved view opens its filter again')).toBeVisible();
    await page.keyboard.press('Escape');
  });

  await test.step('the chart is brushed with the mouse, and with keys', async () => {
    await page.goto(rig.service.url + LOGS);
    await expect(total(page)).toHaveText(inWords(await counted(rig)));
    const chart = page.getByRole('listbox', { name: /^Last 24 hours: / });
    const { x, y, width } = (await chart.boundingBox())!;
    await page.mouse.move(x + width * 0.7, y + 20);
    await page.mouse.down();
    await page.mouse.move(x + width * 0.9, y + 20, { steps: 4 });
    await page.mouse.up();
    await shows(await rangeOf(page));
    await page.goBack();
    await expect(chart).toBeVisible();
    await chart.focus();
    for (const key of ['End', 'Shift+ArrowLeft', 'Shift+ArrowLeft', 'Shift+ArrowLeft']) await page.keyboard.press(key);
    const chosen = chart.getByRole('option', { selected: true });
    await expect(chosen).toHaveCount(4);
    await page.keyboard.press('Enter');
    await shows(await rangeOf(page));
  });

  async function shows(range: { from: string; to: string }): Promise<void> {
    const events = await counted(rig, range);
    expect(events).toBeGreaterThan(0);
    expect(events).toBeLessThan(everything);
    await expect(total(page)).toHaveText(inWords(events));
  }
});

test('the log is read while events come in, and to its end', async ({ page, rig }) => {
  await setUp(page, rig);
  await append(rig, ...dayOfEvents(3_000, Date.now()));
  await page.goto(rig.service.url + LOGS);
  await expect(page.getByRole('button', { name: /^Live/ })).toBeVisible();

  await test.step('what arrives is announced, and nothing moves under the eyes', async () => {
    await row(page, 0).hover();
    await page.mouse.wheel(0, 1_500);
    await expect(row(page, 40)).toBeInViewport();
    const before = await seen(page);
    await append(rig, ...news('early', 12));
    const announced = page.getByRole('button', { name: '12 new events' });
    await expect(announced).toBeVisible();
    expect(await seen(page)).toEqual(before);
    await announced.click();
    await expect(row(page, 0)).toContainText('early-11@acme.example');
    await expect(announced).toBeHidden();
    expect(await page.evaluate(() => scrollY)).toBe(0);
  });

  await test.step('paused, nothing is announced; resumed, it is there', async () => {
    const closed = page.waitForEvent('requestfailed', (request) => request.url().includes('/v1/events/stream'));
    await page.getByRole('button', { name: /^Live/ }).click();
    await closed;
    await append(rig, ...news('late', 3));
    await expect(row(page, 0)).toContainText('early-11@acme.example');
    await expect(page.getByRole('button', { name: /new event/ })).toBeHidden();
    await page.getByRole('button', { name: /^Paused/ }).click();
    await expect(row(page, 0)).toContainText('late-2@acme.example');
  });

  await test.step('End leads to the oldest of thousands; only the rows in sight exist', async () => {
    const events = await counted(rig);
    const end = page.getByText(`These are all ${events.toLocaleString('en')} events of the filter.`);
    await row(page, 0).getByRole('link').focus();
    await expect(async () => {
      await page.keyboard.press('End');
      await expect(end).toBeInViewport({ timeout: 250 });
    }).toPass({ timeout: 30_000, intervals: [0] });
    await expect(row(page, events - 1).getByRole('link')).toBeFocused();
    expect(await list(page).getByRole('row').count()).toBeLessThan(80);
    const path = `/v1/events?team=${TEAM}&order=asc&limit=1`;
    const { events: oldest } = await rig.operator.json<{ events: { timestamp: string }[] }>('GET', path);
    await expect(row(page, events - 1)).toContainText(oldest[0]!.timestamp.slice(11, 19));
    await page.keyboard.press('Home');
    await expect(row(page, 0).getByRole('link')).toBeFocused();
  });
});

test('an event is looked into, and the log exported', async ({ page, context, rig }) => {
  const at = (seconds: number): string => new Date(Date.now() + seconds * 1_000).toISOString();
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await setUp(page, rig);
  await connect(rig, 'splunk');
  const elastic = await connect(rig, 'elastic');
  const onlySignIns = { filter: { categories: ['authentication'], newCategories: false } };
  await rig.operator.json('PATCH', `/v1/destinations/${elastic}?team=${TEAM}`, onlySignIns);
  const actor = { id: 'u-7', email: 'bjorn@acme.example', name: 'Björn' };
  const target = { type: 'user', id: 'u-9', name: 'Li' };
  const context_ = { ipAddress: '198.51.100.23', userAgent: 'curl/8.5.0', requestId: 'req-1' };
  await append(
    rig,
    ...dayOfEvents(300, Date.now() - 60_000),
    { id: 'older', timestamp: at(-3), eventType: 'user.created', actor, target },
    {
      ...{ id: 'promotion', timestamp: at(-2), eventType: 'user.role_changed', actor, target, context: context_ },
      ...{ changes: { previous: { role: 'member' }, current: { role: 'admin' } }, metadata: { ticket: 'SEC-1' } },
    },
    {
      id: 'formula',
      timestamp: at(-1),
      eventType: 'user.created',
      actor,
      description: '=HYPERLINK("http://a.example")',
    },
  );
  await page.goto(`${rig.service.url + LOGS}?category=user_management`);
  const drawer = page.getByRole('dialog').filter({ has: page.getByRole('heading', { name: 'JSON, as stored' }) });

  await test.step('a row opens everything about its event', async () => {
    await row(page, 1).getByRole('link', { name: 'Role changed' }).click();
    await expect(drawer).toContainText('bjorn@acme.example → Li');
    for (const fact of ['198.51.100.23', 'curl/8.5.0', 'req-1', 'SEC-1', 'u-7', 'u-9'])
      await expect(drawer.getByText(fact, { exact: true }).first()).toBeVisible();
    const change = drawer.getByRole('row', { name: /role/ });
    await expect(change.getByRole('cell')).toHaveText(['member', 'admin']);
  });

  await test.step('where it is, SIEM by SIEM', async () => {
    const delivery = drawer.getByRole('region', { name: 'Delivery' }).getByRole('listitem');
    await expect(delivery.filter({ hasText: 'splunk' })).toContainText(/delivered .* answered 200 in \d+ ms/);
    await expect(delivery.filter({ hasText: 'elastic' })).toContainText('its category or type is switched off there');
  });

  await test.step('its JSON is copied as it is stored', async () => {
    await drawer.getByRole('region', { name: 'JSON, as stored' }).getByRole('button', { name: 'Copy' }).click();
    await expect(drawer.getByRole('button', { name: 'Copied' })).toBeVisible();
    const copied = JSON.parse(await page.evaluate(() => navigator.clipboard.readText()));
    expect(copied).toEqual(await rig.operator.json('GET', `/v1/events/promotion?team=${TEAM}`));
  });

  await test.step('its neighbours are a key or a click away, and a reload stays', async () => {
    await page.getByRole('button', { name: 'Newer event' }).click();
    await expect(page).toHaveURL(/event=formula/);
    await expect(drawer).toContainText('=HYPERLINK');
    await page.keyboard.press('j');
    await expect(page).toHaveURL(/event=promotion/);
    await page.getByRole('button', { name: 'Older event' }).click();
    await expect(page).toHaveURL(/event=older/);
    await page.reload();
    await expect(drawer).toContainText('User created');
    await page.keyboard.press('Escape');
    await expect(drawer).toBeHidden();
    await expect(page).not.toHaveURL(/event=/);
  });

  await test.step('of an event that is not there it says so', async () => {
    await page.goto(`${rig.service.url + LOGS}?event=never-was`);
    await expect(page.getByRole('dialog')).toContainText('This event is not in the log');
  });

  await test.step('the export has the rows of the filter, in both formats', async () => {
    await page.goto(`${rig.service.url + LOGS}?category=user_management`);
    const events = await counted(rig, { category: 'user_management' });
    const ndjson = await exported(page, 'NDJSON', events);
    const lines = ndjson.trimEnd().split('\n');
    expect(lines).toHaveLength(events);
    for (const line of lines) expect(JSON.parse(line)).toMatchObject({ eventCategory: 'user_management' });
    const csv = (await exported(page, 'CSV', events)).trimEnd().split('\r\n');
    expect(csv).toHaveLength(events + 1);
    expect(csv[0]).toMatch(/^timestamp,sequence,id,eventType,/);
    expect(csv.find((line) => line.includes(',formula,'))).toContain(`,"'=HYPERLINK(""http://a.example"")",`);
  });

  await test.step('exporting is an event, too', async () => {
    await page.goto(`${rig.service.url + LOGS}?eventType=audit.exported`);
    await expect(total(page)).toHaveText('2 events');
    await expect(row(page, 0)).toContainText('Audit log exported');
    await expect(row(page, 0)).toContainText('ana@acme.example');
  });
});

function list(page: Page): Locator {
  return page.getByRole('table', { name: 'Events, newest first' });
}
/** The row of an event, the newest is 0. */
function row(page: Page, index: number): Locator {
  return list(page).locator(`tr[aria-rowindex="${index + 2}"]`);
}
function total(page: Page): Locator {
  return page.getByText(/^[\d,]+ events?$/);
}
function inWords(events: number): string {
  return `${events.toLocaleString('en')} ${events === 1 ? 'event' : 'events'}`;
}

/** What the reader has under their eyes: how far it is scrolled, and the first row in full view. */
function seen(page: Page): Promise<unknown> {
  return page.evaluate(() => {
    const top = document.querySelector('thead')!.getBoundingClientRect().bottom;
    const rows = [...document.querySelectorAll('tbody tr')];
    const first = rows.find((row) => row.getBoundingClientRect().top >= top)!;
    return { scrollY, at: first.getBoundingClientRect().top, text: first.textContent };
  });
}

function news(name: string, events: number): readonly object[] {
  const timestamp = new Date().toISOString();
  const actor = (i: number) => ({ id: `${name}-${i}`, email: `${name}-${i}@acme.example` });
  return Array.from({ length: events }, (_, i) => ({ timestamp, eventType: 'auth.logout', actor: actor(i) }));
}

async function rangeOf(page: Page): Promise<{ from: string; to: string }> {
  await expect(page).toHaveURL(/from=.*to=/);
  const { searchParams } = new URL(page.url());
  return { from: searchParams.get('from')!, to: searchParams.get('to')! };
}

/** The text of an export of what the page shows, made by its dialog. */
async function exported(page: Page, format: string, events: number): Promise<string> {
  await page.getByRole('button', { name: 'Export' }).click();
  const dialog = page.getByRole('dialog', { name: 'Export' });
  await expect(dialog).toContainText(inWords(events));
  await expect(dialog).toContainText('User Management, last 24 hours');
  await dialog.getByRole('radio', { name: format, exact: true }).check();
  const saved: Promise<Download> = page.waitForEvent('download');
  await dialog.getByRole('button', { name: 'Export' }).click();
  const download = await saved;
  expect(download.suggestedFilename()).toMatch(new RegExp(`\\.${format.toLowerCase()}$`));
  await expect(dialog.getByRole('status')).toContainText(`is saved: ${inWords(events)}`);
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
  return readFile(await download.path(), 'utf8');
}

import type { Locator, Page } from '@playwright/test';
import { ANA, expect, send, setUp, test } from './rig.ts';

test('the keyboard alone signs in, finds an event, connects a SIEM, pauses and resumes it', async ({
  page,
  rig,
  elsewhere,
}) => {
  test.setTimeout(120_000);
  await setUp(await elsewhere(), rig);
  await send(rig, { id: 'first', status: 'failure', failureReason: 'not_allowed' }, { id: 'second' }, { id: 'third' });
  const { settings } = rig.sandbox.standIns.get('splunk')!;
  const { keyboard } = page;

  await test.step('sign in', async () => {
    await page.goto(`${rig.service.url}/sign-in`);
    await expect(page.getByLabel('E-mail')).toBeFocused();
    await keyboard.type(ANA.email);
    await tabTo(page, page.getByLabel('Password', { exact: true }));
    await keyboard.type(ANA.password);
    await keyboard.press('Enter');
    await expect(page).toHaveURL(/\/settings\/audit-logs/);
    await expect(page.getByRole('table', { name: 'Events, newest first' })).toBeVisible();
  });

  await test.step('the first stop skips what stands on every page', async () => {
    await page.reload();
    await expect(page.getByRole('table', { name: 'Events, newest first' })).toBeVisible();
    await keyboard.press('Tab');
    await expect(page.getByRole('link', { name: 'Skip to the page' })).toBeFocused();
    await showsFocus(page);
    await keyboard.press('Enter');
    await expect(page.getByRole('main')).toBeFocused();
    await keyboard.press('Tab');
    await expect(page.getByRole('main').locator(':focus')).toHaveCount(1);
  });

  await test.step('the palette goes to a page by its name', async () => {
    await goTo(page, 'gen', 'General');
    await goTo(page, 'audit', 'Audit Logs');
  });

  await test.step('a filter is chosen from its list', async () => {
    await tabTo(page, page.getByRole('button', { name: 'Status' }));
    await keyboard.press('Enter');
    await choose(page, page.getByRole('listbox', { name: 'Status' }), 'Failure');
    await keyboard.press('Escape');
    await expect(page).toHaveURL(/status=failure/);
    await expect(page.getByRole('button', { name: 'Status' })).toBeFocused();
    await expect(page.getByRole('row', { name: 'bjorn@acme.example' })).toHaveCount(1);
    await tabTo(page, page.getByRole('button', { name: 'Clear' }));
    await keyboard.press('Enter');
    await expect(page.getByRole('row', { name: 'bjorn@acme.example' })).toHaveCount(3);
  });

  await test.step('an event opens, and closed gives the focus back to its row', async () => {
    const rows = page.getByRole('link').and(page.locator('[id^=event-row]'));
    await tabTo(page, rows.first());
    await keyboard.press('ArrowDown');
    await expect(rows.nth(1)).toBeFocused();
    await showsFocus(page);
    await keyboard.press('Enter');
    const drawer = page.getByRole('dialog');
    await expect(drawer.getByRole('button', { name: 'Close' })).toBeFocused();
    await showsFocus(page);
    const opened = new URL(page.url()).searchParams.get('event');
    await keyboard.press('j');
    await expect(page).not.toHaveURL(new RegExp(`event=${opened}`));
    await keyboard.press('Escape');
    await expect(drawer).toHaveCount(0);
    await expect(rows.nth(2)).toBeFocused();
    await showsFocus(page);
  });

  await test.step('Splunk is connected by its form, tested, and saved', async () => {
    await goTo(page, 'siem', 'SIEM');
    await tabTo(page, page.getByRole('link', { name: 'Splunk' }));
    await keyboard.press('Enter');
    const form = page.getByRole('form', { name: 'Connect Splunk' });
    await expect(form).toBeVisible();
    for (const [label, value] of [
      ['Endpoint URL', settings['endpointUrl']],
      ['HEC Token', settings['token']],
      ['Index', settings['index']],
    ] as const) {
      await tabTo(page, form.getByLabel(label).first());
      await keyboard.type(String(value));
    }
    await tabTo(page, form.getByRole('button', { name: /^Test/ }));
    await keyboard.press('Enter');
    await expect(form.getByRole('heading', { name: 'The connection works' })).toBeVisible();
    await tabTo(page, form.getByRole('button', { name: 'Save' }));
    await keyboard.press('Enter');
    await expect(page).toHaveURL(/\/settings\/siem\/[0-9a-f-]{36}/);
  });

  await test.step('it is paused after a word of what that means, and resumed', async () => {
    await tabTo(page, page.getByRole('button', { name: 'Pause' }));
    await keyboard.press('Enter');
    const dialog = page.getByRole('dialog', { name: 'Pause Splunk?' });
    await expect(dialog).toBeVisible();
    await tabTo(page, dialog.getByRole('button', { name: 'Pause' }));
    await keyboard.press('Enter');
    await expect(dialog).toHaveCount(0);
    const resume = page.getByRole('button', { name: 'Resume' });
    await expect(resume).toBeFocused();
    await keyboard.press('Enter');
    await expect(page.getByRole('button', { name: 'Pause' })).toBeFocused();
    await showsFocus(page);
  });
});

/** Opens a page by the palette. */
async function goTo(page: Page, words: string, title: string): Promise<void> {
  const palette = page.getByRole('textbox', { name: 'Go to' });
  await page.keyboard.press('Control+k');
  await expect(palette).toBeFocused();
  await page.keyboard.type(words);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: title, exact: true })).toBeVisible();
  await expect(palette).toHaveCount(0);
}

/** Presses Tab until `target` has the focus. Every stop on the way shows that it has it. */
async function tabTo(page: Page, target: Locator): Promise<void> {
  await expect(target).toBeVisible();
  for (let stops = 0; stops < MOST_STOPS; stops++) {
    await page.keyboard.press('Tab');
    await showsFocus(page);
    if (await target.evaluate((element) => element === document.activeElement)) return;
  }
  throw new Error(`not among the next ${MOST_STOPS} stops: ${target}`);
}
const MOST_STOPS = 40;

/** Moves down an open list to an option, and takes it. */
async function choose(page: Page, list: Locator, name: string): Promise<void> {
  await expect(list).toBeVisible();
  for (const _ of await list.getByRole('option').all()) {
    await page.keyboard.press('ArrowDown');
    const isReached = (await list.getByRole('option', { name }).getAttribute(REACHED)) !== null;
    if (isReached) return page.keyboard.press('Enter');
  }
  throw new Error(`${name} is not reached`);
}
const REACHED = 'data-combobox-selected';

/** What has the focus, or the field or row it is in, has a ring or a border in the accent colour. */
async function showsFocus(page: Page): Promise<void> {
  await expect(page.locator('body')).not.toBeFocused();
  const isShown = () =>
    page.locator(':focus').evaluate((element) => {
      const probe = document.body.appendChild(document.createElement('i'));
      probe.style.color = 'var(--mantine-primary-color-filled)';
      const accent = getComputedStyle(probe).color;
      probe.remove();
      const around = [element, element.parentElement, element.closest('tr')].filter((found) => found !== null);
      return around.some((one) => {
        const { outlineStyle, outlineWidth, borderTopColor, borderTopWidth } = getComputedStyle(one);
        const hasRing = outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 1;
        return hasRing || (borderTopColor === accent && Number.parseFloat(borderTopWidth) >= 1);
      })
        ? ''
        : element.outerHTML.slice(0, 300);
    });
  await expect.poll(isShown, { message: 'the focus is not seen', intervals: [20, 50, 100] }).toBe('');
}

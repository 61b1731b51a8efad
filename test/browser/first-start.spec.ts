import { axeClean, expect, send, setUp, test } from './rig.ts';

test('from the first start to the first event at Splunk', async ({ page, rig }) => {
  const splunk = rig.sandbox.standIns.get('splunk')!;
  const settings = splunk.settings as { endpointUrl: string; token: string; index: string };

  await test.step('without the link nobody gets in', async () => {
    await page.goto(rig.service.url);
    await expect(page.getByText('set-up link').first()).toBeVisible();
    await axeClean(page);
    await page.goto(rig.service.setupUrl!);
    await expect(page.getByLabel('Team', { exact: true })).toBeVisible();
    await axeClean(page);
  });

  await test.step('the set-up link makes the first team and its Owner', () => setUp(page, rig));

  await test.step('the pages say what will be here', async () => {
    await expect(page.getByRole('heading', { name: 'Choose your SIEM' })).toBeVisible();
    await axeClean(page);
    await page.getByRole('link', { name: 'Audit Logs' }).click();
    await expect(page.getByRole('heading', { name: 'Audit Logs' })).toBeVisible();
  });

  await test.step('Splunk is connected by its form, tested before it is saved', async () => {
    await page.getByRole('link', { name: 'SIEM' }).click();
    await page.getByRole('link', { name: 'Splunk' }).click();
    const form = page.getByRole('form', { name: 'Connect Splunk' });
    await form.getByLabel('Endpoint URL').fill(`${settings.endpointUrl}/services/collector/event`);
    await form.getByLabel('HEC Token').first().fill(` ${settings.token} `);
    await form.getByLabel('Index').fill(settings.index);
    await form.getByLabel('Index').blur();
    await expect(form.getByRole('heading', { name: 'The connection works' })).toBeVisible();
    await form.getByRole('button', { name: 'Save' }).click();
    await expect(page).toHaveURL(/\/settings\/siem\/[0-9a-f-]{36}/);
  });

  await test.step('an event arrives at Splunk, and the console knows it', async () => {
    await send(rig, { id: 'first-event' });
    await expect.poll(() => splunk.ids().get('first-event')).toBe(1);
    await page.getByRole('link', { name: 'Audit Logs' }).click();
    const row = page.getByRole('row', { name: 'bjorn@acme.example' });
    await expect(row).toContainText('at 1 of 1 SIEMs, delivered');
  });
});

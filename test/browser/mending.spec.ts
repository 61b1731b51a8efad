import { ANA, connect, expect, send, setUp, test } from './rig.ts';

test('a wrong token is explained, mailed, mended, and nothing is lost', async ({ page, rig }) => {
  const splunk = rig.sandbox.standIns.get('splunk')!;
  await setUp(page, rig);
  const id = await connect(rig, 'splunk', { token: '00000000-0000-0000-0000-000000000000' });
  await send(rig, { id: 'kept-1' }, { id: 'kept-2' });

  await test.step('the banner of any page says what happened, what it means and where to go', async () => {
    await page.goto(`${rig.service.url}/settings/members`);
    const banner = page.getByRole('alert').or(page.getByRole('status')).filter({ hasText: 'has not accepted events' });
    await expect(banner).toContainText('none is lost');
    await banner.getByRole('link', { name: 'Fix' }).click();
    await expect(page).toHaveURL(new RegExp(`/settings/siem/${id}`));
    await expect(page.getByText('Authentication failed').first()).toBeVisible();
    await expect(page.getByText('None is lost.').first()).toBeVisible();
  });

  await test.step('the Owner got mail', async () => {
    const [mail] = await rig.mail.taken(1);
    expect(mail).toMatchObject({ to: ANA.email });
    expect(mail!.headers.get('subject')).toBe('Splunk “splunk” has stopped accepting events (Acme)');
    expect(mail!.text).toContain(`${rig.service.url}/settings/siem/${id}?team=acme`);
  });

  await test.step('with the right token everything arrives', async () => {
    await page.goto(`${rig.service.url}/settings/siem/${id}?tab=settings`);
    await page.getByRole('button', { name: 'Replace HEC Token' }).click();
    await page.locator('input[type=password]').fill(String(splunk.settings['token']));
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await expect(page.getByText('Connected').first()).toBeVisible();
    // The re-check connects; what waited follows at once.
    await expect.poll(() => ['kept-1', 'kept-2'].map((event) => splunk.ids().get(event))).toEqual([1, 1]);
  });

  await test.step('the Owner knows', async () => {
    const mails = await rig.mail.taken(2);
    expect(mails[1]!.headers.get('subject')).toBe('Splunk “splunk” accepts events again (Acme)');
  });
});

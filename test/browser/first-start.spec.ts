import { axeClean, expect, setUp, teamKey, test } from './rig.ts';

test('from the first start to the first event at Splunk', async ({ page, rig }) => {
  const splunk = rig.sandbox.standIns.get('splunk')!;

  await test.step('the set-up link makes the first team and its Owner', async () => {
    await page.goto(rig.service.url);
    await expect(page.getByText('set-up link').first()).toBeVisible();
    await page.goto(rig.service.setupUrl!);
    await expect(page.getByLabel('Team', { exact: true })).toBeVisible();
    await axeClean(page);
    await setUp(page, rig);
  });
  void splunk;
  void teamKey;
});

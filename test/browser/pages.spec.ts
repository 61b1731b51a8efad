import { pagesOf, settled } from './pages.ts';
import { axeClean, connect, expect, send, setUp, test } from './rig.ts';

test('every page can be used by everybody, and fits a phone', async ({ page, rig }) => {
  test.setTimeout(300_000);
  await setUp(page, rig);
  const destination = await connect(rig, 'splunk', { token: '00000000-0000-0000-0000-000000000000' });
  await connect(rig, 'elastic');
  await send(rig, {
    id: 'promotion',
    changes: { previous: { role: 'member' }, current: { role: 'admin' } },
    metadata: { ticket: 'SEC-1' },
  });
  for (const [name, path] of Object.entries(pagesOf(destination, 'promotion')))
    await test.step(name, async () => {
      await page.setViewportSize({ width: 1440, height: 900 });
      await page.goto(rig.service.url + path);
      await settled(page);
      await axeClean(page);
      await page.setViewportSize({ width: 360, height: 780 });
      await settled(page);
      const cut = () => page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
      await expect.configure({ soft: true }).poll(cut, `${name} scrolls sideways at 360 pixels`).toBe(0);
    });
});

import { dayOfEvents } from '../../src/demo-events.ts';
import { connect, expect, setUp, TEAM, test } from './rig.ts';
import { append, join } from './team.ts';

const DOOR = { eventType: 'door.opened', eventCategory: 'door' };

test('what each SIEM gets is switched by category', async ({ page, rig, elsewhere }) => {
  const [splunk, elastic] = [rig.sandbox.standIns.get('splunk')!, rig.sandbox.standIns.get('elastic')!];
  await setUp(page, rig);
  await connect(rig, 'splunk');
  await connect(rig, 'elastic');
  await append(rig, ...dayOfEvents(200, Date.now()));
  await page.goto(`${rig.service.url}/settings/audit-logs`);
  await page.getByRole('button', { name: 'SIEM Integration' }).click();
  const panel = page.getByRole('dialog', { name: 'SIEM Integration' });
  const rowOf = (title: string) => panel.getByRole('row', { name: title });

  const save = async (change: string): Promise<void> => {
    await expect(panel.getByRole('status')).toContainText(change);
    await panel.getByRole('button', { name: 'Save' }).click();
    await expect(panel.getByRole('status')).toContainText('Saved: it holds from the next event on');
  };
  /** Sends this event, and one that both are to get: what did not come before that one does not come. */
  const arrives = async (id: string, of: object, expected: { splunk: boolean; elastic: boolean }): Promise<void> => {
    await append(rig, { ...event(id), ...of }, { ...event(`${id}-end`), eventType: 'apikey.used' });
    for (const [standIn, isExpected] of [
      [splunk, expected.splunk],
      [elastic, expected.elastic],
    ] as const) {
      await expect.poll(() => standIn.ids().get(`${id}-end`)).toBe(1);
      expect(standIn.ids().has(id)).toBe(isExpected);
    }
  };

  await test.step('it shows how much the last 24 hours were', async () => {
    const since = new Date(Date.now() - 86_400_000).toISOString();
    const path = `/v1/categories?${new URLSearchParams({ team: TEAM, since })}`;
    const { items } = await rig.operator.json<{ items: { label: string; count: number }[] }>('GET', path);
    // That a destination is connected now is an administrative event, too, which may just happen.
    const steady = items.filter(({ label }) => label !== 'Administrative');
    expect(steady.length).toBeGreaterThan(3);
    for (const { label, count } of steady) await expect(rowOf(label).getByRole('cell').first()).toHaveText(`${count}`);
    const [all, toSplunk, toElastic] = await rowOf('Would have sent').getByRole('cell').allInnerTexts();
    expect([toSplunk, toElastic]).toEqual([all, all]);
    const left = Number(all) - steady.find(({ label }) => label === 'Authentication')!.count;
    await panel.getByRole('switch', { name: 'Authentication to splunk' }).click();
    await expect(rowOf('Would have sent').getByRole('cell')).toHaveText([all!, `${left}`, all!]);
  });

  await test.step('a category is switched off at one', async () => {
    await save('splunk no longer gets Authentication.');
    await arrives('sign-out', { eventType: 'auth.logout' }, { splunk: false, elastic: true });
  });

  await test.step('categories not seen before are held back from the other', async () => {
    await panel.getByRole('switch', { name: 'Categories not seen before to elastic' }).click();
    await save('elastic no longer gets categories not seen before.');
    await arrives('first-door', DOOR, { splunk: true, elastic: false });
  });

  await test.step('once it was seen it has a switch of its own', async () => {
    await page.reload();
    const [there, here] = ['elastic', 'splunk'].map((name) => panel.getByRole('switch', { name: `door to ${name}` }));
    await expect(there!).not.toBeChecked();
    await expect(here!).toBeChecked();
    await there!.click();
    await save('elastic starts to get door.');
    await arrives('second-door', DOOR, { splunk: true, elastic: true });
  });

  await test.step('an Auditor sees it, and changes nothing', async () => {
    const other = await elsewhere();
    await join(other, rig, 'auditor');
    await other.goto(page.url());
    const theirs = other.getByRole('dialog', { name: 'SIEM Integration' });
    await expect(theirs).toContainText('As Auditor you can see this; Owners and Admins change it.');
    await expect(theirs.getByRole('switch', { name: 'Authentication to splunk' })).not.toBeChecked();
    for (const control of await theirs.getByRole('switch').all()) await expect(control).toBeDisabled();
    await expect(theirs.getByRole('button', { name: 'Save' })).toBeHidden();
  });
});

function event(id: string): object {
  return { id, timestamp: new Date().toISOString(), actor: { id: 'u-7', email: 'bjorn@acme.example' } };
}

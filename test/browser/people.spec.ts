import type { APIResponse, Page } from '@playwright/test';
import { ANA, connect, expect, type Person, type Rig, send, setUp, TEAM, test } from './rig.ts';

const LI: Person = { name: 'Li Wen', email: 'li@acme.example', password: 'four amber lanterns 4' };
const LI_AT = '203.0.113.20';

test.use({ environment: { TRUSTED_PROXIES: '127.0.0.1' } });

test('people come by invitation, may do what their role says, and are out at once', async ({
  page,
  rig,
  elsewhere,
}) => {
  test.setTimeout(120_000);
  const { operator, service } = rig;
  await setUp(page, rig);
  const destination = await connect(rig, 'splunk');
  await send(rig, { id: 'of-acme' });
  await operator.json('POST', '/v1/teams', { id: 'beta', name: 'Beta' });
  const li = await elsewhere(LI_AT);
  const ana = (await idsOf(page, rig)).get(ANA.email)!;
  /** What nobody but Owners and Admins may do, by direct calls. */
  const changes = [
    ['PATCH', `/v1/destinations/${destination}`, { name: 'theirs' }],
    ['DELETE', `/v1/destinations/${destination}`],
    ['POST', `/v1/destinations/${destination}/pause`],
    ['GET', '/v1/api-keys'],
    ['POST', '/v1/api-keys', { name: 'theirs', scopes: ['events:read'] }],
    ['GET', '/v1/members'],
    ['PATCH', `/v1/members/${ana}`, { role: 'auditor' }],
    ['DELETE', `/v1/members/${ana}`],
    ['POST', '/v1/invitations', { email: 'friend@acme.example', role: 'admin' }],
    ['PATCH', '/v1/team', { name: 'Theirs' }],
    ['DELETE', '/v1/team', { confirm: 'Acme' }],
  ] as const;

  await test.step('the Owner invites an Auditor by mail', async () => {
    await page.goto(`${service.url}/settings/members`);
    await page.getByRole('button', { name: 'Invite' }).click();
    const dialog = page.getByRole('dialog', { name: 'Invite to the team' });
    await dialog.getByLabel('E-mail').fill(LI.email);
    await dialog.getByRole('radio', { name: 'Auditor' }).check();
    await dialog.getByRole('button', { name: 'Invite' }).click();
    await expect(page.getByText(`The link was mailed to ${LI.email}.`)).toBeVisible();
    await page.getByRole('button', { name: 'Done' }).click();
    await expect(page.getByRole('table', { name: 'Invitations' }).getByRole('row', { name: LI.email })).toContainText(
      'Auditor',
    );
  });

  await test.step('the mailed link makes the account and opens the team, once', async () => {
    const [mail] = await rig.mail.taken(1);
    expect(mail).toMatchObject({ to: LI.email });
    expect(mail!.headers.get('subject')).toBe('Invitation to Acme');
    const link = /\S+\/join#\S+/.exec(mail!.text)![0];
    await li.goto(link);
    await expect(li.getByRole('heading', { name: 'Join Acme' })).toBeVisible();
    await expect(li.getByText(`${ANA.email} invites ${LI.email} as Auditor.`)).toBeVisible();
    await li.getByLabel('Your name').fill(LI.name);
    await li.getByLabel('Password', { exact: true }).fill(LI.password);
    await li.getByRole('button', { name: 'Create the account and join' }).click();
    await expect(li).toHaveURL(/\/settings\/audit-logs\?team=acme/);
    await expect(li.getByRole('button', { name: `Account of ${LI.name}` })).toBeVisible();

    const finder = await elsewhere();
    await finder.goto(link);
    await expect(finder.getByRole('heading', { name: 'This invitation is not open any more' })).toBeVisible();
  });

  await test.step('the audit log says who did what, and from where', async () => {
    await page.goto(`${service.url}/settings/audit-logs?q=${LI.email}`);
    const row = (type: string) => page.getByRole('row').filter({ has: page.getByTitle(type, { exact: true }) });
    await expect(row('user.invited')).toHaveAccessibleName(new RegExp(`${ANA.email} to ${LI.email}`));
    await expect(row('user.invited')).toContainText('127.0.0.1');
    for (const type of ['user.created', 'user.joined_team', 'auth.login.success', 'auth.session.created']) {
      await expect(row(type)).toContainText(LI.email);
      await expect(row(type)).toContainText(LI_AT);
    }
  });

  await test.step('an Auditor reads and exports, and changes nothing', async () => {
    await expect(pagesOf(li)).toHaveText(['Audit Logs', 'SIEM', 'Security', 'General']);
    await expect(li.getByRole('row', { name: 'bjorn@acme.example' })).toBeVisible();
    await open(li, 'SIEM');
    await expect(li.getByText('Changing it is for Owners and Admins; in Acme you are Auditor.')).toBeVisible();
    await expect(li.getByRole('link', { name: 'Add' })).toHaveCount(0);
    await li.getByRole('link', { name: 'splunk', exact: true }).click();
    await expect(li.getByRole('heading', { name: 'splunk' })).toBeVisible();
    await expect(li.getByRole('button', { name: 'Pause' })).toHaveCount(0);
    await li.getByRole('tab', { name: 'Settings' }).click();
    await expect(li.getByLabel('Index')).toHaveAttribute('readonly');
    await expect(li.getByRole('button', { name: /Save|Replace|Delete/ })).toHaveCount(0);
    await li.goto(`${service.url}/settings/siem/new/splunk`);
    await expect(li.getByRole('form')).toHaveCount(0);
    await li.goto(`${service.url}/settings/members`);
    await expect(li.getByRole('heading', { name: 'You cannot see the members' })).toBeVisible();
    await li.goto(`${service.url}/settings/general`);
    await expect(li.getByText('You see this as Auditor; Owners and Admins can change it.')).toBeVisible();
    await expect(li.getByText('Only an Owner can delete the team.')).toBeVisible();

    const exported = await li.request.get(`${service.url}/v1/events/export?format=ndjson`);
    expect(await exported.text()).toContain('"of-acme"');
    for (const [method, path, data] of changes)
      expect(await refusal(li, rig, method, path, data), `${method} ${path}`).toBe('403 not_allowed');
  });

  await test.step('another team is closed, and hears of who knocked', async () => {
    for (const path of ['/v1/events', '/v1/destinations', '/v1/members', '/v1/team'])
      expect(await refusal(li, rig, 'GET', `${path}?team=beta`), path).toBe('403 wrong_team');
    await li.goto(`${service.url}/settings/audit-logs?team=beta`);
    await expect(li.getByRole('heading', { name: 'You are not in the team “beta”' })).toBeVisible();
    const { events } = await operator.json<{ events: object[] }>(
      'GET',
      '/v1/events?team=beta&eventType=auth.login.failure',
    );
    expect(events).toMatchObject([
      { failureReason: 'unauthorized_team_access', actor: { email: LI.email }, context: { ipAddress: LI_AT } },
    ]);
    await li.getByRole('link', { name: 'Open Acme' }).click();
    await expect(li).toHaveURL(/team=acme/);
  });

  await test.step('made a Member, the open page closes and nothing is left to read', async () => {
    await expect(li.getByRole('button', { name: /^Live/ })).toBeVisible();
    const tailEnds = li.waitForEvent('requestfinished', isTail);
    await giveRole(page, rig, LI, 'Auditor', 'Member');
    await tailEnds;
    await expect(li.getByRole('heading', { name: 'You cannot see the audit log' })).toBeVisible();
    await expect(li.getByText('In Acme you are Member. Owner, Admin, Auditor can')).toBeVisible();
    await expect(pagesOf(li)).toHaveText(['Security', 'General']);
    await li.goto(`${service.url}/settings/siem/${destination}`);
    await expect(li.getByRole('heading', { name: 'You cannot see SIEM destinations' })).toBeVisible();
    const reads = ['events', 'events/of-acme', 'events/export?format=csv', 'events/stream', 'destinations'];
    for (const [method, path, data] of [...changes, ...reads.map((name) => ['GET', `/v1/${name}`] as const)])
      expect(await refusal(li, rig, method, path, data), `${method} ${path}`).toBe('403 not_allowed');
  });

  await test.step('an Admin makes no Owner, and does not touch one', async () => {
    await giveRole(page, rig, LI, 'Member', 'Admin');
    await li.goto(`${service.url}/settings/members`);
    await expect(memberRow(li, ANA)).toContainText('Only an Owner changes an Owner');
    await expect(li.getByRole('button', { name: `Actions for ${ANA.email}` })).toHaveCount(0);
    await li.getByRole('button', { name: 'Invite' }).click();
    const dialog = li.getByRole('dialog', { name: 'Invite to the team' });
    await expect(dialog.getByRole('radio', { name: 'Admin' })).toBeVisible();
    await expect(dialog.getByRole('radio', { name: 'Owner' })).toHaveCount(0);
    const own = (await idsOf(page, rig)).get(LI.email)!;
    const friend = { email: 'friend@acme.example', role: 'owner' };
    for (const [method, path, data] of [
      ['POST', '/v1/invitations', friend],
      ['PATCH', `/v1/members/${own}`, { role: 'owner' }],
      ['PATCH', `/v1/members/${ana}`, { role: 'member' }],
      ['DELETE', `/v1/members/${ana}`],
    ] as const)
      expect(await refusal(li, rig, method, path, data), `${method} ${path}`).toBe('403 owners_only');
    expect(await refusal(li, rig, 'DELETE', '/v1/team', { confirm: 'Acme' })).toBe('403 not_allowed');
  });

  await test.step('the last Owner stays one', async () => {
    await page.goto(`${service.url}/settings/members`);
    await expect(memberRow(page, ANA)).toContainText('The only Owner: a team keeps one.');
    expect(await refusal(page, rig, 'PATCH', `/v1/members/${ana}`, { role: 'admin' })).toBe('409 last_owner');
    expect(await refusal(page, rig, 'DELETE', `/v1/members/${ana}`)).toBe('409 last_owner');
  });

  await test.step('deactivated, one is out at once and stays out', async () => {
    await li.goto(`${service.url}/settings/audit-logs`);
    await expect(li.getByRole('button', { name: /^Live/ })).toBeVisible();
    const tailEnds = li.waitForEvent('requestfinished', isTail);
    await page.getByRole('button', { name: `Actions for ${LI.email}` }).click();
    await page.getByRole('menuitem', { name: 'Deactivate' }).click();
    const dialog = page.getByRole('dialog', { name: `Deactivate ${LI.email}` });
    await expect(dialog).toContainText('Their sessions end at once');
    await dialog.getByRole('button', { name: 'Deactivate' }).click();
    await expect(memberRow(page, LI)).toContainText('deactivated');
    await tailEnds;
    await expect(li.getByText('Your session has ended.')).toBeVisible();
    expect(await refusal(li, rig, 'GET', '/v1/events')).toBe('401 unauthenticated');
    await li.getByLabel('E-mail').fill(LI.email);
    await li.getByLabel('Password', { exact: true }).fill(LI.password);
    await li.getByRole('button', { name: 'Sign in' }).click();
    await expect(li.getByRole('alert')).toContainText('This account is deactivated, or in no team.');
  });
});

test('several teams stay apart, keys end when revoked, and a team ends by its typed name', async ({ page, rig }) => {
  const { operator, service } = rig;
  await setUp(page, rig);
  await send(rig, { actor: { id: 'u-1', email: 'only@acme.example' } });

  await test.step('who has an account joins another team by one button', async () => {
    await operator.json('POST', '/v1/teams', { id: 'beta', name: 'Beta' });
    const invitation = { email: ANA.email, role: 'owner' };
    const { link } = await operator.json<{ link: string }>('POST', '/v1/invitations?team=beta', invitation);
    await page.goto(link);
    await page.getByRole('button', { name: 'Join the team' }).click();
    await expect(page).toHaveURL(/\/settings\/audit-logs\?team=beta/);
  });

  const key = await test.step('a key made in the console sends events to its team alone', async () => {
    await open(page, 'API keys');
    await page.getByRole('button', { name: 'Create key' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('gateway');
    await dialog.getByRole('button', { name: 'Create key' }).click();
    const made = await page.getByRole('group', { name: 'the key' }).locator('code').innerText();
    expect(made).toMatch(/^tp_/);
    const answer = await sendWith(made, rig, { id: 'u-2', email: 'only@beta.example' });
    expect(await answer.json()).toMatchObject({ accepted: 1 });
    const astray = await sendWith(made, rig, { id: 'u-2' }, TEAM);
    expect(await astray.json()).toMatchObject({ accepted: 0, rejected: [{ code: 'team_mismatch' }] });
    await dialog.getByRole('button', { name: 'Done' }).click();
    return made;
  });

  await test.step('each team shows only its own', async () => {
    const [ofAcme, ofBeta] = ['acme', 'beta'].map((team) => page.getByRole('row', { name: `only@${team}.example` }));
    await open(page, 'Audit Logs');
    await expect(ofBeta!).toBeVisible();
    await expect(ofAcme!).toHaveCount(0);
    await page.getByRole('button', { name: 'Team Beta, switch' }).click();
    await page.getByRole('menuitem', { name: 'Acme' }).click();
    await expect(page).toHaveURL(/team=acme/);
    await expect(ofAcme!).toBeVisible();
    await expect(ofBeta!).toHaveCount(0);
    await open(page, 'API keys');
    await expect(page.getByRole('row', { name: 'rig' })).toBeVisible();
    await expect(page.getByRole('row', { name: 'gateway' })).toHaveCount(0);
  });

  await test.step('a revoked key is refused at once', async () => {
    await page.getByRole('button', { name: 'Team Acme, switch' }).click();
    await page.getByRole('menuitem', { name: 'Beta' }).click();
    await open(page, 'API keys');
    await page.getByRole('button', { name: 'Revoke gateway' }).click();
    await page.getByRole('dialog', { name: 'Revoke gateway' }).getByRole('button', { name: 'Revoke' }).click();
    await expect(page.getByRole('row', { name: 'gateway' })).toContainText('revoked');
    const answer = await sendWith(key, rig, { id: 'u-2' });
    expect([answer.status, await answer.json()]).toMatchObject([401, { detail: expect.stringContaining('revoked') }]);
  });

  await test.step('a team is deleted by who types its name, and what remains is shown', async () => {
    await open(page, 'General');
    await page.getByRole('button', { name: 'Delete …' }).click();
    const dialog = page.getByRole('dialog', { name: 'Delete Beta' });
    await expect(dialog).toContainText('access of 1 person');
    await dialog.getByLabel('Type Beta to delete it').fill('Acme');
    await dialog.getByRole('button', { name: 'Delete the team' }).click();
    await expect(dialog).toContainText('This is not the same.');
    await dialog.getByLabel('Type Beta to delete it').fill('Beta');
    await dialog.getByRole('button', { name: 'Delete the team' }).click();
    await expect(page.getByRole('row', { name: 'only@acme.example' })).toBeVisible();
    await expect(page.getByRole('button', { name: /^Team / })).toHaveCount(0);
    expect(await refusal(page, rig, 'GET', '/v1/events?team=beta')).toBe('403 wrong_team');
    await page.goto(`${service.url}/settings/siem?team=beta`);
    await expect(page.getByRole('heading', { name: 'You are not in the team “beta”' })).toBeVisible();
  });
});

/** Ids of the team's people by e-mail, as its Owner sees them. */
async function idsOf(owner: Page, { service }: Rig): Promise<ReadonlyMap<string, string>> {
  const answer = await owner.request.get(`${service.url}/v1/members?team=${TEAM}`);
  const { items } = (await answer.json()) as { items: { id: string; email: string }[] };
  return new Map(items.map(({ id, email }) => [email, id]));
}

/** Status and code of what the service answers to whoever is signed in in the browser. */
async function refusal({ request }: Page, { service }: Rig, method: string, path: string, data?: object) {
  const answer: APIResponse = await request.fetch(service.url + path, { method, ...(data && { data }) });
  const { code } = (await answer.json()) as { code?: string };
  return `${answer.status()} ${code}`;
}

function sendWith(key: string, { service }: Rig, actor: object, team = 'beta'): Promise<Response> {
  const timestamp = new Date().toISOString();
  return fetch(`${service.url}/v1/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ timestamp, eventType: 'auth.logout', actor, context: { teamId: team } }),
  });
}

async function giveRole(owner: Page, { service }: Rig, { email }: Person, from: string, to: string): Promise<void> {
  await owner.goto(`${service.url}/settings/members`);
  await owner.getByRole('button', { name: `Role of ${email}: ${from}` }).click();
  await owner.getByRole('menuitem', { name: new RegExp(`^${to}`) }).click();
  await expect(owner.getByRole('button', { name: `Role of ${email}: ${to}` })).toBeVisible();
}

const pagesOf = (page: Page) => page.getByRole('navigation', { name: 'Settings' }).getByRole('link');
const open = (page: Page, title: string) => pagesOf(page).filter({ hasText: title }).click();
const memberRow = (page: Page, { email }: Person) =>
  page.getByRole('table', { name: 'Members' }).getByRole('row', { name: email });
const isTail = (request: { url(): string }) => request.url().includes('/v1/events/stream');

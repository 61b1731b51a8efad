import type { Page } from '@playwright/test';
import { totp } from '../rig/totp.ts';
import { ANA, expect, setUp, signIn, test } from './rig.ts';

test('a second factor is set up, asked for, replaced by a backup code once, and turned off', async ({ page, rig }) => {
  await setUp(page, rig);
  const dialog = page.getByRole('dialog');

  const { uri, codes } = await test.step('it is set up with an authenticator app', async () => {
    await page.goto(`${rig.service.url}/settings/security`);
    await page.getByRole('button', { name: 'Set up' }).click();
    await dialog.getByLabel('Password', { exact: true }).fill('not the password');
    await dialog.getByRole('button', { name: 'Continue' }).click();
    await expect(dialog.getByText('This is not your password.')).toBeVisible();
    await dialog.getByLabel('Password', { exact: true }).fill(ANA.password);
    await dialog.getByRole('button', { name: 'Continue' }).click();
    await expect(dialog.getByRole('img', { name: 'QR code' })).toBeVisible();
    const secret = (await dialog.getByText(/^([A-Z2-7]{4} )+[A-Z2-7]+$/).innerText()).replaceAll(' ', '');
    const enrolled = `otpauth://totp/Trailproof?secret=${secret}`;
    await dialog.getByLabel('Code', { exact: true }).fill(totp(enrolled));
    const list = dialog.getByRole('list', { name: 'Backup codes' }).getByRole('listitem');
    await expect(list).toHaveCount(10);
    const backupCodes = await list.allInnerTexts();
    await dialog.getByRole('button', { name: 'I have kept them' }).click();
    await expect(page.getByText('On, with an authenticator app')).toBeVisible();
    return { uri: enrolled, codes: backupCodes };
  });

  await test.step('the password alone opens nothing, and a wrong code says so', async () => {
    await signOut(page);
    await givePassword(page, ANA.password);
    await expect(page.getByText('Your password is right.')).toBeVisible();
    expect((await page.request.get(`${rig.service.url}/v1/events`)).status()).toBe(401);
    await page.getByLabel('Code', { exact: true }).fill(totp(uri, 40));
    await expect(page.getByRole('alert')).toContainText('This code is not right, was used already, or its half minute');
    await expect(page.getByLabel('Code', { exact: true })).toHaveValue('');
  });

  await test.step('the right code signs in', async () => {
    // Each code is taken once; that of the next half minute is taken already.
    await page.getByLabel('Code', { exact: true }).fill(totp(uri, 1));
    await expect(page).toHaveURL(/\/settings\/audit-logs/);
  });

  await test.step('a backup code signs in, once', async () => {
    for (const outcome of ['taken', 'refused']) {
      await signOut(page);
      await givePassword(page, ANA.password);
      await page.getByRole('button', { name: 'Use a backup code instead' }).click();
      await page.getByLabel('Backup code').fill(codes[0]!);
      await page.getByRole('button', { name: 'Sign in' }).click();
      if (outcome === 'taken') await expect(page).toHaveURL(/\/settings\/audit-logs/);
      else await expect(page.getByRole('alert')).toContainText('each backup code works once');
    }
    await page.getByLabel('Backup code').fill(codes[1]!);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await expect(page).toHaveURL(/\/settings\/audit-logs/);
  });

  await test.step('turned off, the password is enough again', async () => {
    await page.goto(`${rig.service.url}/settings/security`);
    await page.getByRole('button', { name: 'Turn off' }).click();
    await dialog.getByLabel('Password', { exact: true }).fill(ANA.password);
    await dialog.getByRole('button', { name: 'Turn off' }).click();
    await expect(page.getByText('Off: your password alone opens the audit log.')).toBeVisible();
    await signOut(page);
    await signIn(page, rig);
  });

  await test.step('the audit log holds every step, with what was used and why not', async () => {
    const { events } = await rig.operator.json<{ events: Recorded[] }>(
      'GET',
      '/v1/events?team=acme&order=asc&category=authentication',
    );
    const told = events
      .filter(({ eventType }) => /mfa|login/.test(eventType))
      .map(({ eventType, failureReason, metadata }) => {
        return [eventType, failureReason ?? metadata?.['secondFactor']].join(' ').trim();
      });
    expect(told).toEqual([
      'auth.login.success',
      'auth.mfa.enabled',
      'auth.login.failure mfa_required',
      'auth.login.success totp',
      'auth.login.success backup_code',
      'auth.login.failure mfa_required',
      'auth.login.success backup_code',
      'auth.mfa.disabled',
      'auth.login.success',
    ]);
    for (const { actor, context } of events) expect([actor.email, context.ipAddress]).toEqual([ANA.email, '127.0.0.1']);
  });
});

test('a new password ends every other session, by the form and by a mailed link', async ({ page, rig, elsewhere }) => {
  await setUp(page, rig);
  const laptop = await elsewhere();
  const [second, third] = ['nine copper kettles 9', 'two silent harbours 2'];

  await test.step('changed in Settings, other sessions end and this one goes on', async () => {
    await signIn(laptop, rig);
    await page.goto(`${rig.service.url}/settings/security`);
    await expect(page.getByRole('button', { name: /^End the session of/ })).toHaveCount(1);
    await page.getByLabel('Present password', { exact: true }).fill(ANA.password);
    await page.getByLabel('New password', { exact: true }).fill('password12345');
    await page.getByRole('button', { name: 'Change password' }).click();
    await expect(page.getByText('This is among the passwords that are guessed first.')).toBeVisible();
    await page.getByLabel('New password', { exact: true }).fill(second);
    await page.getByRole('button', { name: 'Change password' }).click();
    await expect(page.getByText('Changed; other sessions have ended')).toBeVisible();
    await expect(page.getByRole('button', { name: /^End the session of/ })).toHaveCount(0);
    await expect(laptop.getByText('Your session has ended. Sign in to go on where you were.')).toBeVisible();
    await givePassword(laptop, ANA.password);
    await expect(laptop.getByRole('alert')).toContainText('The e-mail or the password is wrong.');
  });

  await test.step('forgotten, a mailed link sets another, once, and ends all sessions', async () => {
    await laptop.getByRole('link', { name: 'Forgot password' }).click();
    await expect(laptop.getByRole('heading', { name: 'Forgot password' })).toBeVisible();
    await laptop.getByLabel('E-mail').fill(ANA.email);
    await laptop.getByRole('button', { name: 'Send the link' }).click();
    await expect(laptop.getByRole('heading', { name: 'Look into your mail' })).toBeVisible();
    const [mail] = await rig.mail.taken(1);
    expect(mail).toMatchObject({ to: ANA.email });
    const link = /\S+\/reset#\S+/.exec(mail!.text)![0];
    await laptop.goto(link);
    await laptop.getByLabel('New password', { exact: true }).fill(third);
    await laptop.getByRole('button', { name: 'Set password' }).click();
    await expect(laptop.getByRole('heading', { name: 'Your new password is set' })).toBeVisible();
    await page.reload();
    await expect(page).toHaveURL(/\/sign-in/);
    await page.goto(link);
    await page.getByLabel('New password', { exact: true }).fill(second);
    await page.getByRole('button', { name: 'Set password' }).click();
    await expect(page.getByRole('heading', { name: 'This link is used up' })).toBeVisible();
    await signIn(page, rig, { ...ANA, password: third });
  });
});

interface Recorded {
  readonly eventType: string;
  readonly failureReason?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly actor: { readonly email: string };
  readonly context: { readonly ipAddress: string };
}

async function signOut(page: Page): Promise<void> {
  await page.getByRole('button', { name: `Account of ${ANA.name}` }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  // A new page; before, the old one may find out by itself that its session is over.
  await page.waitForURL(/\/sign-in$/);
}

/** The first step of signing in, on the page of it. */
async function givePassword(page: Page, password: string): Promise<void> {
  await page.getByLabel('E-mail').fill(ANA.email);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

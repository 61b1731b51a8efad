import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { accountRig, PASSWORD } from '../../test/rig/accounts.ts';
import { totp } from '../../test/rig/totp.ts';

/** Somebody signed in on a laptop, with a second factor set up. */
async function enrolled() {
  const rig = await accountRig();
  const ana = await rig.person();
  const laptop = rig.browser();
  await laptop.signIn();
  const { body } = await laptop.call('POST', '/two-factor/enable', { password: PASSWORD });
  const verified = await laptop.call('POST', '/two-factor/verify-totp', { code: totp(body.totpURI) });
  expect(verified.status).toBe(200);
  return { ...rig, ana, laptop, uri: body.totpURI, backupCodes: body.backupCodes };
}

describe('a second factor', () => {
  it('is in force once its first code was right, and the session stays the same', async () => {
    const { person, browser, accounts, recorded } = await accountRig();
    await person();
    const laptop = browser();
    await laptop.signIn();
    const before = await accounts.session(laptop.cookies);
    const stolen = laptop.cookies;
    expect((await laptop.call('POST', '/two-factor/enable', { password: 'wrong' })).body.errors).toMatchObject([
      { path: 'password' },
    ]);
    const { body } = await laptop.call('POST', '/two-factor/enable', { password: PASSWORD });
    expect(body.totpURI).toMatch(/^otpauth:\/\/totp\/Trailproof:/);
    expect(body.backupCodes).toHaveLength(10);
    expect((await laptop.call('POST', '/two-factor/verify-totp', { code: '000000' })).body.code).toBe('wrong_code');
    expect((await accounts.session(laptop.cookies))?.account.twoFactor).toBe(false);
    expect((await laptop.call('POST', '/two-factor/verify-totp', { code: totp(body.totpURI) })).body).toEqual({});
    const after = await accounts.session(laptop.cookies);
    expect(after).toMatchObject({
      sessionId: before?.sessionId,
      startedAt: before?.startedAt,
      account: { twoFactor: true },
    });
    expect(await accounts.session(stolen)).toBeNull();
    expect(recorded()).toEqual(['acme auth.login.success', 'acme auth.session.created', 'acme auth.mfa.enabled']);
  });

  it('is asked for after the password, and only then there is a session', async () => {
    const { browser, uri, accounts, log, recorded, recordedOf } = await enrolled();
    log.events.length = 0;
    const phone = browser('198.51.100.1');
    const first = await phone.signIn();
    expect([first.status, first.body]).toEqual([200, { twoFactorRedirect: true }]);
    expect(await accounts.session(phone.cookies)).toBeNull();
    expect(recorded()).toEqual([]);
    expect((await phone.call('GET', '/list-sessions')).status).toBe(401);

    expect((await phone.call('POST', '/two-factor/verify-totp', { code: '000000' })).body.code).toBe('wrong_code');
    const second = await phone.call('POST', '/two-factor/verify-totp', { code: totp(uri) });
    expect([second.status, second.body]).toEqual([200, {}]);
    expect((await accounts.session(phone.cookies))?.account.email).toBe('ana@acme.com');
    expect(recorded()).toEqual([
      'acme auth.login.failure mfa_required',
      'acme auth.login.success',
      'acme auth.session.created',
    ]);
    expect(recordedOf('auth.login.success')[0].metadata).toEqual({ provider: 'password', secondFactor: 'totp' });
  });

  it('takes each code once', async () => {
    const { browser, uri } = await enrolled();
    const code = totp(uri);
    const [phone, thief] = [browser('198.51.100.1'), browser('198.51.100.2')];
    await phone.signIn();
    await thief.signIn();
    expect((await phone.call('POST', '/two-factor/verify-totp', { code })).status).toBe(200);
    expect((await thief.call('POST', '/two-factor/verify-totp', { code })).body.code).toBe('wrong_code');
    expect((await thief.call('POST', '/two-factor/verify-totp', { code: totp(uri, 1) })).status).toBe(200);
  });

  it('is replaced by a backup code, each good once', async () => {
    const { browser, backupCodes, recordedOf } = await enrolled();
    const [phone, tablet] = [browser('198.51.100.1'), browser('198.51.100.2')];
    await phone.signIn();
    expect((await phone.call('POST', '/two-factor/verify-backup-code', { code: 'wrong' })).body.code).toBe(
      'wrong_code',
    );
    expect((await phone.call('POST', '/two-factor/verify-backup-code', { code: backupCodes[0] })).status).toBe(200);
    expect(recordedOf('auth.login.success').at(-1).metadata.secondFactor).toBe('backup_code');
    await tablet.signIn();
    expect((await tablet.call('POST', '/two-factor/verify-backup-code', { code: backupCodes[0] })).status).toBe(422);
    expect((await tablet.call('POST', '/two-factor/verify-backup-code', { code: backupCodes[1] })).status).toBe(200);
  });

  it('has new backup codes made, which void the old ones', async () => {
    const { laptop, browser, backupCodes } = await enrolled();
    const { body } = await laptop.call('POST', '/two-factor/generate-backup-codes', { password: PASSWORD });
    const phone = browser('198.51.100.1');
    await phone.signIn();
    expect((await phone.call('POST', '/two-factor/verify-backup-code', { code: backupCodes[0] })).status).toBe(422);
    expect((await phone.call('POST', '/two-factor/verify-backup-code', { code: body.backupCodes[0] })).status).toBe(
      200,
    );
  });

  it('cannot be guessed: after five wrong codes the password is needed again', async () => {
    const { browser, uri, recordedOf } = await enrolled();
    const thief = browser('198.51.100.2');
    await thief.signIn();
    const codes = [];
    for (let i = 0; i < 6; i++)
      codes.push((await thief.call('POST', '/two-factor/verify-totp', { code: `00000${i}` })).body.code);
    expect(codes).toEqual([...Array(5).fill('wrong_code'), 'second_factor_expired']);
    expect((await thief.call('POST', '/two-factor/verify-totp', { code: totp(uri) })).body.code).toBe(
      'second_factor_expired',
    );
    expect(recordedOf('auth.login.failure').map(({ failureReason }) => failureReason)).toEqual([
      ...Array(5).fill('mfa_required'),
      'rate_limited',
      'session_expired',
    ]);
  });

  it('is counted as wrong when its code was taken, so that asking again and again is no way in', async () => {
    const { browser, uri } = await enrolled();
    const code = totp(uri);
    const [phone, thief] = [browser('198.51.100.1'), browser('198.51.100.2')];
    await phone.signIn();
    await thief.signIn();
    await phone.call('POST', '/two-factor/verify-totp', { code });
    const answers = [];
    for (let i = 0; i < 6; i++) answers.push((await thief.call('POST', '/two-factor/verify-totp', { code })).body.code);
    expect(answers).toEqual([...Array(5).fill('wrong_code'), 'second_factor_expired']);
  });

  it('that comes too late is refused, and recorded for whose it was', async () => {
    const { browser, uri, recordedOf } = await enrolled();
    const phone = browser('198.51.100.1');
    await phone.signIn();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 11 * 60_000 });
    onTestFinished(() => void vi.useRealTimers());
    const { status, body } = await phone.call('POST', '/two-factor/verify-totp', { code: totp(uri) });
    expect([status, body.code]).toEqual([401, 'second_factor_expired']);
    expect(recordedOf('auth.login.failure')[0]).toMatchObject({
      failureReason: 'session_expired',
      actor: { email: 'ana@acme.com' },
    });
  });

  it('lets in, and records it, across a restart between the steps', async () => {
    const { browser, uri, reopen, log, recorded } = await enrolled();
    const phone = browser('198.51.100.1');
    await phone.signIn();
    const accounts = await reopen();
    log.events.length = 0;
    expect((await phone.call('POST', '/two-factor/verify-totp', { code: totp(uri) })).status).toBe(200);
    expect(await accounts.session(phone.cookies)).not.toBeNull();
    expect(recorded()).toEqual(['acme auth.login.success', 'acme auth.session.created']);
  });

  it('does not use up a backup code of somebody signed in', async () => {
    const { laptop, browser, backupCodes } = await enrolled();
    const verify = { code: backupCodes[0] };
    expect((await laptop.call('POST', '/two-factor/verify-backup-code', verify)).body.code).toBe('invalid_request');
    const phone = browser('198.51.100.1');
    await phone.signIn();
    expect((await phone.call('POST', '/two-factor/verify-backup-code', verify)).status).toBe(200);
  });

  it('is nobody’s without the password before it', async () => {
    const { browser, uri, log, recorded } = await enrolled();
    log.events.length = 0;
    const { status, body } = await browser().call('POST', '/two-factor/verify-totp', { code: totp(uri) });
    expect([status, body.code]).toEqual([401, 'second_factor_expired']);
    expect(recorded()).toEqual([]);
  });

  it('does not let in who is in no team, nor what cannot be recorded', async () => {
    const { browser, uri, ana, roles, log, accounts } = await enrolled();
    const phone = browser('198.51.100.1');
    await phone.signIn();
    log.isBroken = true;
    expect((await phone.call('POST', '/two-factor/verify-totp', { code: totp(uri) })).status).toBe(503);
    expect(await accounts.session(phone.cookies)).toBeNull();
    log.isBroken = false;
    roles.delete(ana.id);
    expect((await phone.signIn()).body.code).toBe('account_disabled');
  });

  it('is removed with the password', async () => {
    const { laptop, browser, accounts, recordedOf } = await enrolled();
    const { sessionId } = (await accounts.session(laptop.cookies))!;
    expect((await laptop.call('POST', '/two-factor/disable', { password: 'wrong' })).status).toBe(400);
    expect((await laptop.call('POST', '/two-factor/disable', { password: PASSWORD })).status).toBe(200);
    expect(await accounts.session(laptop.cookies)).toMatchObject({ sessionId, account: { twoFactor: false } });
    expect(recordedOf('auth.mfa.disabled')).toHaveLength(1);
    expect((await browser('198.51.100.1').signIn()).body).toEqual({ twoFactorRedirect: false });
  });
});

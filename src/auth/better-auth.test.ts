import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { accountRig, FIREFOX, PASSWORD } from '../../test/rig/accounts.ts';

const DAY_MS = 24 * 3_600_000;
/** Wrong without being hashed first, which saves the tests a second or so. */
const OVERLONG = 'x'.repeat(257);

describe('sign-in', () => {
  it('begins a session that is recorded with where it comes from', async () => {
    const { person, browser, accounts, recorded, recordedOf } = await accountRig();
    const ana = await person();
    const laptop = browser();
    const { status, body, setCookies } = await laptop.signIn('ANA@acme.com ');
    expect([status, body]).toEqual([200, { twoFactorRedirect: false }]);
    expect(setCookies).toHaveLength(1);
    expect(setCookies[0]).toMatch(/^trailproof\.session_token=.+; Max-Age=\d+; Path=\/; HttpOnly; SameSite=Lax$/);

    const signedIn = await accounts.session(laptop.cookies);
    expect(signedIn?.account).toMatchObject({ id: ana.id, email: 'ana@acme.com', name: 'Ana Lind', twoFactor: false });
    expect(signedIn?.account.lastSeenAt).not.toBeNull();
    expect(recorded()).toEqual(['acme auth.login.success', 'acme auth.session.created']);
    expect(recordedOf('auth.login.success')[0]).toMatchObject({
      status: 'success',
      actor: { id: ana.id, type: 'user', email: 'ana@acme.com', name: 'Ana Lind' },
      context: { ipAddress: '203.0.113.7', userAgent: FIREFOX, sessionId: signedIn?.sessionId, requestId: 'request-1' },
      metadata: { provider: 'password', secondFactor: null },
    });
    expect(recordedOf('auth.session.created')[0].metadata).toMatchObject({ device: 'Firefox on Linux' });
  });

  it('takes the address it is told, whatever the client claims', async () => {
    const { person, browser, recordedOf } = await accountRig();
    await person();
    const laptop = browser('2001:db8::7');
    const forged = { 'x-forwarded-for': '6.6.6.6', 'x-real-client-ip': '6.6.6.6', forwarded: 'for=6.6.6.6' };
    await laptop.call('POST', '/sign-in/email', { email: 'ana@acme.com', password: PASSWORD }, forged);
    const { body: own } = await laptop.call('GET', '/list-sessions');
    expect(own).toMatchObject([{ current: true, ipAddress: '2001:db8::7', device: 'Firefox on Linux' }]);
    expect(recordedOf('auth.login.success')[0].context.ipAddress).toBe('2001:db8::7');
  });

  it('is recorded in every team the person is active in', async () => {
    const { person, browser, recorded } = await accountRig();
    await person('ana@acme.com', ['acme', 'globex']);
    await browser().signIn();
    expect(recorded().sort()).toEqual([
      'acme auth.login.success',
      'acme auth.session.created',
      'globex auth.login.success',
      'globex auth.session.created',
    ]);
  });

  it('answers a wrong password and an unknown address alike', async () => {
    const { person, browser, recorded, recordedOf } = await accountRig();
    await person();
    const wrong = await browser().signIn('ana@acme.com', 'not the password');
    const unknown = await browser().signIn('bob@acme.com', 'not the password');
    expect(wrong.status).toBe(401);
    expect(wrong.body.code).toBe('invalid_credentials');
    expect([unknown.status, unknown.body, unknown.setCookies]).toEqual([wrong.status, wrong.body, wrong.setCookies]);
    expect([...unknown.headers.keys()]).toEqual([...wrong.headers.keys()]);
    expect(recorded()).toEqual([
      'acme auth.login.failure invalid_credentials',
      '_installation auth.login.failure invalid_credentials',
    ]);
    expect(recordedOf('auth.login.failure')[1].actor).toEqual({ id: 'unknown', type: 'user', email: 'bob@acme.com' });
  });

  it('keeps no more of an attempted address than an address can have', async () => {
    const { person, browser, recordedOf } = await accountRig();
    await person();
    expect((await browser().signIn('x'.repeat(20_000), 'y'.repeat(20_000))).status).toBe(401);
    expect(recordedOf('auth.login.failure')[0].actor.email).toBe('x'.repeat(254));
  });

  it('is refused to who is in no team, and leaves no session', async () => {
    const { person, browser, roles, recorded, accounts } = await accountRig();
    const ana = await person();
    roles.delete(ana.id);
    const laptop = browser();
    const { status, body, setCookies } = await laptop.signIn();
    expect([status, body.code, setCookies]).toEqual([403, 'account_disabled', []]);
    expect(await accounts.begin(ana.id, 'link', {})).toEqual([]);
    expect(recorded()).toEqual([
      '_installation auth.login.failure account_disabled',
      '_installation auth.login.failure account_disabled',
    ]);
    roles.set(ana.id, new Map([['acme', 'member']]));
    await laptop.signIn();
    expect((await laptop.call('GET', '/list-sessions')).body).toHaveLength(1);
  });

  it('fails, and leaves no session, when it cannot be recorded', async () => {
    const { person, browser, log, recorded } = await accountRig();
    await person();
    const laptop = browser();
    log.isBroken = true;
    const { status, body, headers, setCookies } = await laptop.signIn();
    expect([status, body.code, setCookies]).toEqual([503, 'storage_error', []]);
    expect(headers.get('content-type')).toBe('application/problem+json');
    expect(headers.get('retry-after')).toBe('2');
    log.isBroken = false;
    await laptop.signIn();
    expect((await laptop.call('GET', '/list-sessions')).body).toHaveLength(1);
    expect(recorded()).toEqual(['acme auth.login.success', 'acme auth.session.created']);
  });

  it('is slowed down by address; a flood leaves one event a minute, with its number', async () => {
    const { person, browser, clock, recordedOf } = await accountRig();
    await person();
    const attacker = browser('198.51.100.9');
    const answers = [];
    for (let i = 0; i < 34; i++) answers.push(await attacker.signIn('ana@acme.com', OVERLONG));
    expect(answers.map(({ status }) => status)).toEqual([...Array(30).fill(401), ...Array(4).fill(429)]);
    expect(answers.at(-1)?.body.code).toBe('rate_limited');
    expect(Number(answers.at(-1)?.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await browser().signIn()).status).toBe(200);

    const limited = () =>
      recordedOf('auth.login.failure')
        .filter(({ failureReason }) => failureReason === 'rate_limited')
        .map(({ metadata }) => metadata.attempts);
    expect(limited()).toEqual([1]);
    await clock.advance(60_000);
    expect(limited()).toEqual([1, 3]);
    expect((await attacker.signIn()).status).toBe(200);
  });

  it('is refused after a hundred failures in a row against one account, from wherever they come', async () => {
    const { person, browser, clock } = await accountRig();
    await person();
    const statuses = [];
    for (let i = 0; i < 101; i++)
      statuses.push((await browser(`198.51.100.${i}`).signIn('ana@acme.com', OVERLONG)).status);
    expect(new Set(statuses.slice(0, 100))).toEqual(new Set([401]));
    expect(statuses[100]).toBe(429);
    expect((await browser().signIn()).status).toBe(429);
    await clock.advance(3_600_000);
    expect((await browser().signIn()).status).toBe(200);
  });

  it('is refused to pages of other sites', async () => {
    const { person, browser, recorded } = await accountRig();
    await person();
    const credentials = { email: 'ana@acme.com', password: PASSWORD };
    const { status, body } = await browser().call('POST', '/sign-in/email', credentials, {
      origin: 'https://evil.test',
    });
    expect([status, body.code]).toEqual([403, 'cross_origin']);
    expect(recorded()).toEqual([]);
  });

  it('is not possible before there is an account', async () => {
    const { browser, accounts } = await accountRig();
    expect(await accounts.isEmpty()).toBe(true);
    expect((await browser().signIn()).body.code).toBe('invalid_credentials');
    expect((await browser().call('POST', '/two-factor/verify-totp', { code: '123456' })).status).toBe(401);
  });
});

describe('a session', () => {
  it('ends by signing out, at once and for those who wait for it', async () => {
    const { person, browser, accounts, recorded, recordedOf, clock } = await accountRig();
    await person();
    const laptop = browser();
    await laptop.signIn();
    const { cookies } = laptop;
    const { sessionId, startedAt } = (await accounts.session(cookies))!;
    const ended = accounts.ended(sessionId, new AbortController().signal);
    await clock.advance(90_000);
    expect((await laptop.call('POST', '/sign-out')).status).toBe(200);
    await ended;
    expect(laptop.cookies).toBe('');
    expect(await accounts.session(cookies)).toBeNull();
    await accounts.ended(sessionId, new AbortController().signal);
    expect(recorded().at(-1)).toBe('acme auth.logout');
    const [{ metadata, context }] = recordedOf('auth.logout');
    expect(context.sessionId).toBe(sessionId);
    expect(metadata).toEqual({ durationSeconds: Math.round((clock.now() - startedAt) / 1000) });
  });

  it('is nobody’s when the cookie is forged', async () => {
    const { person, browser, accounts } = await accountRig();
    await person();
    const laptop = browser();
    await laptop.signIn();
    const [, token] = /session_token=([^.]+)\./.exec(laptop.cookies)!;
    expect(await accounts.session(`trailproof.session_token=${token}`)).toBeNull();
    expect(await accounts.session(`trailproof.session_token=${token}.${'A'.repeat(43)}%3D`)).toBeNull();
    expect(await accounts.session('other=1')).toBeNull();
  });

  it('ends for all when the person is deactivated, which the team they left sees', async () => {
    const { person, browser, accounts, roles, recordedOf } = await accountRig();
    const ana = await person();
    const [laptop, phone] = [browser(), browser('198.51.100.1')];
    await laptop.signIn();
    await phone.signIn();
    expect(await accounts.session(phone.cookies)).not.toBeNull();
    roles.delete(ana.id);
    await accounts.endSessions(ana.id, ['acme']);
    expect(await accounts.session(laptop.cookies)).toBeNull();
    expect(await accounts.session(phone.cookies)).toBeNull();
    expect((await laptop.call('GET', '/list-sessions')).status).toBe(401);
    const ends = recordedOf('auth.logout').map(({ context, metadata }) => [context.teamId, metadata.reason]);
    expect(ends).toEqual([
      ['acme', 'deactivated'],
      ['acme', 'deactivated'],
    ]);
  });

  it('can be ended from another one, alone or with all others', async () => {
    const { person, browser, accounts, recordedOf } = await accountRig();
    await person();
    await person('bob@acme.com');
    const [laptop, phone, tablet, bobs] = [browser(), browser(), browser(), browser()];
    for (const own of [laptop, phone, tablet]) await own.signIn();
    await bobs.signIn('bob@acme.com');
    const idOf = async ({ cookies }: { cookies: string }) => (await accounts.session(cookies))?.sessionId;
    expect((await laptop.call('POST', '/revoke-session', { id: await idOf(bobs) })).status).toBe(404);
    expect((await laptop.call('POST', '/revoke-session', { id: await idOf(phone) })).status).toBe(200);
    expect(await idOf(phone)).toBeUndefined();
    expect(await idOf(tablet)).toBeDefined();
    expect((await laptop.call('POST', '/revoke-other-sessions')).status).toBe(200);
    expect(await idOf(tablet)).toBeUndefined();
    expect(await idOf(laptop)).toBeDefined();
    expect(await idOf(bobs)).toBeDefined();
    expect(recordedOf('auth.logout').map(({ metadata }) => metadata.reason)).toEqual(['revoked', 'revoked']);
  });

  it('expires, also when nobody comes back, and is recorded once', async () => {
    const { person, browser, accounts, clock, recordedOf } = await accountRig();
    await person();
    const laptop = browser();
    await laptop.signIn();
    const { sessionId } = (await accounts.session(laptop.cookies))!;
    const ended = accounts.ended(sessionId, new AbortController().signal);
    await clock.advance(DAY_MS - 60_000);
    expect(recordedOf('auth.session.expired')).toEqual([]);
    await clock.advance(120_000);
    await ended;
    expect(await accounts.session(laptop.cookies)).toBeNull();
    const [expired, ...more] = recordedOf('auth.session.expired');
    expect(more).toEqual([]);
    expect(expired.metadata.durationSeconds).toBe(DAY_MS / 1000);
    expect(expired.context.sessionId).toBe(sessionId);
    expect(recordedOf('auth.logout')).toEqual([]);
  });

  it('that expired while nothing could be recorded is recorded later', async () => {
    const { person, browser, clock, log, recordedOf } = await accountRig();
    await person();
    await browser().signIn();
    log.isBroken = true;
    await clock.advance(DAY_MS + 60_000);
    log.isBroken = false;
    expect(recordedOf('auth.session.expired')).toEqual([]);
    await clock.advance(60_000);
    expect(recordedOf('auth.session.expired')).toHaveLength(1);
  });

  it('whose end could not be recorded is over all the same, and recorded later', async () => {
    const { person, browser, clock, log, accounts, recordedOf } = await accountRig();
    await person();
    const laptop = browser();
    await laptop.signIn();
    const { cookies } = laptop;
    log.isBroken = true;
    expect((await laptop.call('POST', '/sign-out')).status).toBe(503);
    expect(await accounts.session(cookies)).toBeNull();
    log.isBroken = false;
    await clock.advance(30_000);
    expect(recordedOf('auth.logout')).toHaveLength(1);
  });

  it('lasts while it is used, its cookie with it', async () => {
    const { person, browser, accounts, clock } = await accountRig();
    await person();
    const laptop = browser();
    const { setCookies } = await laptop.signIn();
    expect(setCookies[0]).toContain('Max-Age=2592000;');
    const first = (await accounts.session(laptop.cookies))!;
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 2 * 3_600_000 });
    onTestFinished(() => void vi.useRealTimers());
    await clock.advance(2 * 3_600_000);
    const later = (await accounts.session(laptop.cookies))!;
    expect(later).toMatchObject({ sessionId: first.sessionId, startedAt: first.startedAt });
    expect(later.expiresAt - first.expiresAt).toBeGreaterThanOrEqual(2 * 3_600_000);
  });

  it('survives a restart', async () => {
    const { person, browser, reopen } = await accountRig();
    const ana = await person();
    const laptop = browser();
    await laptop.signIn();
    const again = await reopen();
    expect((await again.session(laptop.cookies))?.account.id).toBe(ana.id);
    expect(await again.isEmpty()).toBe(false);
  });

  it('begins without a password by a one-time link', async () => {
    const { person, browser, accounts, recordedOf } = await accountRig();
    const ana = await person();
    const laptop = browser();
    laptop.take(await accounts.begin(ana.id, 'link', { ipAddress: '192.0.2.1', userAgent: FIREFOX }));
    expect((await accounts.session(laptop.cookies))?.account.id).toBe(ana.id);
    expect(recordedOf('auth.login.success')[0]).toMatchObject({
      metadata: { provider: 'link' },
      context: { ipAddress: '192.0.2.1' },
    });
  });

  it('has a cookie for https alone when the service is reached so', async () => {
    const { person, browser, reopen } = await accountRig();
    await person();
    const accounts = await reopen({ secureCookies: true });
    const laptop = browser();
    const { setCookies } = await laptop.signIn();
    expect(setCookies[0]).toMatch(/^__Secure-trailproof\.session_token=.*; Secure/);
    expect(await accounts.session(laptop.cookies)).not.toBeNull();
  });
});

describe('an account', () => {
  it('is made with its event, in any case of its address', async () => {
    const { accounts, recorded, recordedOf, folder } = await accountRig();
    const made = await accounts.create({ email: 'Ana@Acme.com', name: ' Ana ', password: PASSWORD }, ['acme'], {
      ipAddress: '192.0.2.1',
    });
    expect(made).toMatchObject({ email: 'ana@acme.com', name: 'Ana', twoFactor: false, lastSeenAt: null });
    expect(await accounts.byEmail('ANA@ACME.COM')).toEqual(made);
    expect(recorded()).toEqual(['acme user.created']);
    expect(recordedOf('user.created')[0]).toMatchObject({
      metadata: { method: 'manual' },
      context: { ipAddress: '192.0.2.1' },
      target: { type: 'user', name: 'ana@acme.com' },
    });
    expect((await stat(join(folder, 'accounts.db'))).size).toBeGreaterThan(0);
  });

  it('is not made twice, nor without address or name', async () => {
    const { accounts, person } = await accountRig();
    await person();
    const fieldOf = async (change: object) => {
      const wanted = { email: 'bob@acme.com', name: 'Bob', password: PASSWORD, ...change };
      const made = await accounts.create(wanted, [], {});
      return 'field' in made ? made.field : made.email;
    };
    expect(await fieldOf({ email: 'Ana@acme.com' })).toBe('email');
    for (const email of ['', 'bob', 'bob@', '@acme.com', 'a b@acme.com', `${'x'.repeat(250)}@acme.com`])
      expect(await fieldOf({ email })).toBe('email');
    expect(await fieldOf({ name: '  ' })).toBe('name');
    expect(await fieldOf({ password: 'short' })).toBe('password');
    expect(await fieldOf({})).toBe('bob@acme.com');
  });

  it('that cannot be recorded is not made', async () => {
    const { accounts, log } = await accountRig();
    log.isBroken = true;
    const wanted = { email: 'ana@acme.com', name: 'Ana', password: PASSWORD };
    await expect(accounts.create(wanted, ['acme'], {})).rejects.toThrow(/audit log/);
    expect(await accounts.byEmail('ana@acme.com')).toBeUndefined();
    expect(await accounts.isEmpty()).toBe(true);
  });

  it('is found by its id', async () => {
    const { accounts, person } = await accountRig();
    const { id } = await person();
    expect([...(await accounts.byIds([id, 'nobody'])).keys()]).toEqual([id]);
    expect((await accounts.byIds([])).size).toBe(0);
  });

  it('changes its password, which ends all other sessions', async () => {
    const { person, browser, accounts, recorded, recordedOf } = await accountRig();
    await person();
    const [laptop, phone] = [browser(), browser()];
    await laptop.signIn();
    await phone.signIn();
    const stolen = laptop.cookies;
    const { sessionId } = (await accounts.session(stolen))!;
    const change = (currentPassword: string, newPassword: string) =>
      laptop.call('POST', '/change-password', { currentPassword, newPassword });

    expect((await change('wrong', 'a quieter otter sleeps')).body.errors).toMatchObject([{ path: 'currentPassword' }]);
    expect((await change(PASSWORD, 'Password123!')).body.errors).toMatchObject([{ path: 'newPassword' }]);
    expect(recordedOf('auth.password.changed')).toEqual([]);
    expect((await change(PASSWORD, 'a quieter otter sleeps')).status).toBe(200);

    expect(await accounts.session(phone.cookies)).toBeNull();
    expect(await accounts.session(stolen)).toBeNull();
    expect((await accounts.session(laptop.cookies))?.sessionId).toBe(sessionId);
    expect(recorded().slice(-2)).toEqual(['acme auth.password.changed', 'acme auth.logout']);
    expect(recordedOf('auth.logout').map(({ metadata }) => metadata.reason)).toEqual(['password_changed']);
    expect((await browser().signIn()).status).toBe(401);
    expect((await browser().signIn('ana@acme.com', 'a quieter otter sleeps')).status).toBe(200);
  });

  it('is given a new password by a link, which ends every session', async () => {
    const { person, browser, accounts, recorded } = await accountRig();
    const ana = await person();
    const laptop = browser();
    await laptop.signIn();
    expect(await accounts.setPassword(ana.id, 'ana@acme.com', {})).toMatchObject({ field: 'password' });
    expect(await accounts.session(laptop.cookies)).not.toBeNull();
    expect(await accounts.setPassword(ana.id, 'a quieter otter sleeps', {})).toBeUndefined();
    expect(await accounts.session(laptop.cookies)).toBeNull();
    expect(recorded().slice(-2)).toEqual(['acme auth.password.changed', 'acme auth.logout']);
    expect((await browser().signIn('ana@acme.com', 'a quieter otter sleeps')).status).toBe(200);
  });

  it('can change its name, and nothing else', async () => {
    const { person, browser, accounts } = await accountRig();
    const ana = await person();
    const laptop = browser();
    await laptop.signIn();
    const change = (body: object) => laptop.call('POST', '/update-user', body);
    expect((await change({ name: ' Ana L. ', image: 'https://evil.test/x.png', lastSeenAt: 0 })).status).toBe(200);
    expect((await change({ name: ' ' })).body.errors).toMatchObject([{ path: 'name' }]);
    expect((await change({ name: 'x'.repeat(129) })).status).toBe(400);
    expect(await accounts.byEmail('ana@acme.com')).toMatchObject({ id: ana.id, name: 'Ana L.' });
  });
});

describe('routes', () => {
  it('other than those that are needed do not exist', async () => {
    const { person, browser } = await accountRig();
    await person();
    const laptop = browser();
    await laptop.signIn();
    const others = [
      ['POST', '/sign-up/email'],
      ['POST', '/request-password-reset'],
      ['POST', '/reset-password'],
      ['POST', '/change-email'],
      ['POST', '/delete-user'],
      ['POST', '/update-session'],
      ['GET', '/get-session'],
      ['GET', '/ok'],
      ['GET', '/error'],
      ['POST', '/two-factor/send-otp'],
      ['GET', '/sign-out'],
      ['POST', '/sign-in/email/'],
      ['POST', '//sign-in/email'],
    ] as const;
    for (const [method, path] of others) {
      const { status, body, headers } = await laptop.call(method, path, {
        email: 'x@acme.com',
        name: 'X',
        password: PASSWORD,
      });
      expect([path, status, body.code]).toEqual([path, 404, 'not_found']);
      expect(headers.get('content-type')).toBe('application/problem+json');
    }
  });

  it('need a session, a JSON object, and texts', async () => {
    const { person, browser } = await accountRig();
    await person();
    const stranger = browser();
    for (const path of [
      '/sign-out',
      '/change-password',
      '/update-user',
      '/two-factor/enable',
      '/revoke-other-sessions',
    ])
      expect((await stranger.call('POST', path)).body.code).toBe('unauthenticated');
    expect((await stranger.call('POST', '/sign-in/email', [])).body.code).toBe('invalid_request');
    const { body } = await stranger.call('POST', '/sign-in/email', { email: { $ne: '' }, password: PASSWORD });
    expect(body.errors).toMatchObject([{ path: 'email' }]);
  });
});

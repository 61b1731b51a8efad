import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { cookieOf, type HttpApi, PASSWORD, type Person, startHttpApi } from '../../../test/rig/http-api.ts';
import type { Mail } from '../../outbound/mail.ts';

let api: HttpApi;
let owner: Person;
const mails: Mail[] = [];
beforeAll(async () => {
  api = await startHttpApi({}, () => ({
    mailer: {
      isConfigured: true,
      send: async (mail) => {
        mails.push(mail);
        return mail.to.startsWith('unreachable') ? 'mail.example did not answer' : undefined;
      },
      close: async () => {},
    },
  }));
  owner = await api.person('acme', 'owner');
});
afterAll(() => api.close());

/** Events of a type in a team's log, newest first. */
const eventsOf = async (eventType: string, team = 'acme') =>
  (await api.operator('GET', `/v1/events?team=${team}&eventType=${eventType}`)).json.events;
const asOwner = (method: string, path: string, body?: object) =>
  api.call(method, path, { cookie: owner.cookie, ...(body && { body }) });
const tokenOf = (link: string) => link.split('#')[1]!;
const invite = async (email: string, role = 'member') => {
  const { json } = await asOwner('POST', '/v1/invitations', { email, role });
  return { ...json, token: tokenOf(json.link) };
};
const accept = (body: object, cookie?: string) =>
  api.call('POST', '/v1/invitations/accept', { body, ...(cookie && { cookie }) });
const sessionOf = async (cookie?: string) => (await api.call('GET', '/v1/session', cookie ? { cookie } : {})).json;

describe('set-up', () => {
  it('makes the first team and its Owner, once, and signs them in', async () => {
    const fresh = await startHttpApi();
    try {
      expect((await fresh.call('GET', '/v1/session')).json).toMatchObject({ user: null, teams: [], setupNeeded: true });
      const token = fresh.people.links.issue({ kind: 'setup' }, Number.POSITIVE_INFINITY);
      const setUp = (password: string, change = {}) =>
        fresh.call('POST', '/v1/setup', {
          body: {
            token,
            team: { name: 'Acme Inc.' },
            user: { email: 'Ana@Acme.com', name: 'Ana', password },
            ...change,
          },
        });
      // What is refused does not use the link up.
      expect(await setUp('short')).toMatchObject({ status: 400, json: { errors: [{ path: 'user.password' }] } });
      const reserved = { team: { id: '_x', name: 'x' } };
      expect(await setUp(PASSWORD, reserved)).toMatchObject({ status: 400, json: { errors: [{ path: 'team.id' }] } });
      const done = await setUp(PASSWORD);
      expect(done).toMatchObject({ status: 201, json: { team: 'acme-inc' } });
      const cookie = cookieOf(done.headers.getSetCookie());
      expect(done.headers.getSetCookie().join()).toMatch(/HttpOnly.*SameSite=Lax/i);
      expect((await fresh.call('GET', '/v1/session', { cookie })).json).toMatchObject({
        user: { email: 'ana@acme.com', name: 'Ana', twoFactor: false },
        teams: [{ id: 'acme-inc', name: 'Acme Inc.', role: 'owner' }],
        sessionExpiresAt: expect.stringMatching(/Z$/),
        setupNeeded: false,
      });
      const { events } = (await fresh.call('GET', '/v1/events?order=asc', { cookie })).json;
      expect(events).toMatchObject([
        { eventType: 'team.created', actor: { email: 'ana@acme.com' }, changes: { current: { name: 'Acme Inc.' } } },
        { eventType: 'user.joined_team', changes: { current: { role: 'owner' } }, metadata: { joinMethod: 'setup' } },
        { eventType: 'auth.login.success', metadata: { provider: 'setup' }, context: { ipAddress: '127.0.0.1' } },
        { eventType: 'auth.session.created' },
      ]);
      expect(await setUp(PASSWORD)).toMatchObject({ status: 410, json: { code: 'link_invalid' } });
      // Nor does a link of before open a second way in.
      const late = fresh.people.links.issue({ kind: 'setup' }, Number.POSITIVE_INFINITY);
      expect((await setUp(PASSWORD, { token: late })).status).toBe(410);
    } finally {
      await fresh.close();
    }
  });
});

describe('an invitation', () => {
  it('is mailed, shown once, and lets one person in with an account of their own', async () => {
    const invited = await asOwner('POST', '/v1/invitations', { email: 'Li@Acme.Example', role: 'auditor' });
    expect(invited).toMatchObject({
      status: 201,
      json: { email: 'li@acme.example', role: 'auditor', invitedBy: owner.email, mailed: true, mailProblem: null },
    });
    expect(invited.json.link).toMatch(new RegExp(`^${api.url}/join#[\\w-]{43}$`));
    expect(mails.at(-1)).toMatchObject({ to: 'li@acme.example', text: expect.stringContaining(invited.json.link) });
    const listed = (await asOwner('GET', '/v1/invitations')).json.items;
    expect(listed).toMatchObject([{ id: invited.json.id, status: 'open' }]);
    expect(JSON.stringify(listed)).not.toContain(tokenOf(invited.json.link));

    const token = tokenOf(invited.json.link);
    const lookup = await api.call('POST', '/v1/invitations/lookup', { body: { token } });
    expect(lookup.json).toMatchObject({ team: 'acme', email: 'li@acme.example', role: 'auditor', hasAccount: false });
    expect(await accept({ token })).toMatchObject({ status: 400, json: { errors: [{ path: 'name' }] } });
    expect(await accept({ token, name: 'Li', password: 'li@acme.example' })).toMatchObject({
      status: 400,
      json: { errors: [{ path: 'password' }] },
    });
    const joined = await accept({ token, name: 'Li', password: PASSWORD });
    expect(joined).toMatchObject({ status: 200, json: { team: 'acme' } });
    const { user, teams } = await sessionOf(cookieOf(joined.headers.getSetCookie()));
    expect(user).toMatchObject({ email: 'li@acme.example', name: 'Li' });
    expect(teams).toEqual([{ id: 'acme', name: 'acme', role: 'auditor' }]);

    expect(await accept({ token, name: 'Eve', password: PASSWORD })).toMatchObject({ status: 410 });
    expect((await asOwner('GET', '/v1/invitations')).json.items).toEqual([]);
    expect((await eventsOf('user.invited'))[0]).toMatchObject({
      actor: { id: owner.id, email: owner.email },
      target: { type: 'invitation', name: 'li@acme.example' },
      changes: { current: { role: 'auditor' } },
    });
    expect((await eventsOf('user.created'))[0]).toMatchObject({
      target: { id: user.id },
      metadata: { method: 'manual' },
    });
    expect((await eventsOf('user.joined_team'))[0]).toMatchObject({
      actor: { id: user.id, email: 'li@acme.example' },
      metadata: { joinMethod: 'invitation', invitedBy: owner.email },
      changes: { current: { role: 'auditor' } },
    });
  });

  it('says why it was not mailed', async () => {
    const { json } = await asOwner('POST', '/v1/invitations', { email: 'unreachable@acme.example', role: 'member' });
    expect(json).toMatchObject({ mailed: false, mailProblem: 'mail.example did not answer' });
  });

  it('is for its address alone: who has an account signs in with it first', async () => {
    const { token } = await invite('ann@other.example', 'admin');
    const ann = await api.person('other', 'member', 'ann@other.example');
    expect((await api.call('POST', '/v1/invitations/lookup', { body: { token } })).json.hasAccount).toBe(true);
    expect(await accept({ token, name: 'x', password: PASSWORD })).toMatchObject({
      status: 409,
      json: { code: 'already_exists' },
    });
    expect(await accept({ token }, owner.cookie)).toMatchObject({ status: 403, json: { code: 'wrong_account' } });
    expect(await accept({ token }, ann.cookie)).toMatchObject({ status: 200, json: { team: 'acme' } });
    expect((await sessionOf(ann.cookie)).teams.map((t: { role: string }) => t.role)).toEqual(['admin', 'member']);
    expect((await asOwner('POST', '/v1/invitations', { email: ann.email, role: 'member' })).json.code).toBe(
      'already_exists',
    );
  });

  it('lets somebody sign in who is in no other team', async () => {
    const bo = await api.person('short-lived', 'member', 'bo@acme.example');
    await api.people.remove('short-lived', bo.id, { kind: 'operator' }, {});
    const signIn = () => api.call('POST', '/api/auth/sign-in/email', { body: { email: bo.email, password: PASSWORD } });
    expect(await signIn()).toMatchObject({ status: 403, json: { code: 'account_disabled' } });
    const { token } = await invite(bo.email);
    const signedIn = await signIn();
    expect(signedIn.status).toBe(200);
    const cookie = cookieOf(signedIn.headers.getSetCookie());
    expect((await sessionOf(cookie)).teams).toEqual([]);
    expect(await accept({ token }, cookie)).toMatchObject({ status: 200 });
    expect((await sessionOf(cookie)).teams).toMatchObject([{ id: 'acme', role: 'member' }]);
  });

  it('ends when it is withdrawn, replaced, or a week old', async () => {
    const lookup = async (token: string) =>
      (await api.call('POST', '/v1/invitations/lookup', { body: { token } })).status;
    const withdrawn = await invite('wim@acme.example');
    expect((await asOwner('DELETE', `/v1/invitations/${withdrawn.id}`)).status).toBe(204);
    expect(await lookup(withdrawn.token)).toBe(410);
    expect((await eventsOf('user.invitation_revoked'))[0]).toMatchObject({
      actor: { id: owner.id },
      target: { name: 'wim@acme.example' },
      changes: { previous: { role: 'member' } },
    });
    const [first, second] = [await invite('twice@acme.example'), await invite('Twice@acme.example')];
    expect([await lookup(first.token), await lookup(second.token)]).toEqual([410, 200]);
    await api.clock.advance(7 * 86_400_000);
    expect(await lookup(second.token)).toBe(410);
    const [expired] = (await asOwner('GET', '/v1/invitations')).json.items;
    expect(expired).toMatchObject({ email: 'twice@acme.example', status: 'expired' });
  });
});

describe('a member', () => {
  it('gets another role, at once and recorded', async () => {
    const { id, cookie, email } = await api.person('acme', 'member', 'mo@acme.example');
    expect((await api.call('GET', '/v1/events', { cookie })).status).toBe(403);
    const changed = await asOwner('PATCH', `/v1/members/${id}`, { role: 'auditor' });
    expect(changed.json).toMatchObject({ id, email, role: 'auditor', status: 'active', twoFactor: false });
    expect((await api.call('GET', '/v1/events', { cookie })).status).toBe(200);
    expect((await eventsOf('user.role_changed'))[0]).toMatchObject({
      actor: { id: owner.id },
      target: { type: 'user', id, name: email },
      changes: { previous: { role: 'member' }, current: { role: 'auditor' } },
      metadata: { changedBy: owner.email },
    });
    // The same again is no change.
    await asOwner('PATCH', `/v1/members/${id}`, { role: 'auditor' });
    expect((await eventsOf('user.role_changed')).length).toBe(1);
    const listed = (await asOwner('GET', '/v1/members')).json.items;
    expect(listed.find((m: { id: string }) => m.id === id)).toMatchObject({
      role: 'auditor',
      lastSeenAt: expect.any(String),
    });
  });

  it('is deactivated with their sessions, and comes back by signing in anew', async () => {
    const { id, cookie } = await api.person('acme', 'auditor', 'di@acme.example');
    const tail = await fetch(`${api.url}/v1/events/stream`, { headers: { cookie } });
    const reader = tail.body!.getReader();
    await reader.read();
    expect((await asOwner('PATCH', `/v1/members/${id}`, { status: 'deactivated' })).json.status).toBe('deactivated');
    for (let ended = false; !ended; ) ended = (await reader.read()).done;
    expect((await api.call('GET', '/v1/events', { cookie })).status).toBe(401);
    expect((await eventsOf('user.deactivated'))[0]).toMatchObject({
      target: { id },
      changes: { previous: { status: 'active' }, current: { status: 'deactivated' } },
      metadata: { changedBy: owner.email },
    });
    const signIn = () =>
      api.call('POST', '/api/auth/sign-in/email', { body: { email: 'di@acme.example', password: PASSWORD } });
    expect(await signIn()).toMatchObject({ status: 403, json: { code: 'account_disabled' } });
    await asOwner('PATCH', `/v1/members/${id}`, { status: 'active' });
    expect((await eventsOf('user.reactivated')).length).toBe(1);
    expect((await signIn()).status).toBe(200);
  });

  it('sees no more of a live tail when the role that allowed it is lost', async () => {
    const { id, cookie } = await api.person('acme', 'auditor', 'tea@acme.example');
    const reader = (await fetch(`${api.url}/v1/events/stream`, { headers: { cookie } })).body!.getReader();
    await reader.read();
    await asOwner('PATCH', `/v1/members/${id}`, { role: 'member' });
    let seen = '';
    for (let part = await reader.read(); !part.done; part = await reader.read())
      seen += new TextDecoder().decode(part.value);
    expect(seen).not.toContain('deactivated');
    expect((await sessionOf(cookie)).user.email).toBe('tea@acme.example');
  });

  it('leaves a live tail that ends when its session does', async () => {
    const { cookie } = await api.person('acme', 'auditor', 'out@acme.example');
    const reader = (await fetch(`${api.url}/v1/events/stream`, { headers: { cookie } })).body!.getReader();
    await reader.read();
    await api.call('POST', '/api/auth/sign-out', { cookie, body: {} });
    for (let ended = false; !ended; ) ended = (await reader.read()).done;
    expect((await sessionOf(cookie)).user).toBeNull();
  });

  it('is removed, or leaves by themselves', async () => {
    const [gone, leaver] = [
      await api.person('acme', 'member', 'gone@acme.example'),
      await api.person('acme', 'member', 'leaver@acme.example'),
    ];
    expect((await asOwner('DELETE', `/v1/members/${gone.id}`)).status).toBe(204);
    expect((await sessionOf(gone.cookie)).user).toBeNull();
    expect((await eventsOf('user.removed'))[0]).toMatchObject({
      actor: { id: owner.id },
      target: { id: gone.id },
      changes: { previous: { role: 'member' } },
      metadata: { removedBy: owner.email, method: 'manual' },
    });
    // A Member administers nobody but may go.
    const asLeaver = (path: string) => api.call('DELETE', path, { cookie: leaver.cookie });
    expect(await asLeaver(`/v1/members/${owner.id}`)).toMatchObject({ status: 403, json: { code: 'not_allowed' } });
    expect((await asLeaver(`/v1/members/${leaver.id}`)).status).toBe(204);
    expect((await eventsOf('user.removed'))[0]).toMatchObject({
      actor: { id: leaver.id },
      metadata: { method: 'left' },
    });
    expect(await sessionOf(leaver.cookie)).toMatchObject({ user: { id: leaver.id }, teams: [] });
  });
});

describe('Owners', () => {
  let admin: Person;
  beforeAll(async () => {
    admin = await api.person('acme', 'admin');
  });
  const asAdmin = (method: string, path: string, body?: object) =>
    api.call(method, path, { cookie: admin.cookie, ...(body && { body }) });

  it('are made, changed and removed by Owners alone', async () => {
    const refused = { status: 403, json: { code: 'owners_only' } };
    const member = await api.person('acme', 'member', 'hopeful@acme.example');
    const second = await api.person('acme', 'owner', 'second@acme.example');
    const key = await api.key('acme', 'team:admin');
    expect(await asAdmin('PATCH', `/v1/members/${member.id}`, { role: 'owner' })).toMatchObject(refused);
    expect(await asAdmin('PATCH', `/v1/members/${admin.id}`, { role: 'owner' })).toMatchObject(refused);
    expect(await asAdmin('PATCH', `/v1/members/${second.id}`, { role: 'member' })).toMatchObject(refused);
    expect(await asAdmin('PATCH', `/v1/members/${second.id}`, { status: 'deactivated' })).toMatchObject(refused);
    expect(await asAdmin('DELETE', `/v1/members/${second.id}`)).toMatchObject(refused);
    const invitation = { email: 'x@acme.example', role: 'owner' };
    expect(await asAdmin('POST', '/v1/invitations', invitation)).toMatchObject(refused);
    expect(await api.call('POST', '/v1/invitations', { key, body: invitation })).toMatchObject(refused);
    expect((await asOwner('PATCH', `/v1/members/${member.id}`, { role: 'owner' })).json.role).toBe('owner');
    expect((await asOwner('PATCH', `/v1/members/${member.id}`, { role: 'member' })).json.role).toBe('member');
    expect((await asOwner('DELETE', `/v1/members/${second.id}`)).status).toBe(204);
  });

  it('are never gone: the last one stays, and nobody deactivates themselves', async () => {
    const refused = { status: 409, json: { code: 'last_owner' } };
    expect(await asOwner('PATCH', `/v1/members/${owner.id}`, { role: 'admin' })).toMatchObject(refused);
    expect(await asOwner('DELETE', `/v1/members/${owner.id}`)).toMatchObject(refused);
    for (const call of [asOwner, asAdmin]) {
      const own = call === asOwner ? owner : admin;
      expect(await call('PATCH', `/v1/members/${own.id}`, { status: 'deactivated' })).toMatchObject({ status: 403 });
    }
    expect(await api.operator('PATCH', `/v1/members/${owner.id}?team=acme`, { status: 'deactivated' })).toMatchObject(
      refused,
    );
    expect((await sessionOf(owner.cookie)).teams[0].role).toBe('owner');
  });
});

describe('one-time links', () => {
  it('sign a person in once, within the hour, when the operator makes them', async () => {
    const { email } = await api.person('acme', 'member', 'linked@acme.example');
    const make = () => api.operator('POST', '/v1/links', { kind: 'sign-in', email });
    const { json, status } = await make();
    expect({ status, json }).toMatchObject({ status: 201, json: { email } });
    const use = (token: string) => api.call('POST', '/v1/links/sign-in', { body: { token } });
    const used = await use(tokenOf(json.url));
    expect(used.status).toBe(204);
    expect((await sessionOf(cookieOf(used.headers.getSetCookie()))).user.email).toBe(email);
    expect(await use(tokenOf(json.url))).toMatchObject({ status: 410, json: { code: 'link_invalid' } });
    const old = tokenOf((await make()).json.url);
    await api.clock.advance(3_600_000);
    expect((await use(old)).status).toBe(410);
    expect((await eventsOf('auth.login.success'))[0]).toMatchObject({
      actor: { email },
      metadata: { provider: 'link' },
    });
    expect((await api.operator('POST', '/v1/links', { kind: 'reset', email: 'nobody@acme.example' })).status).toBe(404);
  });

  it('set a new password, asked for by mail, without telling who has an account', async () => {
    const { cookie, email } = await api.person('acme', 'member', 'forgot@acme.example');
    const ask = (address: string) => api.call('POST', '/v1/password/ask-reset', { body: { email: address } });
    const before = mails.length;
    expect((await ask('nobody@acme.example')).status).toBe(204);
    expect((await ask('Forgot@acme.example')).status).toBe(204);
    await vi.waitFor(() => expect(mails).toHaveLength(before + 1));
    expect((await ask(email)).status).toBe(204);
    const { to, text } = mails.at(-1)!;
    expect(to).toBe(email);
    const token = /\/reset#(\S+)/.exec(text)![1]!;
    expect((await eventsOf('auth.password.reset_requested'))[0]).toMatchObject({ actor: { email } });

    const reset = (body: object) => api.call('POST', '/v1/password/reset', { body });
    expect(await reset({ token, password: 'password1234' })).toMatchObject({
      status: 400,
      json: { errors: [{ path: 'password' }] },
    });
    // A link for one thing is good for nothing else.
    expect((await api.call('POST', '/v1/links/sign-in', { body: { token } })).status).toBe(410);
    const password = 'another set of quiet words';
    expect((await reset({ token, password })).status).toBe(204);
    expect((await sessionOf(cookie)).user).toBeNull();
    expect((await reset({ token, password })).status).toBe(410);
    const signIn = async (secret: string) =>
      (await api.call('POST', '/api/auth/sign-in/email', { body: { email, password: secret } })).status;
    expect([await signIn(PASSWORD), await signIn(password)]).toEqual([401, 200]);
    expect(mails).toHaveLength(before + 1);
  });
});

describe('what a person keeps for themselves', () => {
  it('is theirs alone', async () => {
    const other = await api.person('acme', 'auditor', 'keeper@acme.example');
    const mine = await asOwner('POST', '/v1/saved-filters', { name: 'Failures', query: 'status=failure' });
    expect(mine).toMatchObject({ status: 201, json: { name: 'Failures', query: 'status=failure' } });
    expect((await asOwner('GET', '/v1/saved-filters')).json.items).toEqual([mine.json]);
    const asOther = (method: string, path: string) => api.call(method, path, { cookie: other.cookie });
    expect((await asOther('GET', '/v1/saved-filters')).json.items).toEqual([]);
    expect((await asOther('DELETE', `/v1/saved-filters/${mine.json.id}`)).status).toBe(404);
    expect((await asOwner('DELETE', `/v1/saved-filters/${mine.json.id}`)).status).toBe(204);
    expect((await asOwner('GET', '/v1/saved-filters')).json.items).toEqual([]);
  });
});

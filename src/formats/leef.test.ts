import { describe, expect, it } from 'vitest';
import { leefLine } from './leef.ts';

const HEADER = { vendor: 'NeuralTrust', product: 'Trailproof', version: '1.0' };
const EVENT = {
  timestamp: '2026-01-15T10:30:00.000Z',
  sequence: 7,
  receivedAt: '2026-01-15T10:30:01.000Z',
  id: 'e-1',
  version: '1.0',
  eventType: 'user.role_changed',
  eventCategory: 'user_management',
  status: 'success',
  context: { teamId: 't-1' },
};

describe('LEEF', () => {
  it('writes the mapped keys first, then every field, the long ones last', () => {
    const event = {
      ...EVENT,
      description: 'Role changed',
      failureReason: 'none',
      actor: { id: 'u-1', email: 'a@example.com', name: 'Ana', type: 'user' },
      target: { type: 'user', id: 'u-2', name: 'Bo' },
      context: { ...EVENT.context, ipAddress: '2001:db8::1', userAgent: 'curl/8', sessionId: 's-1', requestId: 'r-1' },
      changes: { previous: { role: 'member' }, current: { role: 'admin' } },
      metadata: { note: 'a\tb\u2028c' },
      trailproof: { clock: 'past' },
    };
    expect(leefLine(JSON.stringify(event), HEADER).split('\t')).toEqual([
      'LEEF:2.0|NeuralTrust|Trailproof|1.0|user.role_changed|x09|devTime=1768473000000',
      'cat=Account Management',
      'sev=6',
      'usrName=a@example.com',
      'src=2001:db8::1',
      'identSrc=2001:db8::1',
      'resource=Bo',
      'eventUid=e-1',
      'sequence=7',
      'timestamp=2026-01-15T10:30:00.000Z',
      'receivedAt=2026-01-15T10:30:01.000Z',
      'version=1.0',
      'eventType=user.role_changed',
      'eventCategory=user_management',
      'status=success',
      'teamId=t-1',
      'actorId=u-1',
      'actorEmail=a@example.com',
      'actorName=Ana',
      'actorType=user',
      'targetType=user',
      'targetId=u-2',
      'targetName=Bo',
      'ipAddress=2001:db8::1',
      'sessionId=s-1',
      'requestId=r-1',
      'failureReason=none',
      'userAgent=curl/8',
      'description=Role changed',
      'trailproof={"clock":"past"}',
      'changes={"previous":{"role":"member"},"current":{"role":"admin"}}',
      'metadata={"note":"a\\tb\\u2028c"}',
    ]);
  });

  it.each([
    ['auth.login.success', 'success', 'auth.login.success', 'Authentication', 2],
    ['auth.login.failure', 'failure', 'auth.login.failure', 'Authentication', 5],
    ['auth.logout', 'success', 'auth.logout', 'Authentication', 1],
    ['auth.session.expired', 'success', 'auth.session.expired', 'Authentication', 1],
    ['user.created', 'success', 'user.created', 'Account Management', 4],
    ['user.created', 'failure', 'user.created.failure', 'Account Management', 5],
    ['user.role_changed', 'failure', 'user.role_changed.failure', 'Account Management', 6],
    ['user.removed', 'success', 'user.removed', 'Account Management', 5],
    ['sso.configured', 'success', 'sso.configured', 'Configuration', 7],
    ['scim.token.generated', 'success', 'scim.token.generated', 'Credential', 7],
    ['scim.user.provisioned', 'success', 'scim.user.provisioned', 'Account Management', 3],
    ['apikey.created', 'success', 'apikey.created', 'Credential', 6],
    ['apikey.used', 'success', 'apikey.used', 'API', 1],
    ['apikey.revoked', 'success', 'apikey.revoked', 'Credential', 5],
    ['team.settings.updated', 'success', 'team.settings.updated', 'Configuration', 5],
    ['gateway.blocked', 'success', 'gateway.blocked', 'user_management', 3],
  ])('calls %s with status %s %s, %s, severity %d', (eventType, status, id, cat, sev) => {
    expect(read({ eventType, status })).toMatchObject({ EventID: id, cat, sev: String(sev), eventType });
  });

  it('makes a break-glass login an event of its own, of the highest severity', () => {
    const metadata = { isBreakGlassAccess: true };
    expect(read({ eventType: 'auth.login.success', metadata })).toMatchObject({
      EventID: 'auth.breakglass.login',
      sev: '10',
    });
    expect(read({ eventType: 'auth.login.failure', status: 'failure', metadata })).toMatchObject({
      EventID: 'auth.breakglass.login.failure',
      sev: '10',
    });
    expect(read({ eventType: 'user.created', metadata })).toMatchObject({ EventID: 'user.created' });
  });

  it('replaces what LEEF cannot hold, and nothing else', () => {
    const hostile = 'a|b\tc\r\nd\u0000e\u0085f\u2029g=h^i\\';
    const pairs = read({ eventType: hostile, description: hostile });
    expect(pairs['EventID']).toBe('a b c  d e f g=h^i\\');
    expect(pairs['description']).toBe('a|b c  d e f g=h^i\\');
    expect(read({ eventType: '|\t|' })['EventID']).toBe('unknown');
  });

  it('keeps EventID and user name within 255 characters and cuts no character in two', () => {
    const long = `${'x'.repeat(254)}😀${'y'.repeat(50)}`;
    const pairs = read({ eventType: long, status: 'failure', actor: { name: long } });
    expect(pairs['EventID']).toBe(`${'x'.repeat(247)}.failure`);
    expect(pairs['usrName']).toBe('x'.repeat(254));
    expect(pairs['actorName']).toBe(long);
  });

  it('maps only addresses to src, so that QRadar does not take a name for one', () => {
    const pairs = read({ context: { teamId: 't-1', ipAddress: 'unknown' } });
    expect(pairs).not.toHaveProperty('src');
    expect(pairs['ipAddress']).toBe('unknown');
  });

  it('writes times before 2001 with the 13 digits that QRadar reads as milliseconds', () => {
    expect(read({ timestamp: '1999-12-31T23:59:59.999Z' })['devTime']).toBe('0946684799999');
    expect(read({ timestamp: '1969-12-31T23:59:59.999Z' })['devTime']).toBe('0000000000000');
  });

  it('falls back from e-mail to name to id for the user', () => {
    expect(read({ actor: { id: 'u-1', name: 'Ana' } })['usrName']).toBe('Ana');
    expect(read({ actor: { id: 'u-1' } })['usrName']).toBe('u-1');
    expect(read({})).not.toHaveProperty('usrName');
  });
});

function read(change: Readonly<Record<string, unknown>>): Record<string, string> {
  const [, id, pairs] = /^LEEF:2\.0\|NeuralTrust\|Trailproof\|1\.0\|([^|]*)\|x09\|(.*)$/.exec(
    leefLine(JSON.stringify({ ...EVENT, ...change }), HEADER),
  )!;
  const split = (pair: string) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)] as const;
  return { EventID: id!, ...Object.fromEntries(pairs!.split('\t').map(split)) };
}

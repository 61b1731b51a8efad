/**
 * The audit events of a believable day at a small company: people sign in and mistype passwords, an administrator
 * changes roles and settings, SCIM provisions a newcomer, keys are made, used and revoked. Deterministic for a seed, so
 * that two runs of the demo show the same day. Half of them come in the flat form, half as the SDK (1.0) writes them.
 */
interface Person {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly ip: string;
  readonly agent: string;
}

const PEOPLE: readonly Person[] = [
  ['Ana Núñez', 'ana.nunez', '203.0.113.7'],
  ['Björn Åkesson', 'bjorn', '198.51.100.23'],
  ['Chen Wei (陈伟)', 'chen.wei', '203.0.113.61'],
  ['Dara O’Neill', 'dara.oneill', '2001:db8::8a2e:370:7334'],
  ['Émile Lefèvre', 'emile', '192.0.2.44'],
  ['Fatima al-Zahra', 'fatima', '203.0.113.99'],
  ['Grace "Gigi" Hopper', 'grace', '198.51.100.77'],
  ['Hiro Tanaka', 'hiro', '192.0.2.18'],
].map(([name, user, ip], i) => ({
  id: `usr_${(i + 1).toString().padStart(4, '0')}`,
  name: name!,
  email: `${user}@acme.example`,
  ip: ip!,
  agent:
    i % 2 === 0
      ? 'Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15'
      : 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36',
}));

interface Happening {
  readonly weight: number;
  readonly type: string;
  readonly description: string;
  readonly failureReason?: string;
  readonly target?: (random: Random) => { type: string; id: string; name?: string };
  readonly changes?: (random: Random) => { previous: object; current: object };
  readonly metadata?: (random: Random) => object;
}
type Random = () => number;

const pick = <T>(random: Random, from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
const person = (random: Random): { type: string; id: string; name: string } => {
  const { id, name } = pick(random, PEOPLE);
  return { type: 'user', id, name };
};
const key = (random: Random): { type: string; id: string; name: string } => {
  const name = pick(random, ['ci "deploy" key', 'nightly-export', 'terraform', 'grafana|reader']);
  return { type: 'api_key', id: `key_${name.length}`, name };
};

const HAPPENINGS: readonly Happening[] = [
  {
    weight: 30,
    type: 'auth.login.success',
    description: 'Signed in',
    metadata: (r) => ({ provider: pick(r, ['password', 'okta', 'entra']) }),
  },
  { weight: 7, type: 'auth.login.failure', description: 'Sign-in refused', failureReason: 'invalid_credentials' },
  { weight: 2, type: 'auth.login.failure', description: 'Sign-in refused', failureReason: 'mfa_required' },
  {
    weight: 16,
    type: 'auth.logout',
    description: 'Signed out',
    metadata: (r) => ({ sessionSeconds: Math.floor(r() * 28_800) }),
  },
  {
    weight: 10,
    type: 'auth.session.created',
    description: 'Session started',
    metadata: (r) => ({ device: pick(r, ['laptop', 'phone']) }),
  },
  { weight: 4, type: 'auth.session.expired', description: 'Session expired' },
  {
    weight: 3,
    type: 'user.created',
    description: 'User created',
    target: person,
    metadata: (r) => ({ method: pick(r, ['sso', 'scim', 'manual']) }),
  },
  {
    weight: 3,
    type: 'user.role_changed',
    description: 'Role changed',
    target: person,
    changes: () => ({ previous: { role: 'member' }, current: { role: 'admin' } }),
  },
  { weight: 1, type: 'user.deactivated', description: 'User deactivated', target: person },
  {
    weight: 2,
    type: 'scim.user.provisioned',
    description: 'User provisioned by SCIM',
    target: person,
    metadata: () => ({ source: 'okta' }),
  },
  {
    weight: 1,
    type: 'scim.token.generated',
    description: 'SCIM token created',
    metadata: () => ({ expiresInDays: 90 }),
  },
  {
    weight: 1,
    type: 'sso.configured',
    description: 'SSO connection changed',
    changes: () => ({ previous: { issuer: null }, current: { issuer: 'https://acme.okta.example' } }),
  },
  { weight: 2, type: 'apikey.created', description: 'API key created', target: key },
  {
    weight: 20,
    type: 'apikey.used',
    description: 'API key used',
    target: key,
    metadata: (r) => ({ endpoint: pick(r, ['/v1/reports', '/v1/users', '/v1/gateways']), status: 200 }),
  },
  { weight: 1, type: 'apikey.revoked', description: 'API key revoked', target: key },
  {
    weight: 2,
    type: 'team.settings.updated',
    description: 'Password policy changed',
    changes: () => ({ previous: { minLength: 8 }, current: { minLength: 12 } }),
  },
  {
    weight: 4,
    type: 'gateway.created',
    description: 'Gateway created',
    target: (r) => ({ type: 'gateway', id: `gw_${Math.floor(r() * 90) + 10}`, name: 'Équipe Sécurité' }),
    metadata: () => ({ region: 'eu-west-1', tags: ['edge', 'prod'] }),
  },
];

const WEIGHTED = HAPPENINGS.flatMap((h) => Array.from({ length: h.weight }, () => h));

/** `count` events ending now, oldest first, spread over the last ten hours, busier towards the end. */
export function dayOfEvents(count: number, endingAt: number, seed = 7): object[] {
  const random = mulberry32(seed);
  return Array.from({ length: count }, (_, i) => {
    const age = 36_000_000 * (1 - Math.sqrt((i + 1) / count));
    const happening = pick(random, WEIGHTED);
    const at = new Date(endingAt - age).toISOString();
    return i % 2 === 0
      ? flat(happening, pick(random, PEOPLE), at, i, random)
      : nested(happening, pick(random, PEOPLE), at, i, random);
  });
}

function flat(h: Happening, who: Person, timestamp: string, i: number, random: Random): object {
  return {
    timestamp,
    eventType: h.type,
    eventCategory: category(h.type),
    status: h.failureReason ? 'failure' : 'success',
    ...(h.failureReason ? { failureReason: h.failureReason } : {}),
    description: h.description,
    actor: { id: who.id, email: who.email, name: who.name, type: 'user' },
    ...(h.target ? { target: h.target(random) } : {}),
    context: { ipAddress: who.ip, userAgent: who.agent, requestId: `req_${i.toString(36).padStart(6, '0')}` },
    ...(h.changes ? { changes: h.changes(random) } : {}),
    ...(h.metadata ? { metadata: h.metadata(random) } : {}),
  };
}

function nested(h: Happening, who: Person, timestamp: string, i: number, random: Random): object {
  return {
    version: '1.0',
    id: `demo-${i.toString().padStart(6, '0')}`,
    timestamp: `${timestamp.replace('T', ' ').replace('Z', '')}482`,
    event: {
      type: h.type,
      category: category(h.type),
      description: h.description,
      status: h.failureReason ? 'failed' : 'success',
      ...(h.failureReason ? { error_message: h.failureReason } : {}),
    },
    actor: { id: who.id, email: who.email, type: 'user' },
    ...(h.target ? { target: h.target(random) } : {}),
    context: { ip_address: who.ip, user_agent: who.agent, session_id: `ses_${who.id}` },
    ...(h.changes ? { changes: h.changes(random) } : {}),
    ...(h.metadata ? { metadata: h.metadata(random) } : {}),
  };
}

function category(type: string): string {
  const first = type.split('.')[0]!;
  const known: Record<string, string> = {
    auth: 'authentication',
    user: 'user_management',
    sso: 'sso_security',
    scim: 'sso_security',
    apikey: 'api_access',
    team: 'administrative',
  };
  return known[first] ?? first;
}

/** A small seeded generator (public-domain mulberry32): the demo needs repeatable, not unpredictable. */
function mulberry32(seed: number): Random {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

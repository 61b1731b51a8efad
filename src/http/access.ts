import { hash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';
import { auditActor, type Origin, type Principal } from '../auth/principal.ts';
import { isAllowed, type Permission } from '../contract/roles.ts';
import type { TeamId } from '../event/logged-event.ts';
import { INSTALLATION_TEAM, type OwnEvent, ownEvent } from '../event/own-event.ts';
import { problem } from './problem.ts';
import type { ServerParts } from './server-parts.ts';

/** Who may do what: the two questions every request is asked. */
export interface Gate {
  /** Finds out who asks; whether they may is for `authorize` to say, once they are known not to ask too often. */
  authenticate(request: FastifyRequest): Promise<void>;
  /** Throws 401 or 403 unless the caller may use the route. */
  authorize(request: FastifyRequest): Promise<void>;
}

export function createGate(parts: ServerParts): Gate {
  const { config, keyring, accounts, people, teams, log, clock } = parts;
  const reported = new LRUCache<string, true>({ max: 10_000 });

  /** Somebody who is signed in asked for a team they are not in: recorded there, once an hour each. */
  const reportStranger = async (request: FastifyRequest, user: User, team: TeamId): Promise<void> => {
    const at = clock.now();
    const place = `${user.id} ${team} ${Math.floor(at / REPORT_MS)}`;
    if (reported.has(place) || !(team === INSTALLATION_TEAM || (await teams.get(team)))) return;
    const event = ownEvent({
      ...auditActor(user, originOf(request)),
      // The same all through an hour: the log takes it once, whichever process reports it.
      id: `stranger-${hash('sha256', place, 'hex')}`,
      team,
      eventType: 'auth.login.failure',
      status: 'failure',
      failureReason: 'unauthorized_team_access',
      description: `${user.email} asked for this team, and is not in it`,
      metadata: { endpoint: endpointOf(request) },
      at,
    });
    await log.append([event]);
    reported.set(place, true);
  };

  const authorizeUser = async (request: FastifyRequest, user: User, access: Permission): Promise<void> => {
    const team = askedTeam(request, user);
    if (team === null) throw problem('team_required', user.roles.size === 0 ? 'You are in no team.' : undefined);
    const role = user.roles.get(team);
    if (!role) {
      await reportStranger(request, user, team);
      throw problem('wrong_team', `You are not in the team "${team}".`);
    }
    if (!isAllowed(role, access)) throw problem('not_allowed', `Your role is ${role}; this needs ${access}.`);
  };

  return {
    authenticate: async (request) => {
      if (parts.principal === 'operator') {
        request.principal = { kind: 'operator' };
        return;
      }
      const { authorization, cookie } = request.headers;
      if (authorization !== undefined) {
        const key = /^Bearer +(\S+) *$/i.exec(authorization)?.[1] ?? '';
        const found = await keyring.authenticate(key, { ...originOf(request), endpoint: endpointOf(request) });
        if (typeof found === 'string') request.refusal = found;
        else request.principal = found;
        return;
      }
      // Pages, their assets and the routes of sign-in itself do not ask whose session it is.
      if (cookie === undefined || !request.url.startsWith('/v1/')) return;
      request.session = await accounts.session(cookie);
      if (!request.session) return;
      const { account, sessionId } = request.session;
      const { id, email, name } = account;
      request.principal = { kind: 'user', id, email, name, sessionId, roles: await people.rolesOf(id) };
    },

    authorize: async (request) => {
      const { principal, refusal } = request;
      // A key is not sent along by browsers of their own accord; cookies are.
      if (principal?.kind !== 'key' && principal?.kind !== 'operator') refuseForeignPages(request, config.publicUrl);
      const access = accessOf(request);
      if (access === 'anyone' || principal?.kind === 'operator') return;
      if (!principal) {
        const detail = refusal ? REFUSALS[refusal] : 'Sign in, or send the header "Authorization: Bearer tp_…".';
        throw problem('unauthenticated', detail, { headers: { 'www-authenticate': 'Bearer' } });
      }
      if (access === 'operator') throw problem('operator_only');
      if (principal.kind === 'user') return authorizeUser(request, principal, access);
      if (!principal.scopes.includes(access)) throw problem('missing_scope', `This needs the scope ${access}.`);
      teamOfKey(request, principal.team);
    },
  };
}

/** The team a request is about, which exists. Throws 400, 403 or 404. */
export async function teamOf(
  request: FastifyRequest<{ Querystring: { team?: string } }>,
  parts: ServerParts,
): Promise<TeamId> {
  const team = namedTeam(request);
  if (team === null) throw problem('team_required');
  const mayName = request.principal?.kind === 'operator' || callersTeam(request) === null;
  if (mayName && team !== INSTALLATION_TEAM && !(await parts.teams.get(team)))
    throw problem('not_found', `There is no team "${team}".`);
  return team;
}

/** As `teamOf`, but a team unknown to an installation's key comes into being with what is written, as with events. */
export async function teamToWriteTo(
  request: FastifyRequest<{ Querystring: { team?: string } }>,
  parts: ServerParts,
): Promise<TeamId> {
  const team = namedTeam(request);
  const mayBeNew = request.principal?.kind === 'key' && parts.config.autoCreateTeams;
  if (team === null || !mayBeNew) return teamOf(request, parts);
  if (team.startsWith('_')) throw problem('not_found', `There is no team "${team}".`);
  return team;
}

/**
 * The team a request names by `?team=`, by its key, or by being of somebody who is in one team alone; null: none, which
 * only the installation may.
 */
export function namedTeam(request: FastifyRequest<{ Querystring: { team?: string } }>): TeamId | null {
  const { principal } = request;
  if (principal?.kind === 'user') {
    const team = askedTeam(request, principal);
    if (team === null) throw problem('team_required');
    if (!principal.roles.has(team)) throw problem('wrong_team', `You are not in the team "${team}".`);
    return team;
  }
  return teamOfKey(request, callersTeam(request));
}

/** The person who asks. Throws 403 for keys and the operator: what is somebody's own is nobody else's. */
export function personOf({ principal }: FastifyRequest): User {
  if (principal?.kind === 'user') return principal;
  throw problem('not_allowed', 'This belongs to a person: sign in to the console.');
}

/** Who asks, on a route that is not open to anyone. */
export function callerOf({ principal }: FastifyRequest): Principal {
  if (!principal) throw new Error('a route that asks for its caller must not be open to anyone');
  return principal;
}

/** Actor and context of an audit event about this request. */
export function actorOf(request: FastifyRequest): Pick<OwnEvent, 'actor' | 'context'> {
  return auditActor(callerOf(request), originOf(request));
}

export function originOf(request: FastifyRequest): Origin {
  const userAgent = request.headers['user-agent'];
  return {
    // Absent on the control socket.
    ...(request.ip ? { ipAddress: request.ip } : {}),
    ...(userAgent ? { userAgent } : {}),
    requestId: request.id,
  };
}

type User = Extract<Principal, { kind: 'user' }>;

/** What the route needs; less where it says so for those who do it to themselves. */
function accessOf(request: FastifyRequest) {
  // The answer for unknown addresses has no config: it is open to anyone.
  const { access = 'anyone', ownAccess } = request.routeOptions.config;
  const { principal, params } = request;
  const isOwn =
    principal?.kind === 'user' && typeof params === 'object' && params !== null && 'id' in params
      ? params.id === principal.id
      : false;
  return isOwn && ownAccess ? ownAccess : access;
}

function askedTeam(request: FastifyRequest, { roles }: User): TeamId | null {
  const [only, another] = roles.keys();
  return teamIn(request) ?? (another === undefined ? (only ?? null) : null);
}

function teamOfKey(request: FastifyRequest, own: TeamId | null): TeamId | null {
  const asked = teamIn(request) ?? own;
  if (own !== null && asked !== own) throw problem('wrong_team', `This key belongs to another team than "${asked}".`);
  return asked;
}

/** Also read before the schema was looked at, which refuses a query of another form. */
function teamIn({ query }: FastifyRequest): TeamId | undefined {
  if (typeof query !== 'object' || query === null || !('team' in query)) return undefined;
  return typeof query.team === 'string' ? query.team : undefined;
}

function callersTeam({ principal }: FastifyRequest): TeamId | null {
  return principal?.kind === 'key' ? principal.team : null;
}

/**
 * Throws 403 for a change that a page of another site asks for. Browsers say so in Sec-Fetch-Site
 * (https://www.w3.org/TR/fetch-metadata/), over plain http only in Origin.
 */
function refuseForeignPages(request: FastifyRequest, publicUrl: string | null): void {
  if (SAFE_METHODS.has(request.method)) return;
  const { 'sec-fetch-site': site, origin } = request.headers;
  if (site !== undefined ? site !== 'same-origin' && site !== 'none' : origin !== undefined && !isOurs(origin))
    throw problem('cross_origin');

  function isOurs(page: string): boolean {
    return page === (publicUrl && new URL(publicUrl).origin) || URL.parse(page)?.host === request.host;
  }
}

function endpointOf(request: FastifyRequest): string {
  return `${request.method} ${request.routeOptions.url ?? ''}`;
}

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);
const REPORT_MS = 3_600_000;

const REFUSALS = {
  unknown: 'This key is not known here.',
  expired: 'This key has expired: create a new one.',
  revoked: 'This key was revoked: create a new one.',
} as const;

import type { FastifyRequest } from 'fastify';
import { auditActor, type Origin } from '../auth/principal.ts';
import type { TeamId } from '../event/logged-event.ts';
import { INSTALLATION_TEAM, type OwnEvent } from '../event/own-event.ts';
import { problem } from './problem.ts';
import type { ServerParts } from './server-parts.ts';

/** Finds out who asks; whether they may is for `authorize` to say, once they are known not to ask too often. */
export async function authenticate(request: FastifyRequest, parts: ServerParts): Promise<void> {
  if (parts.principal === 'operator') {
    request.principal = { kind: 'operator' };
    return;
  }
  const { authorization } = request.headers;
  if (authorization === undefined) return;
  const key = /^Bearer +(\S+) *$/i.exec(authorization)?.[1] ?? '';
  const endpoint = `${request.method} ${request.routeOptions.url ?? ''}`;
  const found = await parts.keyring.authenticate(key, { ...originOf(request), endpoint });
  if (typeof found === 'string') request.refusal = found;
  else request.principal = found;
}

/** Throws 401 or 403 unless the caller may use the route. */
export function authorize(request: FastifyRequest): void {
  // The answer for unknown addresses has no config: it is open to anyone.
  const access = request.routeOptions.config.access ?? 'anyone';
  if (access === 'anyone') return;
  const { principal, refusal } = request;
  if (!principal) {
    const detail = refusal ? REFUSALS[refusal] : 'Send the header "Authorization: Bearer tp_…".';
    throw problem('unauthenticated', detail, { headers: { 'www-authenticate': 'Bearer' } });
  }
  if (principal.kind === 'operator') return;
  if (access === 'operator') throw problem('operator_only');
  if (!principal.scopes.includes(access)) throw problem('missing_scope', `This needs a key with the scope ${access}.`);
}

/** The team a request is about, which exists. Throws 400, 403 or 404. */
export async function teamOf(
  request: FastifyRequest<{ Querystring: { team?: string } }>,
  parts: ServerParts,
): Promise<TeamId> {
  const team = namedTeam(request);
  if (team === null) throw problem('team_required');
  if (callersTeam(request) === null && team !== INSTALLATION_TEAM && !(await parts.teams.get(team)))
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

/** The team a request names by its key or by `?team=`; null: none, which only the installation may. */
export function namedTeam(request: FastifyRequest<{ Querystring: { team?: string } }>): TeamId | null {
  const own = callersTeam(request);
  const asked = request.query.team ?? own;
  if (own !== null && asked !== own) throw problem('wrong_team', `This key belongs to another team than "${asked}".`);
  return asked;
}

/** Actor and context of an audit event about this request. */
export function actorOf(request: FastifyRequest): Pick<OwnEvent, 'actor' | 'context'> {
  if (!request.principal) throw new Error('an audited route must not be open to anyone');
  return auditActor(request.principal, originOf(request));
}

function callersTeam(request: FastifyRequest): TeamId | null {
  return request.principal?.kind === 'key' ? request.principal.team : null;
}

function originOf(request: FastifyRequest): Origin {
  const userAgent = request.headers['user-agent'];
  return {
    // Absent on the control socket.
    ...(request.ip ? { ipAddress: request.ip } : {}),
    ...(userAgent ? { userAgent } : {}),
    requestId: request.id,
  };
}

const REFUSALS = {
  unknown: 'This key is not known here.',
  expired: 'This key has expired: create a new one.',
  revoked: 'This key was revoked: create a new one.',
} as const;

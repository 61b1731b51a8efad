import type { Member } from '../../auth/people.ts';
import { ChangeMember, MemberList, Member as ShownMember } from '../../contract/administration.ts';
import { IdParams, TeamQuery } from '../../contract/common.ts';
import { callerOf, originOf, teamOf } from '../access.ts';
import { answers, NO_CONTENT } from '../openapi.ts';
import { refusalProblem } from '../people-problem.ts';
import type { App, ServerParts } from '../server-parts.ts';
import { toTime, toTimeOrNull } from '../time.ts';

/** The people of a team. */
export function memberRoutes(app: App, parts: ServerParts): void {
  const { people } = parts;
  const config = { access: 'team:admin' } as const;
  const common = { tags: ['administration'], querystring: TeamQuery };

  app.get(
    '/v1/members',
    {
      config,
      schema: { ...common, summary: 'The people of the team', response: answers(200, MemberList, 'Oldest first') },
    },
    async (request) => ({ items: (await people.members(await teamOf(request, parts))).map(shown), nextCursor: null }),
  );

  app.patch(
    '/v1/members/:id',
    {
      config,
      schema: {
        ...common,
        summary: 'Change somebody’s role, deactivate or reactivate them; takes effect at once',
        params: IdParams,
        body: ChangeMember,
        response: answers(200, ShownMember, 'As they are now'),
      },
    },
    async (request) => {
      const team = await teamOf(request, parts);
      const { role, status } = request.body;
      const [by, origin, { id }] = [callerOf(request), originOf(request), request.params];
      const promoted = role && (await people.setRole(team, id, role, by, origin));
      if (typeof promoted === 'string') throw refusalProblem(promoted);
      const member = status ? await people.setActive(team, id, status === 'active', by, origin) : promoted;
      if (!member) throw new Error('the schema asks for one of both');
      if (typeof member === 'string') throw refusalProblem(member);
      return shown(member);
    },
  );

  app.delete(
    '/v1/members/:id',
    {
      config: { ...config, ownAccess: 'team:read' },
      schema: {
        ...common,
        summary: 'Remove somebody from the team, or leave it',
        params: IdParams,
        response: NO_CONTENT,
      },
    },
    async (request, reply) => {
      const team = await teamOf(request, parts);
      const removed = await people.remove(team, request.params.id, callerOf(request), originOf(request));
      if (removed !== 'done') throw refusalProblem(removed);
      return reply.code(204).send();
    },
  );
}

function shown({ account, role, joinedAt, deactivatedAt }: Member) {
  const { id, email, name, twoFactor, lastSeenAt } = account;
  return {
    id,
    email,
    name,
    role,
    status: deactivatedAt === null ? ('active' as const) : ('deactivated' as const),
    twoFactor,
    joinedAt: toTime(joinedAt),
    lastSeenAt: toTimeOrNull(lastSeenAt),
  };
}

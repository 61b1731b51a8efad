import { CreateTeam, Team, TeamList } from '../../contract/administration.ts';
import { ownEvent } from '../../event/own-event.ts';
import { DEFAULT_ALERTS, type Team as StoredTeam } from '../../store/teams.ts';
import { actorOf } from '../access.ts';
import { answers } from '../openapi.ts';
import { invalidField, problem } from '../problem.ts';
import type { App, ServerParts } from '../server-parts.ts';
import { toTime } from '../time.ts';

export function teamRoutes(app: App, { teams, clock, config: { retentionDays } }: ServerParts): void {
  const config = { access: 'operator' } as const;
  const tags = ['administration'];

  app.get(
    '/v1/teams',
    { config, schema: { tags, summary: 'All teams', response: answers(200, TeamList, 'All of them') } },
    async () => ({ items: (await teams.list()).map(shown), nextCursor: null }),
  );

  app.post(
    '/v1/teams',
    { config, schema: { tags, summary: 'Create a team', body: CreateTeam, response: answers(201, Team, 'Created') } },
    async (request, reply) => {
      const { body } = request;
      if (body.id.startsWith('_')) throw invalidField('id', 'must not begin with _');
      const at = clock.now();
      const team: StoredTeam = { retentionDays, alerts: DEFAULT_ALERTS, ...body, createdAt: at };
      const event = ownEvent({
        ...actorOf(request),
        team: team.id,
        eventType: 'team.created',
        description: `Team "${team.name}" was created`,
        target: { type: 'team', id: team.id, name: team.name },
        changes: { current: { name: team.name, retentionDays: team.retentionDays } },
        at,
      });
      if (!(await teams.create(team, [event])))
        throw problem('already_exists', `There is a team "${team.id}" already.`);
      return reply.code(201).send(shown(team));
    },
  );
}

function shown({ id, name, retentionDays, createdAt }: StoredTeam) {
  return { id, name, retentionDays, createdAt: toTime(createdAt) };
}

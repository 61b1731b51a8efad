import {
  ChangeTeam,
  DeleteTeam,
  DeletionPreview,
  TeamSettings,
  TestAlert,
  TestedAlert,
  WebhookSecret,
} from '../../contract/administration.ts';
import { TeamQuery } from '../../contract/common.ts';
import { INSTALLATION_TEAM, type OwnEvent, ownEvent } from '../../event/own-event.ts';
import type { Team } from '../../store/teams.ts';
import { actorOf, teamOf } from '../access.ts';
import { destinationDeleted } from '../destination-access.ts';
import { answers, NO_CONTENT } from '../openapi.ts';
import { invalidField, problem } from '../problem.ts';
import type { App, ServerParts } from '../server-parts.ts';
import { toTime } from '../time.ts';

type TeamRequest = Parameters<typeof teamOf>[0];

/** The team itself: its settings, its alerts, its end. */
export function teamSettingsRoutes(app: App, parts: ServerParts): void {
  const { teams, alerting, delivery, log, people, keyring, clock, config } = parts;
  const read = { access: 'team:read' } as const;
  const admin = { access: 'team:admin' } as const;
  const end = { access: 'team:delete' } as const;
  const common = { tags: ['administration'], querystring: TeamQuery };

  const ownTeam = async (request: TeamRequest): Promise<Team> => {
    const team = await teams.get(await teamOf(request, parts));
    if (!team) throw problem('not_found', 'There is no such team.');
    return team;
  };

  const teamEvent = (
    request: TeamRequest,
    { id, name }: Team,
    event: Pick<OwnEvent, 'eventType' | 'description' | 'changes' | 'metadata' | 'status' | 'failureReason'>,
  ) => {
    const target = { type: 'team', id, name };
    return ownEvent({ ...actorOf(request), ...event, team: id, target, at: clock.now() });
  };

  const update = async (request: TeamRequest, before: Team, after: Team, changes: OwnEvent['changes']) => {
    const audit = teamEvent(request, before, {
      eventType: 'team.settings.updated',
      description: `Settings of the team "${before.name}" were changed`,
      ...(changes && { changes }),
    });
    if (!(await teams.update(after, [audit]))) throw problem('not_found', 'There is no such team.');
  };

  app.get(
    '/v1/team',
    {
      config: read,
      schema: { ...common, summary: 'The team', response: answers(200, TeamSettings, 'Its settings') },
    },
    async (request) => shown(await ownTeam(request)),
  );

  app.patch(
    '/v1/team',
    {
      config: admin,
      schema: {
        ...common,
        summary: 'Change the team’s settings',
        body: ChangeTeam,
        response: answers(200, TeamSettings, 'As they are now'),
      },
    },
    async (request) => {
      const before = await ownTeam(request);
      const { alerts = {}, ...plain } = request.body;
      const { mail = before.alerts.mail, webhookUrl } = alerts;
      const after: Team = { ...before, ...plain, alerts: { mail, webhook: webhookOf(before, webhookUrl) } };
      const changes = differences(before, after);
      if (changes) await update(request, before, after, changes);
      return shown(after);
    },
  );

  app.post(
    '/v1/team/webhook-secret',
    {
      config: admin,
      schema: {
        ...common,
        summary: 'A new signing secret for the team’s webhook; the one before stops at once',
        response: answers(200, WebhookSecret, 'Shown this once'),
      },
    },
    async (request) => {
      const before = await ownTeam(request);
      const { webhook } = before.alerts;
      if (!webhook) throw invalidField('alerts.webhookUrl', 'is not set, so there is nothing to sign');
      const { sealed, secret } = alerting.newSecret(before.id);
      const changed = { 'alerts.webhookSecret': '[changed]' };
      const after = { ...before, alerts: { ...before.alerts, webhook: { ...webhook, sealed } } };
      await update(request, before, after, { previous: changed, current: changed });
      return { secret };
    },
  );

  app.post(
    '/v1/team/alert-test',
    {
      config: admin,
      schema: {
        ...common,
        summary: 'Send a test to those who would be alerted',
        body: TestAlert,
        response: answers(200, TestedAlert, 'What was measured'),
      },
    },
    async (request) => {
      const team = await ownTeam(request);
      const { channel } = request.body;
      const tested = await alerting.test(team.id, channel);
      const audit = teamEvent(request, team, {
        eventType: 'team.alert_tested',
        description: `Alerts by ${channel} were tested`,
        status: tested.ok ? 'success' : 'failure',
        ...(tested.ok ? {} : { failureReason: tested.detail }),
        metadata: { channel },
      });
      await log.append([audit]);
      return tested;
    },
  );

  app.get(
    '/v1/team/deletion',
    {
      config: end,
      schema: {
        ...common,
        summary: 'What deleting the team would end',
        response: answers(200, DeletionPreview, 'Nothing has happened yet'),
      },
    },
    async (request) => {
      const { id } = await ownTeam(request);
      const destinations = await delivery.list(id);
      const healths = await Promise.all(destinations.map((d) => delivery.health(d.id)));
      const { first, last } = await log.bounds(id);
      return {
        events: last === 0 ? 0 : last - first + 1,
        destinations: destinations.length,
        waitingEvents: healths.reduce((sum, { counts }) => sum + counts.pending, 0),
        members: (await people.members(id)).length,
        apiKeys: (await keyring.list(id)).filter(({ revokedAt }) => revokedAt === null).length,
      };
    },
  );

  app.delete(
    '/v1/team',
    {
      config: end,
      schema: {
        ...common,
        summary: 'Delete the team: forwarding, keys and access end at once, its events go with retention',
        body: DeleteTeam,
        response: NO_CONTENT,
      },
    },
    async (request, reply) => {
      const team = await ownTeam(request);
      if (team.id === INSTALLATION_TEAM)
        throw problem('not_allowed', 'The installation’s own log outlives every team.');
      if (request.body.confirm !== team.name) throw invalidField('confirm', `must be the team’s name: ${team.name}`);
      // Destinations first: the log of a deleted team takes no more events.
      for (const destination of await delivery.list(team.id))
        await delivery.remove(destination.id, [destinationDeleted(request, destination, clock.now())]);
      const deleted = teamEvent(request, team, {
        eventType: 'team.deleted',
        description: `Team "${team.name}" was deleted`,
        changes: { previous: { name: team.name, retentionDays: team.retentionDays } },
      });
      const told = ownEvent({
        ...actorOf(request),
        team: INSTALLATION_TEAM,
        eventType: 'team.deleted',
        description: `Team "${team.name}" was deleted`,
        target: { type: 'team', id: team.id, name: team.name },
        at: clock.now(),
      });
      if (!(await teams.remove(team.id, clock.now(), [deleted, told]))) throw problem('not_found');
      people.forgetRoles();
      keyring.forget();
      return reply.code(204).send();
    },
  );

  /** With a first URL comes a secret, which nobody has seen: who verifies signatures makes a new one. */
  function webhookOf({ id, alerts: { webhook } }: Team, url: string | null | undefined): Team['alerts']['webhook'] {
    if (url === undefined) return webhook;
    if (url === null) return null;
    return { url: checkedUrl(url.trim()), sealed: webhook?.sealed ?? alerting.newSecret(id).sealed };
  }

  function checkedUrl(text: string): string {
    const url = URL.parse(text);
    if (url?.protocol === 'https:' || (url?.protocol === 'http:' && config.allowHttpDestinations)) return url.href;
    throw invalidField('alerts.webhookUrl', 'must be an https:// URL');
  }
}

function shown({ id, name, retentionDays, createdAt, alerts: { mail, webhook } }: Team) {
  const alerts = { mail, webhookUrl: webhook?.url ?? null };
  return { id, name, retentionDays, createdAt: toTime(createdAt), alerts };
}

/** Every setting that differs, by its name in the API; undefined: none. */
function differences(before: Team, after: Team): OwnEvent['changes'] {
  const [previous, current] = [settingsOf(before), settingsOf(after)];
  const changed = Object.keys(current).filter((name) => previous[name] !== current[name]);
  const pick = (from: Record<string, unknown>) => Object.fromEntries(changed.map((name) => [name, from[name]]));
  return changed.length > 0 ? { previous: pick(previous), current: pick(current) } : undefined;
}

function settingsOf({ name, retentionDays, alerts }: Team): Record<string, unknown> {
  return { name, retentionDays, 'alerts.mail': alerts.mail, 'alerts.webhookUrl': alerts.webhook?.url ?? null };
}

import type { FastifyReply } from 'fastify';
import { LRUCache } from 'lru-cache';
import type { Account } from '../../auth/accounts.ts';
import { PASSWORD_MIN_LENGTH } from '../../auth/password-policy.ts';
import type { Role } from '../../contract/roles.ts';
import { AskForReset, Joined, ResetPassword, Session, SetUp, Token } from '../../contract/session.ts';
import { ownEvent } from '../../event/own-event.ts';
import { originOf } from '../access.ts';
import { answers, NO_CONTENT } from '../openapi.ts';
import { accountProblem } from '../people-problem.ts';
import { invalidField, problem } from '../problem.ts';
import type { App, ServerParts } from '../server-parts.ts';
import { toTime } from '../time.ts';

/** Who is here, and the ways in that need no password: set-up and one-time links. */
export function sessionRoutes(app: App, parts: ServerParts): void {
  const { accounts, people, teams, mailer, log, clock, config } = parts;
  /** Whose mailbox got a link just now. */
  const asked = new LRUCache<string, true>({ max: 10_000, ttl: ASK_AGAIN_MS, ttlResolution: 0, perf: clock });
  const open = { access: 'anyone' } as const;
  const common = { tags: ['session'], security: [] };

  app.get(
    '/v1/session',
    {
      config: open,
      schema: { ...common, summary: 'Who is signed in, and where', response: answers(200, Session, 'At this moment') },
    },
    async ({ session, principal }) => {
      const roles: ReadonlyMap<string, Role> = principal?.kind === 'user' ? principal.roles : new Map();
      const found = await Promise.all([...roles].map(async ([id, role]) => ({ role, team: await teams.get(id) })));
      const own = found.flatMap(({ role, team }) => (team ? [{ id: team.id, name: team.name, role }] : []));
      return {
        user: session && shownUser(session.account),
        teams: own.sort((a, b) => a.name.localeCompare(b.name)),
        sessionExpiresAt: session && toTime(session.expiresAt),
        setupNeeded: await accounts.isEmpty(),
        installation: {
          brand: config.brandName,
          version: parts.version,
          url: parts.baseUrl(),
          egressAddresses: [...config.egressAddresses],
          sendsMail: mailer.isConfigured,
          hasSandbox: parts.sandbox !== null,
          passwordMinLength: PASSWORD_MIN_LENGTH,
        },
      };
    },
  );

  app.post(
    '/v1/setup',
    {
      config: open,
      schema: {
        ...common,
        summary: 'First start: the first team and its Owner, by the link in the service’s log',
        body: SetUp,
        response: answers(201, Joined, 'Signed in'),
      },
    },
    async (request, reply) => {
      const { token, user } = request.body;
      const { name } = request.body.team;
      const team = { id: request.body.team.id ?? idFrom(name), name, retentionDays: config.retentionDays };
      const owner = await people.links.use(token, 'setup', async () => {
        // The link's way ends with the first account, whoever made it.
        if (!(await accounts.isEmpty())) return undefined;
        if (team.id.startsWith('_')) throw invalidField('team.id', 'must not begin with _');
        if ((await teams.deleted()).includes(team.id)) throw invalidField('team.id', 'was that of a deleted team');
        const made = await people.setUp(team, user, originOf(request));
        if (!('id' in made)) throw accountProblem(made, 'user.');
        return made;
      });
      if (!owner)
        throw problem('link_invalid', 'Restart the service for a new set-up link, if nobody can sign in yet.');
      return enter(reply.code(201), await accounts.begin(owner.id, 'setup', originOf(request))).send({ team: team.id });
    },
  );

  app.post(
    '/v1/links/sign-in',
    {
      config: open,
      schema: { ...common, summary: 'Sign in by a one-time link', body: Token, response: NO_CONTENT },
    },
    async (request, reply) => {
      const cookies = await people.links.use(request.body.token, 'sign-in', async ({ user }) => {
        const begun = await accounts.begin(user, 'link', originOf(request));
        if (begun.length === 0) throw problem('account_disabled');
        return begun;
      });
      if (!cookies) throw problem('link_invalid');
      return enter(reply.code(204), cookies).send();
    },
  );

  app.post(
    '/v1/password/ask-reset',
    {
      config: open,
      schema: {
        ...common,
        summary: 'Ask for a link to set a new password, by mail',
        description: 'The answer is the same whether or not somebody has this address.',
        body: AskForReset,
        response: NO_CONTENT,
      },
    },
    async (request, reply) => {
      // Answered first: how long it takes must not tell who has an account.
      void reply.code(204).send();
      const account = mailer.isConfigured ? await accounts.byEmail(request.body.email) : undefined;
      if (!account || asked.has(account.id)) return reply;
      const { id, email, name } = account;
      asked.set(id, true);
      const own = [...(await people.concernedBy(id)).keys()];
      const requested = own.map((team) =>
        ownEvent({
          team,
          actor: { id, type: 'user', email, name },
          context: { ...originOf(request) },
          eventType: 'auth.password.reset_requested',
          description: `A new password was asked for ${email}`,
          at: clock.now(),
        }),
      );
      if (requested.length === 0) return reply;
      await log.append(requested);
      const token = people.links.issue({ kind: 'reset', user: id }, RESET_MS);
      await mailer.send({
        to: email,
        subject: 'Set a new password',
        text: `Somebody, probably you, asked for a new password for ${email} at ${parts.baseUrl()}.\n\nSet it here within an hour:\n${parts.baseUrl()}/reset#${token}\n\nIf it was not you, nothing has changed and nothing needs to be done.\n`,
      });
      return reply;
    },
  );

  app.post(
    '/v1/password/reset',
    {
      config: open,
      schema: {
        ...common,
        summary: 'Set a new password by a link; every session ends',
        body: ResetPassword,
        response: NO_CONTENT,
      },
    },
    async (request, reply) => {
      const { token, password } = request.body;
      const done = await people.links.use(token, 'reset', async ({ user }) => {
        const wrong = await accounts.setPassword(user, password, originOf(request));
        if (wrong) throw accountProblem(wrong);
        return true;
      });
      if (!done) throw problem('link_invalid');
      return reply.code(204).send();
    },
  );
}

const RESET_MS = 3_600_000;
const ASK_AGAIN_MS = 60_000;

function shownUser({ id, email, name, twoFactor }: Account) {
  return { id, email, name, twoFactor };
}

/** The answer signs in: it sets the session's cookies. */
export function enter(reply: FastifyReply, cookies: readonly string[]): FastifyReply {
  return reply.header('set-cookie', [...cookies]);
}

/** `Acme Inc.` → `acme-inc`; a name of other scripts stays as it is written. */
function idFrom(name: string): string {
  const words = name
    .normalize('NFC')
    .toLowerCase()
    .match(/[\p{L}\p{N}]+/gu);
  return words ? words.join('-').slice(0, 128) : 'team';
}

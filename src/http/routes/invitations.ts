import { CreatedInvitation, CreateInvitation, InvitationList } from '../../contract/administration.ts';
import { IdParams, TeamQuery } from '../../contract/common.ts';
import { AcceptInvitation, InvitationView, Joined, Token } from '../../contract/session.ts';
import type { Invitation } from '../../store/people.ts';
import { actorOf, callerOf, originOf, teamOf } from '../access.ts';
import { answers, NO_CONTENT } from '../openapi.ts';
import { accountProblem, refusalProblem } from '../people-problem.ts';
import { invalidField, problem } from '../problem.ts';
import type { App, ServerParts } from '../server-parts.ts';
import { toTime } from '../time.ts';
import { enter } from './session.ts';

/** Invitations: made by those who administer a team, accepted by whoever has the link. */
export function invitationRoutes(app: App, parts: ServerParts): void {
  const { people, accounts, teams, mailer, clock } = parts;
  const config = { access: 'team:admin' } as const;
  const open = { access: 'anyone' } as const;
  const common = { tags: ['administration'], querystring: TeamQuery };
  const forAnyone = { tags: ['session'], security: [] };

  const shown = ({ id, email, role, invitedBy, createdAt, expiresAt }: Invitation) => ({
    id,
    email,
    role,
    invitedBy,
    createdAt: toTime(createdAt),
    expiresAt: toTime(expiresAt),
    status: expiresAt > clock.now() ? ('open' as const) : ('expired' as const),
  });

  app.get(
    '/v1/invitations',
    {
      config,
      schema: {
        ...common,
        summary: 'Invitations that nobody accepted yet',
        response: answers(200, InvitationList, 'Newest first; expired ones too'),
      },
    },
    async (request) => ({
      items: (await people.invitations(await teamOf(request, parts))).map(shown),
      nextCursor: null,
    }),
  );

  app.post(
    '/v1/invitations',
    {
      config,
      schema: {
        ...common,
        summary: 'Invite somebody; the link is mailed where mail is set up',
        description: 'An earlier invitation of the same address is void then.',
        body: CreateInvitation,
        response: answers(201, CreatedInvitation, 'Invited; `link` is shown this once'),
      },
    },
    async (request, reply) => {
      const team = await teamOf(request, parts);
      const { email, role } = request.body;
      const invited = await people.invite(team, email, role, callerOf(request), originOf(request));
      if (typeof invited === 'string') throw refusalProblem(invited);
      const { invitation, token } = invited;
      const link = `${parts.baseUrl()}/join#${token}`;
      const name = (await teams.get(team))?.name ?? team;
      const mailProblem = await mailer.send({
        to: invitation.email,
        subject: `Invitation to ${name}`,
        text: `${invitation.invitedBy} invites you to the team ${name} on ${parts.baseUrl()}.\n\nJoin here within seven days:\n${link}\n`,
      });
      const sent = { mailed: mailProblem === undefined, mailProblem: mailProblem ?? null };
      return reply.code(201).send({ ...shown(invitation), link, ...sent });
    },
  );

  app.delete(
    '/v1/invitations/:id',
    {
      config,
      schema: { ...common, summary: 'Withdraw an invitation', params: IdParams, response: NO_CONTENT },
    },
    async (request, reply) => {
      const team = await teamOf(request, parts);
      if (!(await people.revokeInvitation(team, request.params.id, actorOf(request))))
        throw problem('not_found', 'There is no such invitation, or it was accepted.');
      return reply.code(204).send();
    },
  );

  app.post(
    '/v1/invitations/lookup',
    {
      config: open,
      schema: {
        ...forAnyone,
        summary: 'What an invitation’s link is good for',
        body: Token,
        response: answers(200, InvitationView, 'An open invitation'),
      },
    },
    async (request) => {
      const invitation = await people.invitation(request.body.token);
      if (!invitation) throw linkInvalid();
      const { email, role, invitedBy, expiresAt, hasAccount } = invitation;
      const team = (await teams.get(invitation.team))?.name ?? invitation.team;
      return { team, email, role, invitedBy, expiresAt: toTime(expiresAt), hasAccount };
    },
  );

  app.post(
    '/v1/invitations/accept',
    {
      config: open,
      schema: {
        ...forAnyone,
        summary: 'Join a team, as who one is signed in or with a new account',
        body: AcceptInvitation,
        response: answers(200, Joined, 'In the team, and signed in'),
      },
    },
    async (request, reply) => {
      const { token, name, password } = request.body;
      const { session } = request;
      if (!session) {
        if (name === undefined) throw invalidField('name', 'is required without a session');
        if (password === undefined) throw invalidField('password', 'is required without a session');
      }
      const as = session?.account ?? { name: name ?? '', password: password ?? '' };
      const joined = await people.accept(token, as, originOf(request));
      switch (joined) {
        case 'unknown':
          throw linkInvalid();
        case 'other_address':
          throw problem('wrong_account', 'You are signed in with another address: sign out, then open the link again.');
        case 'has_account':
          throw problem('already_exists', 'There is an account with this address: sign in, then open the link again.');
        default:
          if ('field' in joined) throw accountProblem(joined);
      }
      if (!session) enter(reply, await accounts.begin(joined.account.id, 'invitation', originOf(request)));
      return { team: joined.team };
    },
  );
}

function linkInvalid() {
  return problem('link_invalid', 'Ask whoever invited you for a new link.');
}

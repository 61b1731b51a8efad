import { Type } from 'typebox';
import { OneTimeLink } from '../../contract/session.ts';
import { answers } from '../openapi.ts';
import { problem } from '../problem.ts';
import type { App, ServerParts } from '../server-parts.ts';
import { toTime } from '../time.ts';

/** One-time links that the operator hands to a person who cannot get in otherwise. */
export function operatorLinkRoute(app: App, { accounts, people, clock, baseUrl }: ServerParts): void {
  app.post(
    '/v1/links',
    {
      config: { access: 'operator' },
      schema: {
        tags: ['administration'],
        summary: 'A one-time link to sign in, or to set a new password; void when the service stops',
        body: Type.Object(
          { kind: Type.Enum(['sign-in', 'reset']), email: Type.String({ format: 'email', maxLength: 254 }) },
          { additionalProperties: false },
        ),
        response: answers(201, OneTimeLink, 'Good once'),
      },
    },
    async (request, reply) => {
      const { kind, email } = request.body;
      const account = await accounts.byEmail(email);
      if (!account) throw problem('not_found', `Nobody has the address ${email}.`);
      const token = people.links.issue({ kind, user: account.id }, LINK_MS);
      const url = `${baseUrl()}/${kind === 'reset' ? 'reset' : 'link'}#${token}`;
      return reply.code(201).send({ url, expiresAt: toTime(clock.now() + LINK_MS), email: account.email });
    },
  );
}

const LINK_MS = 3_600_000;

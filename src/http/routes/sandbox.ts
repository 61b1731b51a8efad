import { TeamQuery } from '../../contract/common.ts';
import {
  ReceivedList,
  ReceivedQuery,
  SandboxFault,
  StandIn as ShownStandIn,
  StandInList,
  StandInParams,
} from '../../contract/sandbox.ts';
import type { StandIn } from '../../destinations/destination.ts';
import { answers } from '../openapi.ts';
import { problem } from '../problem.ts';
import type { App, ServerParts } from '../server-parts.ts';
import { toTime } from '../time.ts';

/** The stand-ins that run beside the service in the demo: what each received, and how each misbehaves. */
export function sandboxRoutes(app: App, { sandbox, kinds }: ServerParts): void {
  const read = { access: 'destinations:read' } as const;
  const write = { access: 'destinations:write' } as const;
  const common = { tags: ['sandbox'], querystring: TeamQuery };

  const standInOf = (kind: string): StandIn => {
    const standIn = sandbox?.get(kind);
    if (!standIn) throw problem('not_found', 'There is no such stand-in.');
    return standIn;
  };

  const shown = (kind: string) => {
    const standIn = standInOf(kind);
    const title = kinds.find((k) => k.kind === kind)?.title ?? kind;
    const { url, settings } = standIn;
    return { kind, title, url, settings: { ...settings }, fault: standIn.fault(), counts: standIn.counts() };
  };

  app.get(
    '/v1/sandbox',
    {
      config: read,
      schema: { ...common, summary: 'The stand-ins', response: answers(200, StandInList, 'Empty outside the demo') },
    },
    async () => ({ items: [...(sandbox?.keys() ?? [])].map(shown), nextCursor: null }),
  );

  app.get(
    '/v1/sandbox/:kind/received',
    {
      config: read,
      schema: {
        ...common,
        summary: 'What a stand-in received',
        params: StandInParams,
        querystring: ReceivedQuery,
        response: answers(200, ReceivedList, 'Newest first'),
      },
    },
    async ({ params, query }) => {
      const newest = standInOf(params.kind)
        .received()
        .slice(-(query.limit ?? 50));
      return { items: newest.reverse().map((r) => ({ ...r, at: toTime(r.at) })), nextCursor: null };
    },
  );

  app.put(
    '/v1/sandbox/:kind/fault',
    {
      config: write,
      schema: {
        ...common,
        summary: 'Make a stand-in misbehave',
        params: StandInParams,
        body: SandboxFault,
        response: answers(200, ShownStandIn, 'As it is now'),
      },
    },
    async ({ params, body }) => {
      standInOf(params.kind).setFault(body);
      return shown(params.kind);
    },
  );

  app.delete(
    '/v1/sandbox/:kind/fault',
    {
      config: write,
      schema: {
        ...common,
        summary: 'Let a stand-in behave again',
        params: StandInParams,
        response: answers(200, ShownStandIn, 'As it is now'),
      },
    },
    async ({ params }) => {
      standInOf(params.kind).setFault(null);
      return shown(params.kind);
    },
  );
}

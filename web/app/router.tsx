import type { QueryClient } from '@tanstack/react-query';
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from '@tanstack/react-router';
import { AccountFrame } from '../account/frame.tsx';
import { safeNext } from '../account/next.ts';
import { ErrorState } from '../ui/error-state.tsx';
import { LoadingPage } from '../ui/loading-page.tsx';
import { firstPage } from './navigation.ts';
import { NotFound } from './not-found.tsx';
import { oneOf, parseSearch, type Search, stringifySearch } from './search.ts';
import { sessionQuery, teamOf } from './session.tsx';
import { Shell } from './shell.tsx';

/** The console's addresses. Every page is loaded when it is first opened; a filter, tab or drawer lives in its address. */
export function createConsoleRouter(queryClient: QueryClient) {
  const router = createRouter({
    routeTree,
    context: { queryClient },
    parseSearch,
    stringifySearch,
    defaultPreload: 'intent',
    defaultPendingMs: 200,
    defaultPendingComponent: LoadingPage,
    defaultErrorComponent: ({ error, reset }) => <ErrorState error={error} retry={reset} />,
    defaultNotFoundComponent: NotFound,
    scrollRestoration: true,
  });
  // The page's code comes while the service says who is here.
  void children.find(({ fullPath }) => fullPath === location.pathname)?.options.component?.preload?.();
  return router;
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createConsoleRouter>;
  }
}

const root = createRootRouteWithContext<{ queryClient: QueryClient }>()({
  validateSearch: (search: Search & { team?: string }): Search & { team?: string } => search,
});

/** What only people with a session see; others sign in first and come back to where they wanted to. */
const shell = createRoute({
  id: 'shell',
  getParentRoute: () => root,
  component: Shell,
  search: {
    // The team stays in the address, whatever is opened next.
    middlewares: [({ search: { team }, next, search }) => ({ ...(team !== undefined && { team }), ...next(search) })],
  },
  beforeLoad: async ({ context: { queryClient }, location }) => {
    const session = await queryClient.ensureQueryData(sessionQuery);
    if (!session.user) throw redirect({ to: '/sign-in', search: { next: location.href } });
  },
});

const settings = <P extends string>(path: P) => `settings/${path}` as const;
const children = [
  createRoute({
    getParentRoute: () => shell,
    path: settings('audit-logs'),
    component: lazyRouteComponent(() => import('../settings/audit-logs/page.tsx'), 'AuditLogsPage'),
  }),
  createRoute({
    getParentRoute: () => shell,
    path: settings('siem'),
    component: lazyRouteComponent(() => import('../settings/siem/page.tsx'), 'SiemPage'),
  }),
  createRoute({
    getParentRoute: () => shell,
    path: settings('siem/new/$kind'),
    component: lazyRouteComponent(() => import('../settings/siem/new-page.tsx'), 'NewDestinationPage'),
  }),
  createRoute({
    getParentRoute: () => shell,
    path: settings('siem/$id'),
    component: lazyRouteComponent(() => import('../settings/siem/destination-page.tsx'), 'DestinationPage'),
  }),
  createRoute({
    getParentRoute: () => shell,
    path: settings('members'),
    component: lazyRouteComponent(() => import('../settings/members/page.tsx'), 'MembersPage'),
  }),
  createRoute({
    getParentRoute: () => shell,
    path: settings('api-keys'),
    component: lazyRouteComponent(() => import('../settings/api-keys/page.tsx'), 'ApiKeysPage'),
  }),
  createRoute({
    getParentRoute: () => shell,
    path: settings('security'),
    component: lazyRouteComponent(() => import('../settings/security/page.tsx'), 'SecurityPage'),
  }),
  createRoute({
    getParentRoute: () => shell,
    path: settings('general'),
    component: lazyRouteComponent(() => import('../settings/general/page.tsx'), 'GeneralPage'),
  }),
  createRoute({
    getParentRoute: () => shell,
    path: 'sandbox',
    component: lazyRouteComponent(() => import('../sandbox/page.tsx'), 'SandboxPage'),
  }),
];

/** The ways in, for people without a session. */
const door = createRoute({
  id: 'account',
  getParentRoute: () => root,
  component: AccountFrame,
  beforeLoad: ({ context: { queryClient } }) => queryClient.ensureQueryData(sessionQuery),
});
const doors = [
  createRoute({
    getParentRoute: () => door,
    path: 'sign-in',
    component: lazyRouteComponent(() => import('../account/sign-in-page.tsx'), 'SignInPage'),
    beforeLoad: async ({ context: { queryClient }, search }) => {
      const { user } = await queryClient.ensureQueryData(sessionQuery);
      if (user) throw redirect({ href: safeNext(oneOf(search['next']), location.origin) });
    },
  }),
  createRoute({
    getParentRoute: () => door,
    path: 'setup',
    component: lazyRouteComponent(() => import('../account/setup-page.tsx'), 'SetupPage'),
  }),
  createRoute({
    getParentRoute: () => door,
    path: 'join',
    component: lazyRouteComponent(() => import('../account/join-page.tsx'), 'JoinPage'),
  }),
  createRoute({
    getParentRoute: () => door,
    path: 'link',
    component: lazyRouteComponent(() => import('../account/link-page.tsx'), 'LinkPage'),
  }),
  createRoute({
    getParentRoute: () => door,
    path: 'reset',
    component: lazyRouteComponent(() => import('../account/reset-page.tsx'), 'ResetPage'),
  }),
];

/** Nothing is at / and /settings themselves: whoever comes there sees the first page of their role. */
const homes = (['/', 'settings'] as const).map((path) =>
  createRoute({
    getParentRoute: () => root,
    path,
    beforeLoad: async ({ context: { queryClient }, search }) => {
      const session = await queryClient.ensureQueryData(sessionQuery);
      if (!session.user) throw redirect({ to: '/sign-in' });
      throw redirect({ to: firstPage(teamOf(session, oneOf(search.team))?.role), search });
    },
  }),
);

const routeTree = root.addChildren([...homes, shell.addChildren(children), door.addChildren(doors)]);

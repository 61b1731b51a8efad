import type { QueryClient } from '@tanstack/react-query';
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from '@tanstack/react-router';
import { ErrorState } from '../ui/error-state.tsx';
import { LoadingPage } from '../ui/loading-page.tsx';
import { NotFound } from './not-found.tsx';
import { parseSearch, type Search, stringifySearch } from './search.ts';
import { sessionQuery } from './session.tsx';
import { Shell } from './shell.tsx';

/** The console's addresses. Every page is loaded when it is first opened; a filter, tab or drawer lives in its address. */
export function createConsoleRouter(queryClient: QueryClient) {
  return createRouter({
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

const account = [
  createRoute({
    getParentRoute: () => root,
    path: 'sign-in',
    component: lazyRouteComponent(() => import('../account/sign-in-page.tsx'), 'SignInPage'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: 'setup',
    component: lazyRouteComponent(() => import('../account/setup-page.tsx'), 'SetupPage'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: 'join',
    component: lazyRouteComponent(() => import('../account/join-page.tsx'), 'JoinPage'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: 'link',
    component: lazyRouteComponent(() => import('../account/link-page.tsx'), 'LinkPage'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: 'reset',
    component: lazyRouteComponent(() => import('../account/reset-page.tsx'), 'ResetPage'),
  }),
];

const home = createRoute({
  getParentRoute: () => root,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/settings/audit-logs' });
  },
});
const settingsHome = createRoute({
  getParentRoute: () => root,
  path: 'settings',
  beforeLoad: () => {
    throw redirect({ to: '/settings/audit-logs' });
  },
});

const routeTree = root.addChildren([home, settingsHome, shell.addChildren(children), ...account]);

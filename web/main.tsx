import '@fontsource-variable/inter';
import '@mantine/core/styles.css';
import './app/app.css';
import { MantineProvider } from '@mantine/core';
import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { ApiProblem } from './api/problem.ts';
import { createConsoleRouter } from './app/router.tsx';
import { sessionQuery } from './app/session.tsx';
import { cssVariables, theme } from './app/theme.ts';

/** A session that ended or a role that changed meanwhile: who is here is asked again, and the frame follows. */
const onError = (error: Error): void => {
  if (error instanceof ApiProblem && REFUSALS.has(error.code)) void queryClient.invalidateQueries(sessionQuery);
};
const REFUSALS: ReadonlySet<string> = new Set(['unauthenticated', 'wrong_team', 'not_allowed']);

const queryClient = new QueryClient({
  queryCache: new QueryCache({ onError }),
  mutationCache: new MutationCache({ onError }),
  defaultOptions: {
    queries: {
      // What the service refuses it will refuse again; no answer at all may be a moment's.
      retry: (count, error) =>
        count < 2 && (!(error instanceof ApiProblem) || error.status === 0 || error.status >= 500),
      staleTime: 5_000,
    },
  },
});
const router = createConsoleRouter(queryClient);
const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? '';
// Where the library below dialogs, which stops the page behind them from scrolling, looks for it.
Object.assign(globalThis, { __webpack_nonce__: nonce });

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <MantineProvider
      theme={theme}
      cssVariablesResolver={cssVariables}
      defaultColorScheme="auto"
      getStyleNonce={() => nonce}
    >
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);

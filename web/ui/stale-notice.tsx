import { Alert, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { shortTime } from './time.tsx';

interface Polled {
  readonly data: unknown;
  readonly error: Error | null;
  readonly dataUpdatedAt: number;
}

/** What is polled, while the service does not answer: says from when it is, and shows it as not of now. */
export function Live({ query, children }: { query: Polled; children: ReactNode }) {
  const isStale = query.error !== null && query.data !== undefined;
  return (
    <div>
      <div aria-live="polite">
        {isStale && (
          <Alert color="yellow" variant="light" py="xs" mb="sm">
            <Text size="sm">
              {query.error?.message} What you see is from{' '}
              {shortTime(new Date(query.dataUpdatedAt).toISOString(), Date.now())} and may have changed; it is asked for
              again every few seconds.
            </Text>
          </Alert>
        )}
      </div>
      <div style={isStale ? { filter: 'grayscale(1)' } : undefined}>{children}</div>
    </div>
  );
}

import { Stack, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';

/** An empty place that teaches: what will be here, and the one action that makes it so. */
export function EmptyState({
  title,
  children,
  action,
  isPage = false,
}: {
  title: string;
  children?: ReactNode;
  action?: ReactNode;
  /** It stands for a whole page, so its title is the page's. */
  isPage?: boolean;
}) {
  return (
    <Stack align="center" gap="xs" py={64} px="md" ta="center">
      <Title order={isPage ? 1 : 2} size="h2">
        {title}
      </Title>
      {children && (
        <Text c="dimmed" w="100%" maw={520} size="sm" component="div">
          {children}
        </Text>
      )}
      {action && <div style={{ marginTop: 8 }}>{action}</div>}
    </Stack>
  );
}

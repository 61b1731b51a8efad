import { Skeleton, Stack } from '@mantine/core';

/** The shape of a page that is still coming. */
export function LoadingPage() {
  return (
    <Stack gap="md" aria-busy="true" aria-label="Loading">
      <Skeleton height={28} width={180} />
      <Skeleton height={36} />
      <Skeleton height={320} />
    </Stack>
  );
}

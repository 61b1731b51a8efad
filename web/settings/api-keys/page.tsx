import { Button, Skeleton, Stack } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import { useTeam } from '../../app/session.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { ErrorState } from '../../ui/error-state.tsx';
import { NoPermission } from '../../ui/no-permission.tsx';
import { PageHeader } from '../../ui/page-header.tsx';
import { CreateDialog } from './create-dialog.tsx';
import { Example } from './example.tsx';
import { KeyTable } from './key-table.tsx';
import { useApiKeys } from './queries.ts';

export function ApiKeysPage() {
  const team = useTeam();
  return team.can('team:admin') ? <ApiKeys /> : <NoPermission permission="team:admin" what="the API keys" />;
}

function ApiKeys() {
  const { data: keys, error, refetch } = useApiKeys();
  const [creating, setCreating] = useState(false);
  const create = (
    <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setCreating(true)}>
      Create key
    </Button>
  );
  return (
    <>
      <PageHeader
        title="API keys"
        lead="Programs send and read events with a key of their own, so that each can be revoked alone."
        actions={keys && keys.length > 0 ? create : null}
      />
      {keys ? (
        keys.length > 0 ? (
          <KeyTable keys={keys} />
        ) : (
          <EmptyState title="No program can send events yet" action={create}>
            <Stack gap="md">
              <span>A producer sends its events over HTTP with an API key; this is all it takes:</span>
              <Example scopes={['events:write']} />
            </Stack>
          </EmptyState>
        )
      ) : error ? (
        <ErrorState error={error} retry={() => void refetch()} />
      ) : (
        <Stack gap={12} aria-busy="true" aria-label="Loading">
          <Skeleton height={14} width={120} />
          {[0, 1, 2].map((row) => (
            <Skeleton key={row} height={44} />
          ))}
        </Stack>
      )}
      <CreateDialog opened={creating} onClose={() => setCreating(false)} />
    </>
  );
}

import { Badge, Button, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { useTeam } from '../../app/session.tsx';
import { Confirm } from '../../ui/confirm.tsx';
import { ACTIONS, Cell, DataTable, Row } from '../../ui/data-table.tsx';
import { agoOf, Time, useNow } from '../../ui/time.tsx';
import { type ApiKey, useRefreshApiKeys } from './queries.ts';

export function KeyTable({ keys }: { keys: readonly ApiKey[] }) {
  const team = useTeam();
  const refresh = useRefreshApiKeys();
  const [revoked, setRevoked] = useState<ApiKey>();
  // Those that work first; the rest stay readable, since events name them.
  const sorted = keys.toSorted((a, b) => Number(b.status === 'active') - Number(a.status === 'active'));
  return (
    <>
      <DataTable label="API keys" columns={['Name', 'May', 'Status', 'Last used', 'Created', ACTIONS]}>
        {sorted.map((key) => (
          <KeyRow key={key.id} apiKey={key} revoke={() => setRevoked(key)} />
        ))}
      </DataTable>
      <Confirm
        opened={revoked !== undefined}
        onClose={() => setRevoked(undefined)}
        title={`Revoke ${revoked?.name ?? 'the key'}`}
        action="Revoke"
        run={async () => {
          await team.api('DELETE', `/v1/api-keys/${revoked?.id}`);
          await refresh();
        }}
      >
        <Text size="sm">
          Whatever uses this key is refused from now on, with 401. Events it sent before stay as they are. A revoked key
          cannot be made good again.
        </Text>
        {revoked?.lastUsedAt && (
          <Text size="sm">
            It was last used at <Time at={revoked.lastUsedAt} />.
          </Text>
        )}
      </Confirm>
    </>
  );
}

function KeyRow({ apiKey, revoke }: { apiKey: ApiKey; revoke: () => void }) {
  const { name, scopes, status, createdAt, lastUsedAt } = apiKey;
  return (
    <Row dimmed={status !== 'active'}>
      <Cell>
        <Text size="sm" fw={500} pr={72} style={{ overflowWrap: 'anywhere' }}>
          {name}
        </Text>
      </Cell>
      <Cell label="May">
        <Stack gap={0}>
          {scopes.map((scope) => (
            <Text key={scope} size="xs" ff="monospace">
              {scope}
            </Text>
          ))}
        </Stack>
      </Cell>
      <Cell label="Status">
        <KeyStatus apiKey={apiKey} />
      </Cell>
      <Cell label="Last used">
        {lastUsedAt ? (
          <Time at={lastUsedAt} />
        ) : (
          <Text size="sm" c="dimmed">
            Never
          </Text>
        )}
      </Cell>
      <Cell label="Created">
        <Time at={createdAt} ago={false} />
      </Cell>
      <Cell isEnd>
        {status === 'active' && (
          <Button variant="subtle" color="red" size="compact-sm" onClick={revoke} aria-label={`Revoke ${name}`}>
            Revoke
          </Button>
        )}
      </Cell>
    </Row>
  );
}

function KeyStatus({ apiKey: { status, expiresAt } }: { apiKey: ApiKey }) {
  const now = useNow();
  if (status === 'revoked') return <Mark color="gray">revoked</Mark>;
  if (status === 'expired') return <Mark color="red">{`expired ${expiresAt ? agoOf(expiresAt, now) : ''}`}</Mark>;
  const endsSoon = expiresAt !== null && Date.parse(expiresAt) - now < SOON_MS;
  return (
    <Stack gap={2} align="flex-start">
      <Mark color={endsSoon ? 'yellow' : 'green'}>{endsSoon ? `expires ${agoOf(expiresAt, now)}` : 'active'}</Mark>
      <Text size="xs" c="dimmed">
        {expiresAt === null ? 'never expires' : endsSoon ? 'replace it before' : `until ${expiresAt.slice(0, 10)}`}
      </Text>
    </Stack>
  );
}

function Mark({ color, children }: { color: string; children: string }) {
  return (
    <Badge variant="light" color={color} radius="sm" tt="none" fw={500}>
      {children}
    </Badge>
  );
}

/** Time enough to put another key in place. */
const SOON_MS = 14 * 86_400_000;

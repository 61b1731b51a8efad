import { Badge, Button, Group, Modal, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { useTeam } from '../../app/session.tsx';
import { Confirm } from '../../ui/confirm.tsx';
import { ACTIONS, Cell, DataTable, Row } from '../../ui/data-table.tsx';
import { agoOf, Time, useNow } from '../../ui/time.tsx';
import { ROLE_NAMES } from '../../ui/words.ts';
import { InvitationMade } from './invite-dialog.tsx';
import { type Invitation, type NewInvitation, useRefreshPeople } from './queries.ts';

/** Invitations nobody accepted yet. A new link makes the old one void. */
export function Invitations({ invitations }: { invitations: readonly Invitation[] }) {
  const team = useTeam();
  const refresh = useRefreshPeople();
  const [made, setMade] = useState<NewInvitation>();
  const [withdrawn, setWithdrawn] = useState<Invitation>();
  return (
    <>
      <DataTable label="Invitations" columns={['Invited', 'Role', 'By', 'Sent', 'Status', ACTIONS]}>
        {invitations.map((invitation) => (
          <InvitationRow
            key={invitation.id}
            invitation={invitation}
            done={setMade}
            withdraw={() => setWithdrawn(invitation)}
          />
        ))}
      </DataTable>
      <Confirm
        opened={withdrawn !== undefined}
        onClose={() => setWithdrawn(undefined)}
        title="Withdraw the invitation"
        action="Withdraw"
        run={async () => {
          await team.api('DELETE', `/v1/invitations/${withdrawn?.id}`);
          await refresh();
        }}
      >
        <Text size="sm">The link stops working at once. You can invite {withdrawn?.email ?? 'them'} again.</Text>
      </Confirm>
      <Modal
        opened={made !== undefined}
        onClose={() => setMade(undefined)}
        title="The new link"
        size={520}
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        {made && <InvitationMade invitation={made} onClose={() => setMade(undefined)} />}
      </Modal>
    </>
  );
}

function InvitationRow({
  invitation: { email, role, invitedBy, createdAt, expiresAt, status },
  done,
  withdraw,
}: {
  invitation: Invitation;
  done: (made: NewInvitation) => void;
  withdraw: () => void;
}) {
  const team = useTeam();
  const now = useNow();
  const refresh = useRefreshPeople();
  const renew = useMutation({
    mutationFn: () => team.api<NewInvitation>('POST', '/v1/invitations', { body: { email, role } }),
    onSuccess: (made) => {
      done(made);
      return refresh();
    },
  });
  const isOpen = status === 'open';
  return (
    <Row>
      <Cell>
        <Text size="sm" fw={500} style={{ overflowWrap: 'anywhere' }}>
          {email}
        </Text>
      </Cell>
      <Cell label="Role">{ROLE_NAMES[role]}</Cell>
      <Cell label="By">
        <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
          {invitedBy}
        </Text>
      </Cell>
      <Cell label="Sent">
        <Time at={createdAt} />
      </Cell>
      <Cell label="Status">
        <Badge variant="light" color={isOpen ? 'gray' : 'yellow'} radius="sm" tt="none" fw={500}>
          {isOpen ? `open, ends ${agoOf(expiresAt, now)}` : `expired ${agoOf(expiresAt, now)}`}
        </Badge>
      </Cell>
      <Cell>
        <Group gap={4} justify="flex-end" wrap="nowrap">
          <Button variant="subtle" size="compact-sm" loading={renew.isPending} onClick={() => renew.mutate()}>
            New link
          </Button>
          <Button variant="subtle" color="red" size="compact-sm" onClick={withdraw}>
            Withdraw
          </Button>
        </Group>
        {renew.error && (
          <Text size="xs" c="red" role="alert">
            {renew.error.message}
          </Text>
        )}
      </Cell>
    </Row>
  );
}

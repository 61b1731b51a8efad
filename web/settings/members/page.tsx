import { Button, Skeleton, Stack, Title } from '@mantine/core';
import { IconUserPlus } from '@tabler/icons-react';
import { useState } from 'react';
import { useTeam } from '../../app/session.tsx';
import { ErrorState } from '../../ui/error-state.tsx';
import { NoPermission } from '../../ui/no-permission.tsx';
import { PageHeader } from '../../ui/page-header.tsx';
import { count } from '../../ui/words.ts';
import { Invitations } from './invitations.tsx';
import { InviteDialog } from './invite-dialog.tsx';
import { MemberTable } from './member-table.tsx';
import { useInvitations, useMembers } from './queries.ts';

export function MembersPage() {
  const team = useTeam();
  return team.can('team:admin') ? <Members /> : <NoPermission permission="team:admin" what="the members" />;
}

function Members() {
  const team = useTeam();
  const members = useMembers();
  const invitations = useInvitations();
  const [inviting, setInviting] = useState(false);
  const active = members.data?.filter(({ status }) => status === 'active').length;
  return (
    <>
      <PageHeader
        title="Members"
        lead={
          active === undefined ? `Who belongs to ${team.name}` : `${count(active, 'person', 'people')} in ${team.name}`
        }
        actions={
          <Button leftSection={<IconUserPlus size={16} aria-hidden />} onClick={() => setInviting(true)}>
            Invite
          </Button>
        }
      />
      <Stack gap={40}>
        {members.data ? (
          <MemberTable members={members.data} />
        ) : members.error ? (
          <ErrorState error={members.error} retry={() => void members.refetch()} />
        ) : (
          <Rows />
        )}
        {invitations.error ? (
          <ErrorState
            title="The invitations could not be loaded"
            error={invitations.error}
            retry={() => void invitations.refetch()}
          />
        ) : invitations.data && invitations.data.length > 0 ? (
          <Stack gap="xs" component="section" aria-label="Invitations">
            <Title order={2}>Invitations</Title>
            <Invitations invitations={invitations.data} />
          </Stack>
        ) : null}
      </Stack>
      <InviteDialog opened={inviting} onClose={() => setInviting(false)} />
    </>
  );
}

function Rows() {
  return (
    <Stack gap={12} aria-busy="true" aria-label="Loading">
      <Skeleton height={14} width={120} />
      {[0, 1, 2].map((row) => (
        <Skeleton key={row} height={44} />
      ))}
    </Stack>
  );
}

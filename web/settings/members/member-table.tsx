import { ActionIcon, Avatar, Badge, Group, Menu, Stack, Text } from '@mantine/core';
import { IconDots, IconShieldCheck } from '@tabler/icons-react';
import { useState } from 'react';
import { useSession, useTeam } from '../../app/session.tsx';
import { ACTIONS, Cell, DataTable, Row } from '../../ui/data-table.tsx';
import { Time } from '../../ui/time.tsx';
import { MemberDialog, type MemberStep } from './member-dialog.tsx';
import type { Member } from './queries.ts';
import { RoleChoice } from './role-choice.tsx';
import { allowedFor } from './rules.ts';

export function MemberTable({ members }: { members: readonly Member[] }) {
  const [step, setStep] = useState<MemberStep>();
  return (
    <>
      <DataTable label="Members" columns={['Person', 'Role', 'Second factor', 'Last signed in', ACTIONS]}>
        {members.map((member) => (
          <MemberRow key={member.id} member={member} members={members} ask={setStep} />
        ))}
      </DataTable>
      <MemberDialog step={step} onClose={() => setStep(undefined)} />
    </>
  );
}

function MemberRow({
  member,
  members,
  ask,
}: {
  member: Member;
  members: readonly Member[];
  ask: (step: MemberStep) => void;
}) {
  const user = useSession().user!;
  const { role } = useTeam();
  const allowed = allowedFor(member, { id: user.id, role }, members);
  const isSelf = member.id === user.id;
  const isActive = member.status === 'active';
  return (
    <Row dimmed={!isActive}>
      <Cell>
        <Group gap={10} wrap="nowrap" pr={40}>
          <Avatar size={30} radius="xl" color="gray" name={member.name} aria-hidden />
          <Stack gap={0} style={{ minWidth: 0 }}>
            <Group gap={6}>
              <Text size="sm" fw={500}>
                {member.name}
              </Text>
              {isSelf && <Note>you</Note>}
              {!isActive && <Note>deactivated</Note>}
            </Group>
            <Text size="xs" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
              {member.email}
            </Text>
          </Stack>
        </Group>
      </Cell>
      <Cell label="Role">
        <RoleChoice member={member} allowed={allowed} ask={ask} />
      </Cell>
      <Cell label="Second factor">
        {member.twoFactor ? (
          <Badge
            variant="light"
            color="green"
            radius="sm"
            tt="none"
            fw={500}
            leftSection={<IconShieldCheck size={13} aria-hidden />}
          >
            On
          </Badge>
        ) : (
          <Text size="sm" c="dimmed">
            Off
          </Text>
        )}
      </Cell>
      <Cell label="Last signed in">
        {member.lastSeenAt ? (
          <Time at={member.lastSeenAt} />
        ) : (
          <Text size="sm" c="dimmed">
            Never
          </Text>
        )}
      </Cell>
      <Cell isEnd>
        {(allowed.canRemove || allowed.canDeactivate) && (
          <Menu position="bottom-end" width={200}>
            <Menu.Target>
              <ActionIcon variant="subtle" color="gray" aria-label={`Actions for ${member.email}`}>
                <IconDots size={16} />
              </ActionIcon>
            </Menu.Target>
            <Menu.Dropdown>
              {allowed.canDeactivate && (
                <Menu.Item onClick={() => ask({ kind: isActive ? 'deactivate' : 'reactivate', member })}>
                  {isActive ? 'Deactivate …' : 'Reactivate …'}
                </Menu.Item>
              )}
              <Menu.Item color="red" onClick={() => ask({ kind: isSelf ? 'leave' : 'remove', member })}>
                {isSelf ? 'Leave the team …' : 'Remove from the team …'}
              </Menu.Item>
            </Menu.Dropdown>
          </Menu>
        )}
      </Cell>
    </Row>
  );
}

function Note({ children }: { children: string }) {
  return (
    <Badge variant="light" color="gray" radius="sm" size="xs" tt="none" fw={500}>
      {children}
    </Badge>
  );
}

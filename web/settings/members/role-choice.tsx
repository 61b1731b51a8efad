import { Button, Menu, Stack, Text } from '@mantine/core';
import { IconCheck, IconSelector } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import type { Role } from '../../../src/contract/roles.ts';
import { useSession, useTeam } from '../../app/session.tsx';
import { ROLE_DUTIES } from '../../ui/roles.ts';
import { ROLE_NAMES } from '../../ui/words.ts';
import type { MemberStep } from './member-dialog.tsx';
import { type Member, useRefreshPeople } from './queries.ts';
import type { Allowed } from './rules.ts';

/** A member's role, to change where one may; a reason where not. What cannot be undone alone is asked first. */
export function RoleChoice({
  member,
  allowed,
  ask,
}: {
  member: Member;
  allowed: Allowed;
  ask: (step: MemberStep) => void;
}) {
  const team = useTeam();
  const user = useSession().user!;
  const refresh = useRefreshPeople();
  const { mutate, isPending, error } = useMutation({
    mutationFn: (role: Role) => team.api('PATCH', `/v1/members/${encodeURIComponent(member.id)}`, { body: { role } }),
    onSettled: refresh,
  });
  const choose = (role: Role) => {
    if (role === member.role) return;
    if (role === 'owner' || member.id === user.id) ask({ kind: 'role', member, role });
    else mutate(role);
  };

  if (allowed.roles.length === 0)
    return (
      <Stack gap={0}>
        <Text size="sm">{ROLE_NAMES[member.role]}</Text>
        <Text size="xs" c="dimmed" maw={240}>
          {allowed.reason}
        </Text>
      </Stack>
    );
  return (
    <Stack gap={2} align="flex-start">
      <Menu position="bottom-start" width={300}>
        <Menu.Target>
          <Button
            variant="default"
            size="compact-sm"
            fw={400}
            loading={isPending}
            rightSection={<IconSelector size={14} aria-hidden />}
            aria-label={`Role of ${member.email}: ${ROLE_NAMES[member.role]}`}
          >
            {ROLE_NAMES[member.role]}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {allowed.roles.map((role) => (
            <Menu.Item
              key={role}
              onClick={() => choose(role)}
              aria-current={role === member.role}
              rightSection={role === member.role ? <IconCheck size={14} aria-hidden /> : null}
            >
              <Text size="sm">{ROLE_NAMES[role]}</Text>
              <Text size="xs" c="dimmed">
                {ROLE_DUTIES[role]}
              </Text>
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
      {error && (
        <Text size="xs" c="red" role="alert" maw={260}>
          {error.message}
        </Text>
      )}
    </Stack>
  );
}

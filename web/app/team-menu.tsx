import { Button, Menu, Text } from '@mantine/core';
import { IconCheck, IconSelector } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { ROLE_NAMES } from '../ui/words.ts';
import { useSession, useTeam } from './session.tsx';

/** The team shown, and the way to the person's others. */
export function TeamMenu() {
  const { teams } = useSession();
  const current = useTeam();
  const navigate = useNavigate();
  if (teams.length === 1)
    return (
      <Text fw={600} size="sm" truncate>
        {current.name}
      </Text>
    );
  return (
    <Menu position="bottom-start" width={240}>
      <Menu.Target>
        <Button
          variant="subtle"
          color="gray"
          size="compact-sm"
          rightSection={<IconSelector size={14} />}
          aria-label={`Team ${current.name}, switch`}
        >
          {current.name}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Teams</Menu.Label>
        {teams.map(({ id, name, role }) => (
          <Menu.Item
            key={id}
            onClick={() => void navigate({ to: '/settings/audit-logs', search: { team: id } })}
            rightSection={id === current.id ? <IconCheck size={14} aria-label="shown" /> : null}
          >
            {name}
            <Text size="xs" c="dimmed">
              {ROLE_NAMES[role]}
            </Text>
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

import { Avatar, Menu, Text, UnstyledButton } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { auth } from '../api/auth.ts';
import { useSession } from './session.tsx';

export function AccountMenu() {
  const { user } = useSession();
  const [problem, setProblem] = useState<string>();
  const signOut = async () => {
    try {
      await auth('sign-out');
      // A new page: nothing that was read stays in memory.
      location.assign('/sign-in');
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  if (!user) return null;
  return (
    <Menu position="bottom-end" width={240}>
      <Menu.Target>
        <UnstyledButton aria-label={`Account of ${user.name}`}>
          <Avatar size={28} radius="xl" color="indigo" name={user.name} />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          <Text size="sm" c="var(--mantine-color-text)" truncate>
            {user.name}
          </Text>
          <Text size="xs" truncate title={user.email}>
            {user.email}
          </Text>
        </Menu.Label>
        <Menu.Item component={Link} to="/settings/security">
          Password, second factor, sessions
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item closeMenuOnClick={false} onClick={() => void signOut()}>
          Sign out
          {problem && (
            <Text size="xs" c="red" role="alert">
              Still signed in: {problem}
            </Text>
          )}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

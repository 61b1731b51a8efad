import { Avatar, Menu, Text, UnstyledButton } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useSession } from './session.tsx';
import { useSignOut } from './use-sign-out.ts';

export function AccountMenu() {
  const { user } = useSession();
  const { mutate: signOut, error } = useSignOut();
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
          Security of your account
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item closeMenuOnClick={false} onClick={() => signOut()}>
          Sign out
          {error && (
            <Text size="xs" c="red" role="alert">
              Still signed in: {error.message}
            </Text>
          )}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

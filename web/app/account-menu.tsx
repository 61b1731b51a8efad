import { Avatar, Menu, Text, UnstyledButton } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { api } from '../api/api.ts';
import { useSession } from './session.tsx';

export function AccountMenu() {
  const user = useSession().user!;
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const signOut = async () => {
    await api('POST', '/api/auth/sign-out', { body: {} });
    await navigate({ to: '/sign-in' });
    queryClient.clear();
  };
  return (
    <Menu position="bottom-end" width={240}>
      <Menu.Target>
        <UnstyledButton aria-label={`Account of ${user.name}`}>
          <Avatar size={28} radius="xl" color="indigo" name={user.name} />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          <Text size="sm" c="var(--mantine-color-text)">
            {user.name}
          </Text>
          {user.email}
        </Menu.Label>
        <Menu.Item component={Link} to="/settings/security">
          Password and second factor
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item onClick={() => void signOut()}>Sign out</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

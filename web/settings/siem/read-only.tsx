import { Text } from '@mantine/core';
import { useTeam } from '../../app/session.tsx';
import { ROLE_NAMES } from '../../ui/words.ts';

/** Why nothing can be changed here, for those whose role only looks. */
export function ReadOnly() {
  const team = useTeam();
  if (team.can('destinations:write')) return null;
  return (
    <Text size="sm" c="dimmed" mb="md">
      You can look at everything here. Changing it is for Owners and Admins; in {team.name} you are{' '}
      {ROLE_NAMES[team.role]}.
    </Text>
  );
}

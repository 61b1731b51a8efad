import type { Permission } from '../../src/contract/roles.ts';
import { ALLOWED, ROLES } from '../../src/contract/roles.ts';
import { useTeam } from '../app/session.tsx';
import { EmptyState } from './empty-state.tsx';
import { ROLE_NAMES } from './words.ts';

/** Instead of a page that the person's role does not show: who could. */
export function NoPermission({ permission, what }: { permission: Permission; what: string }) {
  const team = useTeam();
  const roles = ROLES.filter((role) => ALLOWED[role].includes(permission)).map((role) => ROLE_NAMES[role]);
  return (
    <EmptyState isPage title={`You cannot see ${what}`}>
      In {team.name} you are {ROLE_NAMES[team.role]}. {roles.join(', ')} can; ask one of them for that role.
    </EmptyState>
  );
}

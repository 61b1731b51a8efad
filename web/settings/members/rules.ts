import { ROLES, type Role } from '../../../src/contract/roles.ts';
import type { Member } from './queries.ts';

/** What one may change about a member, and why not the rest. The service decides; this explains beforehand. */
export interface Allowed {
  /** The roles to choose from; empty: the role stays. */
  readonly roles: readonly Role[];
  readonly canDeactivate: boolean;
  readonly canRemove: boolean;
  /** Why the role stays, for people. */
  readonly reason: string | null;
}

export function allowedFor(
  member: Pick<Member, 'id' | 'role' | 'status'>,
  me: { readonly id: string; readonly role: Role },
  members: readonly Pick<Member, 'role' | 'status'>[],
): Allowed {
  if (member.role === 'owner' && me.role !== 'owner')
    return { roles: [], canDeactivate: false, canRemove: false, reason: 'Only an Owner changes an Owner' };
  const owners = members.filter(({ role, status }) => role === 'owner' && status === 'active').length;
  if (member.role === 'owner' && member.status === 'active' && owners === 1)
    return {
      roles: [],
      canDeactivate: false,
      canRemove: false,
      reason: 'The only Owner: a team keeps one. Make somebody else an Owner to change this',
    };
  return {
    roles: rolesGivenBy(me.role),
    canDeactivate: member.id !== me.id,
    canRemove: true,
    reason: null,
  };
}

/** The roles somebody can give, the strongest first. */
export function rolesGivenBy(role: Role): readonly Role[] {
  return ROLES.filter((given) => given !== 'owner' || role === 'owner');
}

import { SCOPES } from './scopes.ts';

/** What a person is in a team (product.md §8). A person may be in several teams, with a role in each. */
export const ROLES = ['owner', 'admin', 'member', 'auditor'] as const;
export type Role = (typeof ROLES)[number];

/** What can be allowed in a team: the scopes of API keys, and what only people do. */
export const PERMISSIONS = [...SCOPES, 'team:read', 'team:delete', 'own:settings'] as const;
export type Permission = (typeof PERMISSIONS)[number];

/**
 * The authorization table: which role may do what. An API key may do what its scopes say, and never what is not a scope.
 * `team:read`: see that the team exists, and who is in it with oneself; `own:settings`: keep what is one's own, such as
 * saved filters. Nobody but an Owner makes, changes or removes an Owner: `auth/people.ts` sees to that.
 */
export const ALLOWED: Readonly<Record<Role, readonly Permission[]>> = {
  owner: [
    'events:read',
    'destinations:read',
    'destinations:write',
    'team:read',
    'team:admin',
    'team:delete',
    'own:settings',
  ],
  admin: ['events:read', 'destinations:read', 'destinations:write', 'team:read', 'team:admin', 'own:settings'],
  auditor: ['events:read', 'destinations:read', 'team:read', 'own:settings'],
  member: ['team:read'],
};

export function isAllowed(role: Role, permission: Permission): boolean {
  // A role that the database should not have may do nothing.
  return ALLOWED[role]?.includes(permission) ?? false;
}

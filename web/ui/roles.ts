import type { Role } from '../../src/contract/roles.ts';

/** What each role may do, in a line. The table behind it is `contract/roles.ts`. */
export const ROLE_DUTIES: Readonly<Record<Role, string>> = {
  owner: 'Owners do everything, and alone make Owners and delete the team.',
  admin: 'Admins read the audit log and look after SIEMs, members, API keys and settings.',
  auditor: 'Auditors read and export the audit log and see how forwarding does; they change nothing.',
  member: 'Members belong to the team, and see neither the audit log nor its settings.',
};

import {
  IconAdjustments,
  IconFlask,
  IconKey,
  IconListDetails,
  IconPlugConnected,
  IconShieldLock,
  IconUsers,
} from '@tabler/icons-react';
import { isAllowed, type Permission, type Role } from '../../src/contract/roles.ts';

/** The pages of the console, in the order of the navigation; shown to whom the permission is given. */
export const PAGES = [
  { to: '/settings/audit-logs', title: 'Audit Logs', permission: 'events:read', icon: IconListDetails },
  { to: '/settings/siem', title: 'SIEM', permission: 'destinations:read', icon: IconPlugConnected },
  { to: '/settings/members', title: 'Members', permission: 'team:admin', icon: IconUsers },
  { to: '/settings/api-keys', title: 'API keys', permission: 'team:admin', icon: IconKey },
  { to: '/settings/security', title: 'Security', permission: 'team:read', icon: IconShieldLock },
  { to: '/settings/general', title: 'General', permission: 'team:read', icon: IconAdjustments },
] as const satisfies readonly { to: string; title: string; permission: Permission; icon: unknown }[];

/** Only where stand-ins run beside the service. */
export const SANDBOX = { to: '/sandbox', title: 'Sandbox', permission: 'destinations:read', icon: IconFlask } as const;

/** Where the console begins for somebody of this role. */
export function firstPage(role: Role | undefined): (typeof PAGES)[number]['to'] {
  return PAGES.find(({ permission }) => role && isAllowed(role, permission))?.to ?? '/settings/security';
}

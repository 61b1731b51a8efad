/** The built-in vocabulary: what teams see as toggles and filters. Both vocabularies are open; others are kept as they come. */

/** A category of events, as toggled behind "SIEM Integration". */
export interface Category {
  readonly value: string;
  readonly label: string;
}

/** An event type of the catalogue. `aliases` are older names: accepted, stored as `type`, usable in searches. */
export interface CatalogueType {
  readonly type: string;
  readonly category: string;
  /** For people: "Sign-in refused". */
  readonly title: string;
  readonly aliases: readonly string[];
}

export const CATEGORIES: readonly Category[] = [
  { value: 'authentication', label: 'Authentication' },
  { value: 'user_management', label: 'User Management' },
  { value: 'sso_security', label: 'SSO Security' },
  { value: 'api_access', label: 'API Access' },
  { value: 'administrative', label: 'Administrative' },
];

export const EVENT_TYPES: readonly CatalogueType[] = [
  ...types('authentication', [
    ['auth.login.success', 'Signed in', 'login.success'],
    ['auth.login.failure', 'Sign-in refused', 'login.failure'],
    ['auth.logout', 'Signed out', 'logout'],
    ['auth.session.created', 'Session started', 'session.created'],
    ['auth.session.expired', 'Session expired', 'session.expired'],
    ['auth.password.changed', 'Password changed'],
    ['auth.password.reset_requested', 'Password reset asked for'],
    ['auth.mfa.enabled', 'Second factor set up'],
    ['auth.mfa.disabled', 'Second factor removed'],
  ]),
  ...types('user_management', [
    ['user.created', 'User created'],
    ['user.role_changed', 'Role changed'],
    ['user.joined_team', 'Joined the team'],
    ['user.removed', 'User removed'],
    ['user.deactivated', 'User deactivated'],
    ['user.reactivated', 'User reactivated'],
  ]),
  ...types('sso_security', [
    ['sso.configured', 'SSO configured'],
    ['sso.deleted', 'SSO deleted'],
    ['sso.domain_added', 'Domain added'],
    ['sso.domain_verified', 'Domain verified'],
    ['sso.enforced', 'SSO enforced'],
    ['scim.token.generated', 'SCIM token generated', 'scim.token_generated'],
    ['scim.token.revoked', 'SCIM token revoked', 'scim.token_revoked'],
    ['scim.user.provisioned', 'User provisioned by SCIM', 'scim.user_provisioned'],
    ['scim.user.updated', 'User updated by SCIM', 'scim.user_updated'],
    ['scim.user.deprovisioned', 'User deprovisioned by SCIM', 'scim.user_deprovisioned'],
  ]),
  ...types('api_access', [
    ['apikey.created', 'API key created'],
    ['apikey.used', 'API key used'],
    ['apikey.revoked', 'API key revoked'],
  ]),
  ...types('administrative', [
    ['team.created', 'Team created'],
    ['team.settings.updated', 'Team settings changed'],
    ['team.deleted', 'Team deleted'],
    ['siem.destination.created', 'SIEM destination created'],
    ['siem.destination.updated', 'SIEM destination changed'],
    ['siem.destination.deleted', 'SIEM destination deleted'],
    ['siem.destination.paused', 'SIEM destination paused'],
    ['siem.destination.resumed', 'SIEM destination resumed'],
    ['siem.destination.tested', 'SIEM connection tested'],
    ['siem.destination.replayed', 'Events sent to a SIEM again'],
    ['siem.destination.replay_cancelled', 'Sending to a SIEM again stopped'],
    ['siem.destination.state_changed', 'SIEM destination changed state'],
    ['siem.categories.updated', 'Forwarded categories changed'],
    ['siem.dead_letters.redriven', 'Dead letters sent again'],
    ['audit.exported', 'Audit log exported'],
    ['audit.restored', 'Audit log restored from a backup'],
    ['breakglass.account.created', 'Break-glass account created'],
    ['breakglass.account.removed', 'Break-glass account removed'],
    ['user.invited', 'User invited'],
    ['user.invitation_revoked', 'Invitation withdrawn'],
    ['team.alert_tested', 'Alert tested'],
    ['role.created', 'Custom role created'],
    ['role.updated', 'Custom role changed'],
    ['role.deleted', 'Custom role deleted'],
  ]),
];

const BY_TYPE = new Map(EVENT_TYPES.map((entry) => [entry.type, entry]));
const CANONICAL = new Map(EVENT_TYPES.flatMap(({ type, aliases }) => aliases.map((alias) => [alias, type])));

/** The name under which events of this type are stored: an alias becomes the catalogue's name, others stay. */
export function canonicalType(type: string): string {
  return CANONICAL.get(type) ?? type;
}

/** The catalogue's category of a canonical type; undefined for types it does not know. */
export function categoryOf(type: string): string | undefined {
  return BY_TYPE.get(type)?.category;
}

function types(category: string, rows: readonly (readonly [type: string, title: string, ...aliases: string[]])[]) {
  return rows.map(([type, title, ...aliases]): CatalogueType => ({ type, category, title, aliases }));
}

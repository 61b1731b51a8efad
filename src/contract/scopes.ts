/** What an API key may do. A key holds any of them; the operator holds all. */
export const SCOPES = ['events:write', 'events:read', 'destinations:read', 'destinations:write', 'team:admin'] as const;
export type Scope = (typeof SCOPES)[number];

/**
 * What an SDK line (schema version 1.0) must mean at a SIEM, written from the product reference and sharing no code with
 * the service: old names become canonical, times lose what is finer than milliseconds, nothing else changes.
 */
export interface SdkLine {
  readonly version: string;
  readonly id: string;
  readonly timestamp: string;
  readonly team_id: string;
  readonly event: Readonly<Record<string, string>>;
  readonly actor: object | null;
  readonly target?: object;
  readonly context: Readonly<Record<string, string>> | null;
  readonly changes?: object;
  readonly metadata?: object;
}

const CANONICAL: Readonly<Record<string, string>> = {
  'login.success': 'auth.login.success',
  'login.failure': 'auth.login.failure',
  logout: 'auth.logout',
  'session.created': 'auth.session.created',
  'session.expired': 'auth.session.expired',
  'scim.token_generated': 'scim.token.generated',
  'scim.token_revoked': 'scim.token.revoked',
  'scim.user_provisioned': 'scim.user.provisioned',
  'scim.user_updated': 'scim.user.updated',
  'scim.user_deprovisioned': 'scim.user.deprovisioned',
};

export function meaningOf(line: SdkLine): Record<string, unknown> {
  const { ip_address, user_agent, session_id, request_id } = line.context ?? {};
  return without({
    timestamp: `${line.timestamp.slice(0, 23).replace(' ', 'T')}Z`,
    id: line.id,
    version: line.version,
    eventType: CANONICAL[line.event['type']!] ?? line.event['type'],
    eventCategory: line.event['category'],
    status: line.event['status'],
    description: line.event['description'],
    failureReason: line.event['error_message'],
    actor: line.actor,
    target: line.target,
    context: without({
      ipAddress: ip_address,
      userAgent: user_agent,
      sessionId: session_id,
      requestId: request_id,
      teamId: line.team_id,
    }),
    changes: line.changes,
    metadata: line.metadata,
  });
}

/** A received event less what the service adds by itself: its place in the log, and that it came late for this SIEM. */
export function received(event: unknown): Record<string, unknown> {
  const { sequence, receivedAt, trailproof, ...rest } = event as Record<string, unknown>;
  if (!Number.isInteger(sequence) || typeof receivedAt !== 'string') throw new Error('no place in the log');
  const { late: _, ...marks } = { ...(trailproof as object | undefined) } as Record<string, unknown>;
  return Object.keys(marks).length > 0 ? { ...rest, trailproof: marks } : rest;
}

function without(object: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined && value !== null));
}

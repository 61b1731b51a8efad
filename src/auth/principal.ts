import type { TeamId } from '../event/logged-event.ts';
import type { OwnEvent } from '../event/own-event.ts';

/** Who makes a request. */
export type Principal =
  | {
      readonly kind: 'key';
      readonly id: string;
      readonly name: string;
      /** null: a key of the installation, good for every team. */
      readonly team: TeamId | null;
      readonly scopes: readonly string[];
    }
  /** Whoever may open the control socket in DATA_DIR: everything, in every team. */
  | { readonly kind: 'operator' };

/** Where a request came from, as audit events record it. */
export interface Origin {
  readonly ipAddress?: string;
  readonly userAgent?: string;
  readonly requestId?: string;
}

/** The actor and context of an audit event about what `principal` does. */
export function auditActor(principal: Principal, origin: Origin): Pick<OwnEvent, 'actor' | 'context'> {
  const actor: OwnEvent['actor'] =
    principal.kind === 'key'
      ? { id: principal.id, type: 'service', name: principal.name }
      : { id: 'operator', type: 'system', name: 'Operator (command line)' };
  return { actor, context: { ...origin } };
}

import type { Role } from '../contract/roles.ts';
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
  /** A person with a session of the console. */
  | {
      readonly kind: 'user';
      readonly id: string;
      readonly email: string;
      readonly name: string;
      readonly sessionId: string;
      /** The teams in which the person is active, by team. */
      readonly roles: ReadonlyMap<TeamId, Role>;
    }
  /** Whoever may open the control socket in DATA_DIR: everything, in every team. */
  | { readonly kind: 'operator' };

/** Where a request came from, as audit events record it. */
export interface Origin {
  /** The client's address, behind TRUSTED_PROXIES the real one. */
  readonly ipAddress?: string;
  readonly userAgent?: string;
  readonly requestId?: string;
}

/** Who did something and from where: what an audit event says of its cause. */
export type Actor = Pick<OwnEvent, 'actor' | 'context'>;

/** The actor and context of an audit event about what `principal` does. */
export function auditActor(principal: Principal, origin: Origin): Actor {
  switch (principal.kind) {
    case 'key':
      return { actor: { id: principal.id, type: 'service', name: principal.name }, context: { ...origin } };
    case 'user': {
      const { id, email, name, sessionId } = principal;
      return { actor: { id, type: 'user', email, name }, context: { ...origin, sessionId } };
    }
    case 'operator':
      return { actor: { id: 'operator', type: 'system', name: 'Operator (command line)' }, context: { ...origin } };
    default:
      return principal satisfies never;
  }
}

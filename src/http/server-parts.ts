import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { KeyRefusal, Keyring } from '../auth/api-keys.ts';
import type { Principal } from '../auth/principal.ts';
import type { Clock } from '../clock.ts';
import type { Config } from '../config/config.ts';
import type { Scope } from '../contract/scopes.ts';
import type { Delivery } from '../delivery/delivery.ts';
import type { DestinationKind } from '../destinations/destination.ts';
import type { Accept } from '../ingest/accept.ts';
import type { OpenOutbound } from '../outbound/outbound.ts';
import type { Search } from '../search/search.ts';
import type { SecretBox } from '../secrets.ts';
import type { EventLog } from '../store/event-log.ts';
import type { TeamStore } from '../store/teams.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';

/** What the HTTP API stands on. */
export interface ServerParts {
  readonly config: Config;
  readonly accept: Accept;
  readonly log: Pick<EventLog, 'append' | 'read' | 'find' | 'bounds' | 'vocabulary' | 'waitForMore' | 'check'>;
  readonly search: Search;
  readonly delivery: Delivery;
  readonly kinds: readonly DestinationKind[];
  readonly teams: TeamStore;
  readonly keyring: Keyring;
  readonly secretBox: SecretBox;
  readonly openOutbound: OpenOutbound;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** `keys`: every request shows an API key. `operator`: whoever can connect is the operator (the control socket). */
  readonly principal: 'keys' | 'operator';
}

/** The server with schemas as types. */
export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** Who may call a route: anyone, the operator alone, or whoever has the scope. */
type Access = 'anyone' | 'operator' | Scope;

declare module 'fastify' {
  interface FastifyContextConfig {
    access: Access;
  }
  interface FastifyRequest {
    /** null: no valid key was shown; only routes for anyone see that. */
    principal: Principal | null;
    /** Why the key that was shown is not valid. */
    refusal: KeyRefusal | null;
  }
}

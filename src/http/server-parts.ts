import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { Alerting } from '../alerting/alerting.ts';
import type { Accounts, SignedIn } from '../auth/accounts.ts';
import type { KeyRefusal, Keyring } from '../auth/api-keys.ts';
import type { People } from '../auth/people.ts';
import type { Principal } from '../auth/principal.ts';
import type { Clock } from '../clock.ts';
import type { Config } from '../config/config.ts';
import type { Permission } from '../contract/roles.ts';
import type { Delivery } from '../delivery/delivery.ts';
import type { DestinationKind, StandIn } from '../destinations/destination.ts';
import type { Accept } from '../ingest/accept.ts';
import type { Mailer } from '../outbound/mail.ts';
import type { OpenOutbound } from '../outbound/outbound.ts';
import type { Search } from '../search/search.ts';
import type { SecretBox } from '../secrets.ts';
import type { EventLog } from '../store/event-log.ts';
import type { PeopleStore } from '../store/people.ts';
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
  readonly accounts: Accounts;
  readonly people: People;
  readonly savedFilters: Pick<PeopleStore, 'savedFilters' | 'saveFilter' | 'removeFilter'>;
  readonly alerting: Pick<Alerting, 'test' | 'newSecret'>;
  readonly mailer: Mailer;
  readonly secretBox: SecretBox;
  readonly openOutbound: OpenOutbound;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Version of the product, for people. */
  readonly version: string;
  /** Where people reach the service, without a slash at the end: PUBLIC_URL, or host and port. */
  readonly baseUrl: () => string;
  /** Folder of the built console; null: none is served (the operator's socket). */
  readonly consoleFolder: string | null;
  /** Stand-ins that run beside the service (demo), by kind; null: none. */
  readonly sandbox: ReadonlyMap<string, StandIn> | null;
  /** `keys`: every request shows an API key or a session. `operator`: whoever can connect is the operator (the control socket). */
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

/** Who may call a route: anyone, the operator alone, or who is allowed it in the team (`contract/roles.ts`). */
export type Access = 'anyone' | 'operator' | Permission;

declare module 'fastify' {
  interface FastifyContextConfig {
    access: Access;
    /** What it takes instead to do it to oneself: the route's `:id` is the person who asks. */
    ownAccess?: Permission;
  }
  interface FastifyRequest {
    /** null: neither a valid key nor a session was shown; only routes for anyone see that. */
    principal: Principal | null;
    /** Of a principal who is a person. */
    session: SignedIn | null;
    /** Why the key that was shown is not valid. */
    refusal: KeyRefusal | null;
  }
}

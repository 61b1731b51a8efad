import type { Static, TObject } from 'typebox';
import type { Clock } from '../clock.ts';
import type { LoggedEvent } from '../event/logged-event.ts';
import type { OpenOutbound } from '../outbound/outbound.ts';

/**
 * What a SIEM made of one batch. `delivery/lane.ts` alone decides what follows; `classify.ts` of each destination alone
 * decides which of these an answer is.
 */
export type Outcome =
  /** All accepted (or already there). `warning`: delivered, but an operator should know. */
  | ({ readonly kind: 'delivered'; readonly warning?: string } & Evidence)
  /** A verdict per event id. Ids in neither list are delivered. `again` go out once more before anything new. */
  | ({
      readonly kind: 'partial';
      readonly rejected: readonly { readonly id: string; readonly reason: string }[];
      readonly again: readonly string[];
      /** Why `again` must wait, if it must: 429 or 5xx of single items. Absent: send at once (Splunk's tail). */
      readonly pause?: 'throttled' | 'server';
      readonly reason: string;
    } & Evidence)
  /** Transient: nothing is known to be wrong with events or settings. */
  | ({
      readonly kind: 'retry';
      readonly cause: 'unreachable' | 'server';
      readonly reason: string;
      /** What to do if it lasts, where that is known better than from `cause`. */
      readonly fix?: string;
      readonly retryAfterMs?: number;
    } & Evidence)
  /** "Too many" or "busy": wait at least as long as asked. */
  | ({ readonly kind: 'throttled'; readonly reason: string; readonly retryAfterMs?: number } & Evidence)
  /** The batch was refused and the culprit is unknown: halved; one alone becomes a dead letter. */
  | ({ readonly kind: 'refused'; readonly reason: string; readonly tooLarge?: boolean } & Evidence)
  /** A person must act. Everything is kept; the destination holds and is re-checked slowly. */
  | ({
      readonly kind: 'misconfigured';
      readonly cause: 'credential' | 'permission' | 'tls' | 'address' | 'setting';
      /** What was measured, in plain words: "Splunk answered "Invalid token" (403, code 4)". */
      readonly reason: string;
      /** What to do, in plain words, naming the place in the SIEM. */
      readonly fix: string;
    } & Evidence);

/** What every outcome may carry for the attempts list and the dead letters. */
export interface Evidence {
  /** HTTP status; absent when no answer arrived. */
  readonly status?: number;
  /** The SIEM's own words, at most 500 characters, one line, without secrets and without event content where avoidable. */
  readonly answer?: string;
  /** Ids the SIEM certainly took although the outcome is not `delivered` (Splunk: those before invalid-event-number). */
  readonly taken?: readonly string[];
  /** True when the SIEM may have taken some or all of the batch: sending it again may duplicate. */
  readonly uncertain?: boolean;
}

/** A framed (and compressed) batch. Sending it again sends the same body bytes. */
export interface PreparedBatch {
  /** Bytes that go over the wire as body. */
  readonly bytes: number;
  /**
   * Sends the batch and says what became of it. Throws only for bugs. `accepted` is called, at most once, when the SIEM
   * has taken the body but the outcome is still awaited (Splunk indexer acknowledgement): the next batch may then go.
   */
  send(signal: AbortSignal, accepted?: () => void): Promise<Outcome>;
}

/** One finding of a connection check. */
export interface CheckStep {
  /** Shown to people and stable for programs: address, tls, credential, permission, index, stream, write … */
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  /** What to do; only when not ok. */
  readonly fix?: string;
  readonly ms: number;
}

/** An open destination: encodes, sends and classifies. It never retries, sleeps, or knows of cursors. */
export interface Destination {
  /** The URL whose address and certificate "Test connection" looks at first. */
  readonly endpoint: string;
  /** Frames and compresses a batch; may run while an earlier batch is in flight. Throws only for bugs. */
  prepare(batch: readonly LoggedEvent[]): Promise<PreparedBatch>;
  /**
   * Proves settings and credentials, writing nothing where the SIEM allows it. `report` hears of each step as it ends.
   * Serves the slow re-check of held destinations and the middle steps of "Test connection".
   */
  check(signal: AbortSignal, report?: (step: CheckStep) => void): Promise<Outcome>;
  close(): Promise<void>;
}

/** What a SIEM takes, known before sending. Bytes are of the uncompressed body. */
export interface DestinationLimits {
  readonly batchEvents: number;
  readonly batchBytes: number;
  /** Largest event as framed; a larger one is cut to fit and marked (`event/truncate.ts`). */
  readonly eventBytes: number;
  /** Upper bound of what framing adds to one event's JSON. */
  readonly overheadBytes: number;
  /** The SIEM treats events older than this differently (drops or restamps); absent: no such window. */
  readonly maxAgeMs?: number;
  /** Several posts may await their outcome at once after `accepted` (Splunk acknowledgement). Default 1. */
  readonly awaiting?: number;
}

/** What a destination is opened with. */
export interface DestinationContext {
  readonly openOutbound: OpenOutbound;
  readonly clock: Clock;
  /** `BRAND_NAME`: whose audit log this is (vendor, source). */
  readonly brand: string;
  /** When the settings were last changed, milliseconds: Sentinel's permission window counts from it. */
  readonly configuredAt: number;
}

/** A problem of the settings, for the form: `field` is the setting's name. */
export interface SettingProblem {
  readonly field: string;
  readonly message: string;
}

/** One step to the values of the form, in words of the SIEM's own pages; shown beside the form. */
export interface GuideStep {
  readonly text: string;
  /** The setting whose value this step yields; the step lights up while its field has focus. */
  readonly setting?: string;
  /** Who can do this step and those after it. */
  readonly who?: string;
}

/** A kind of destination: everything the rest of the product knows about one SIEM. */
export interface DestinationKind<S extends TObject = TObject> {
  /** `splunk`, `elastic` … */
  readonly kind: string;
  readonly title: string;
  /** What is needed and who in a company has it, in one line. */
  readonly needs: string;
  readonly guide: readonly GuideStep[];
  /** Drives validation, API, form and docs. Secrets are made with `secretSetting()`. */
  readonly settings: S;
  readonly limits: DestinationLimits | ((settings: Static<S>) => DestinationLimits);
  /**
   * Cleans pasted values (URL with the vendor's path, spaces around a token, Cloud ID) and says what a schema cannot.
   * Called with schema-valid settings; returns the settings to keep and the problems found.
   */
  refine(settings: Static<S>): { readonly settings: Static<S>; readonly problems: readonly SettingProblem[] };
  open(settings: Static<S>, context: DestinationContext): Destination;
  /** The stand-in server, loaded lazily: it is not part of the running service. */
  standIn(): Promise<StartStandIn>;
}

// ---- stand-ins (design §8) ----

export interface StandInOptions {
  /** 0: any free port. */
  readonly port: number;
  readonly host?: string;
  /** PEM; absent: plain http. */
  readonly tls?: { readonly certificate: string; readonly key: string };
  /** How many received events are kept whole, newest first out; ids and counts are always kept. Default 1,000. */
  readonly keep?: number;
}

export type StartStandIn = (options: StandInOptions) => Promise<StandIn>;

/** One event as the SIEM understood it. */
export interface ReceivedEvent {
  readonly id: string;
  /** The audit event as found in what was stored, parsed by the stand-in's own code. */
  readonly event: unknown;
  /** The whole stored record: envelope, columns, attributes. */
  readonly record: unknown;
  readonly at: number;
}

export interface StandInCounts {
  readonly requests: number;
  /** Events stored, repeats included. */
  readonly events: number;
  /** Different ids stored. */
  readonly distinct: number;
  /** Repeats stored (events − distinct), and, where the SIEM deduplicates, repeats it ignored. */
  readonly duplicates: number;
  readonly ignoredDuplicates: number;
  /** Events the SIEM refused one by one. */
  readonly rejected: number;
}

export type FaultKind =
  | 'busy' // the vendor's "server busy" (503, 429 …)
  | 'throttle' // 429 with Retry-After
  | 'error' // 500
  | 'unauthorized' // bad credential
  | 'forbidden' // credential without the right
  | 'too_large' // 413 or the vendor's own form of it
  | 'refuse' // 400 for the whole batch, no culprit named
  | 'reject_items' // per-item verdict on every `every`-th event (counted over all events seen)
  | 'reset' // connection reset in the middle of reading the body
  | 'reset_after' // body taken and stored, then reset instead of an answer
  | 'hang' // body taken and not stored, no answer
  | 'drip' // answer one byte at a time
  | 'html' // 200 with an HTML page
  | 'redirect'; // 302 to a login page

/** Ends after `requests` or `ms`, whichever is given; neither: until cleared. */
export interface Fault {
  readonly kind: FaultKind;
  readonly requests?: number;
  readonly ms?: number;
  readonly every?: number;
}

export interface StandIn {
  /** Base URL. */
  readonly url: string;
  /** Settings with which a destination (or the vendor's client) reaches it; secrets in clear. */
  readonly settings: Readonly<Record<string, unknown>>;
  counts(): StandInCounts;
  /** Kept events, oldest first. */
  received(): readonly ReceivedEvent[];
  /** How often each id was stored. */
  ids(): ReadonlyMap<string, number>;
  setFault(fault: Fault | null): void;
  /** The fault switched on at the moment. */
  fault(): Fault | null;
  reset(): void;
  close(): Promise<void>;
}

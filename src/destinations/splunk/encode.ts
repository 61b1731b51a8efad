import type { LoggedEvent } from '../../event/logged-event.ts';
import { truncateEvent } from '../../event/truncate.ts';
import { BodyWriter } from '../body-writer.ts';

/** The envelope's values, the same for every event of a destination. */
export interface HecMetadata {
  readonly host: string;
  readonly source: string;
  readonly sourcetype: string;
  readonly index: string;
}

/**
 * Frames events for `POST /services/collector/event`: one envelope per line around the stored JSON, which is not
 * parsed. An event whose envelope would exceed `eventBytes` is cut to fit.
 * https://help.splunk.com/en/splunk-enterprise/get-started/get-data-in/10.0/get-data-with-http-event-collector/format-events-for-http-event-collector
 */
export function encodeBatch(events: readonly LoggedEvent[], metadata: HecMetadata, eventBytes: number): Buffer {
  const { host, source, sourcetype, index } = metadata;
  const prefix = `${JSON.stringify({ host, source, sourcetype, index }).slice(0, -1)},"time":`;
  const overhead = overheadBytes(metadata);
  const room = eventBytes - overhead;
  const body = new BodyWriter(events, overhead);
  for (const event of events) {
    body.text(`${prefix}${epochSeconds(event.timestamp)},"event":`);
    // An event that cannot be cut goes as it is: Splunk's refusal makes it a dead letter with that reason.
    body.json(event.bytes > room ? (truncateEvent(event.json, room) ?? event) : event);
    body.text('}\n');
  }
  return body.finish();
}

/** What the envelope adds to one event, at most. */
export function overheadBytes({ host, source, sourcetype, index }: HecMetadata): number {
  const longestTime = '-8640000000000.000'.length;
  return (
    Buffer.byteLength(JSON.stringify({ host, source, sourcetype, index })) + longestTime + ',"time":,"event":\n'.length
  );
}

/** Seconds with three decimals. Never an exponent: HEC answers `1.7E9` with code 15. */
function epochSeconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}

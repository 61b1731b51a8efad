import type { StoredEvent } from '../../../src/contract/events.ts';
import { bytes, count } from '../../ui/words.ts';

/** What Trailproof noticed about an event when it took it in, in words. */
export function marksOf({ trailproof = {}, timestamp, receivedAt }: StoredEvent): readonly string[] {
  const { clock, replacedCharacters, unknownFields, truncated } = trailproof;
  const unknown = Object.keys(unknownFields ?? {});
  return [
    clock === 'future' &&
      `The producer’s clock was ahead: the event says ${timestamp}, but had arrived by ${receivedAt}.`,
    clock === 'past' &&
      'The event was more than a year old when it arrived: a late import, or a producer’s wrong clock.',
    replacedCharacters !== undefined &&
      `${count(replacedCharacters, 'character')} could not be kept as sent (NULs or broken Unicode); � stands for each.`,
    unknown.length > 0 &&
      `The producer sent ${count(unknown.length, 'field')} outside of the schema, kept as they came: ${unknown.join(', ')}.`,
    ...(truncated ?? []).map(({ path, bytes: n }) => `${path} (${bytes(n)}) was cut to fit a limit of the SIEM.`),
  ].filter((mark) => mark !== false);
}

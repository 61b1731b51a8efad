import { CanonicalReader, slotOf, standsAt } from './canonical-form.ts';
import { canonicalType } from './catalogue.ts';
import { HEAD_LENGTH, type NewEvent } from './logged-event.ts';
import { type Arrival, clockOf, isTeam } from './normalise.ts';
import { ID_FORM } from './schema.ts';
import { hashOf } from './seal.ts';
import { parseTimestamp } from './timestamp.ts';

/** An event whose bytes, as they were sent, are its JSON. */
export interface SealedBytes extends Omit<NewEvent, 'json'> {
  /** Where its JSON lies. */
  readonly begin: number;
  readonly end: number;
}

const HEAD = Buffer.from('{"timestamp":"');
const TIMESTAMP = { start: HEAD.length, end: HEAD_LENGTH - 1 };
const QUOTE = 34;
const reader = new CanonicalReader();
const [ID, EVENT_TYPE, EVENT_CATEGORY, STATUS, TEAM] = [
  slotOf('id'),
  slotOf('eventType'),
  slotOf('eventCategory'),
  slotOf('status'),
  slotOf('context.teamId'),
];

/**
 * The event that begins at `begin`, where `normalise` would make of it the very bytes that were sent: then they need not
 * be parsed, nor written anew. undefined for all else, also for what is to be rejected.
 */
export function asSealed(bytes: Buffer, begin: number, { team: keyTeam, now }: Arrival): SealedBytes | undefined {
  if (!standsAt(bytes, begin, HEAD) || bytes[begin + TIMESTAMP.end] !== QUOTE) return undefined;
  const known = reader.known(bytes, begin + HEAD_LENGTH);
  const end = known === -1 ? -1 : reader.free(known);
  if (end === -1) return undefined;

  const timestamp = bytes.toString('latin1', begin + TIMESTAMP.start, begin + TIMESTAMP.end);
  const time = parseTimestamp(timestamp);
  if (time?.iso !== timestamp || clockOf(time.at, now) !== undefined) return undefined;
  const id = reader.text(ID)!;
  const eventType = reader.text(EVENT_TYPE)!;
  const eventCategory = reader.text(EVENT_CATEGORY)!;
  const status = reader.text(STATUS);
  const team = reader.text(TEAM)!;
  const isUsual =
    ID_FORM.test(id) &&
    eventType !== '' &&
    canonicalType(eventType) === eventType &&
    eventCategory !== '' &&
    (status === 'success' || status === 'failure') &&
    isTeam(team) &&
    (keyTeam === null || team === keyTeam);
  if (!isUsual) return undefined;
  return {
    team,
    id,
    eventType,
    eventCategory,
    timestamp: time.at,
    hash: hashOf(bytes.subarray(begin, end)),
    begin,
    end,
  };
}

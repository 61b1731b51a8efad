/** Why an event is refused: the whole list, part of the API. */
export const REJECTION_CODES = {
  invalid_json: 'the line is not JSON',
  invalid_event: 'not an object, or a field has the wrong type',
  missing_field: 'timestamp or event type is missing',
  invalid_timestamp: 'not an existing date and time in an accepted form',
  invalid_id: 'the id is not 1 to 128 printable ASCII characters without space or slash',
  invalid_status: 'a status other than the accepted words',
  unknown_category: 'no category, and the catalogue does not know the event type',
  reserved_field: 'the key `trailproof` is ours',
  team_required: 'the key belongs to the installation and the event names no team',
  team_mismatch: 'the event names another team than its key, or two teams',
  invalid_team: 'not 1 to 128 characters, or beginning with `_`',
  unknown_team: 'the team was deleted, or there is none and teams are not created on first sight',
  event_too_large: 'more than 256 KiB',
  too_deep: 'nested more than 64 levels deep',
  id_conflict: 'the team has another event with this id',
} as const;

export type RejectionCode = keyof typeof REJECTION_CODES;

/** Why one event is refused. */
export interface Rejection {
  readonly code: RejectionCode;
  /** Where, as the producer wrote it: `event.status`; empty for the event itself. */
  readonly path: string;
  /** What was found and what is expected. */
  readonly message: string;
}

/** A rejection whose message says what is expected and shows, cut short, what was found. */
export function reject(code: RejectionCode, path: string, expected: string, found: unknown): Rejection {
  return {
    code,
    path,
    message: `${path === '' ? 'an event' : `\`${path}\``} must be ${expected}; found ${shown(found)}`,
  };
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 80).toWellFormed()}…` : text;
}

import { parseTimestamp } from '../event/timestamp.ts';
import { invalidField } from './problem.ts';

/** ISO 8601 → milliseconds since the epoch; without a zone it is UTC, a date alone is its first moment. Throws 400. */
export function parseTime(path: string, text: string): number {
  const instant = parseTimestamp(text) ?? parseTimestamp(`${text}T00:00`);
  if (!instant) throw invalidField(path, 'must be a time like 2026-01-15T10:30:00Z');
  return instant.at;
}

/** Milliseconds since the epoch → ISO 8601 in UTC. */
export function toTime(at: number): string {
  return new Date(at).toISOString();
}

export function toTimeOrNull(at: number | null): string | null {
  return at === null ? null : toTime(at);
}

/** An instant: milliseconds since the epoch, and as `YYYY-MM-DDTHH:MM:SS.mmmZ`. */
export interface Instant {
  readonly at: number;
  readonly iso: string;
}

const FORM =
  /^(\d{4}-\d\d-(\d\d))[Tt ](\d\d:\d\d)(?::(\d\d)(?:[.,](\d+))?)?(?:[Zz]|([+-])([01]\d|2[0-3])(?::?([0-5]\d))?)?$/;

/**
 * Reads a producer's time: the extended form of ISO 8601, or the same with a space for the `T`. Without offset it is
 * UTC; finer than milliseconds is cut. A leap second counts as the last millisecond before it. undefined for anything
 * else, for dates that do not exist and for years outside 0000 to 9999.
 */
export function parseTimestamp(text: string): Instant | undefined {
  const form = FORM.exec(text);
  if (form === null) return undefined;
  const [, date, day, time, seconds = '00', fraction = '', sign, hours = '0', minutes = '0'] = form;
  const local = `${date}T${time}:${seconds === '60' ? '59.999' : `${seconds}.${fraction.slice(0, 3).padEnd(3, '0')}`}Z`;
  const localAt = Date.parse(local);
  // Date.parse moves 30 February to March and 24:00 to the next day.
  if (Number.isNaN(localAt) || new Date(localAt).getUTCDate() !== Number(day)) return undefined;
  if (sign === undefined) return { at: localAt, iso: local };
  const offset = (Number(hours) * 60 + Number(minutes)) * 60_000;
  const at = sign === '+' ? localAt - offset : localAt + offset;
  const iso = new Date(at).toISOString();
  return iso.length === local.length ? { at, iso } : undefined;
}

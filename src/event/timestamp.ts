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
  return ofSameDay(text) ?? parseForm(text);
}

/** The day last read: most events are of one day, and come in the form in which times are kept. */
let lastDay = { date: '', at: 0 };

/** Reads `YYYY-MM-DDTHH:MM:SS.mmmZ` of that day by its digits; undefined for anything else. */
function ofSameDay(text: string): Instant | undefined {
  if (text.length !== 24 || lastDay.date === '' || !text.startsWith(lastDay.date)) return undefined;
  if (text[10] !== 'T' || text[13] !== ':' || text[16] !== ':' || text[19] !== '.' || text[23] !== 'Z')
    return undefined;
  const hours = numberAt(text, 11, 2);
  const minutes = numberAt(text, 14, 2);
  const seconds = numberAt(text, 17, 2);
  const at = lastDay.at + ((hours * 60 + minutes) * 60 + seconds) * 1000 + numberAt(text, 20, 3);
  return hours < 24 && minutes < 60 && seconds < 60 && !Number.isNaN(at) ? { at, iso: text } : undefined;
}

/** NaN where something else than digits stands. */
function numberAt(text: string, start: number, digits: number): number {
  let number = 0;
  for (let at = start; at < start + digits; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) return Number.NaN;
    number = number * 10 + digit;
  }
  return number;
}

function parseForm(text: string): Instant | undefined {
  const form = FORM.exec(text);
  if (form === null) return undefined;
  const [, date, day, time, seconds = '00', fraction = '', sign, hours = '0', minutes = '0'] = form;
  const local = `${date}T${time}:${seconds === '60' ? '59.999' : `${seconds}.${fraction.slice(0, 3).padEnd(3, '0')}`}Z`;
  const localAt = Date.parse(local);
  // Date.parse moves 30 February to March and 24:00 to the next day.
  if (Number.isNaN(localAt) || new Date(localAt).getUTCDate() !== Number(day)) return undefined;
  if (date !== lastDay.date) lastDay = { date: date!, at: Date.parse(`${date}T00:00:00.000Z`) };
  if (sign === undefined) return { at: localAt, iso: local };
  const offset = (Number(hours) * 60 + Number(minutes)) * 60_000;
  const at = sign === '+' ? localAt - offset : localAt + offset;
  const iso = new Date(at).toISOString();
  return iso.length === local.length ? { at, iso } : undefined;
}

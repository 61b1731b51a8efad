import { type Static, type TSchema, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { TeamId } from '../../event/logged-event.ts';
import { DAMAGED_KIND, type Progress, type Replay, type StoredDestination } from '../destinations.ts';
import { DEFAULT_ALERTS, type TeamAlerts } from '../teams.ts';
import { crcOf } from './crc.ts';

/*
 * What is kept as JSON in a column, read back. Only hands other than ours, or a broken disk, make it unreadable: then one
 * thing is out of order, and says so, instead of everything that is read together with it.
 */

export const DESTINATION = `SELECT id, team, body, body_checksum AS bodyChecksum, progress,
  progress_checksum AS progressChecksum FROM destination`;

/** A checksum of null was written by an earlier version. */
export interface DestinationRow {
  readonly id: string;
  readonly team: TeamId;
  readonly body: string;
  readonly bodyChecksum: number | null;
  readonly progress: string;
  readonly progressChecksum: number | null;
}

/** Body or progress is not as it was written, or cannot be one. */
export function isDamaged(row: DestinationRow): boolean {
  return bodyOf(row) === undefined || progressOf(row) === undefined;
}

/** A damaged one is there, but of no kind that delivers. */
export function readDestination(row: DestinationRow): StoredDestination {
  const body = bodyOf(row);
  if (body && progressOf(row)) return body;
  const found = parse(row.body);
  return { ...DAMAGED, id: row.id, team: row.team, name: isNamed(found) ? found.name : 'damaged' };
}

/** From the very beginning, for a damaged one: so that nothing is taken for settled. */
export function readProgress(row: DestinationRow): Progress {
  return (bodyOf(row) && progressOf(row)) ?? UNKNOWN;
}

/** Undefined for one that cannot be read: it is asked for again. */
export function readReplay(json: string): Replay | undefined {
  const replay = parse(json);
  return isReplay(replay) ? (replay as Replay) : undefined;
}

/** Those of a new team for what cannot be read: so its people are told. */
export function readAlerts(json: string): TeamAlerts {
  const alerts = parse(json);
  return isAlerts(alerts) ? alerts : DEFAULT_ALERTS;
}

/** None for what cannot be read. */
export function readScopes(json: string): string[] {
  const scopes = parse(json);
  return isTexts(scopes) ? scopes : [];
}

/** Nothing told for what cannot be read: it is told again. */
export function readTimes(json: string): Readonly<Record<string, number>> {
  const times = parse(json);
  return isTimes(times) ? times : {};
}

const count = Type.Integer({ minimum: 0 });
const textOrNull = Type.Union([Type.String(), Type.Null()]);
const texts = Type.Array(Type.String());
const textsOrNull = Type.Union([texts, Type.Null()]);

const isNamed = checker(Type.Object({ name: Type.String() }));
const isTexts = checker(texts);
const isTimes = checker(Type.Record(Type.String(), Type.Number()));
const isAlerts = checker(
  Type.Object({
    mail: Type.Boolean(),
    webhook: Type.Union([Type.Object({ url: Type.String(), sealed: Type.String() }), Type.Null()]),
  }),
);
const isDestination = checker(
  Type.Object({
    ...{ id: Type.String(), team: Type.String(), kind: Type.String(), name: Type.String() },
    settings: Type.Record(Type.String(), Type.Unknown()),
    sealed: Type.Record(Type.String(), Type.String()),
    filters: Type.Array(
      Type.Object({
        ...{ fromSequence: count, categories: textsOrNull, eventTypes: textsOrNull },
        ...{ newCategories: Type.Boolean(), knownCategories: texts },
      }),
      { minItems: 1 },
    ),
    startAfter: count,
    parallel: Type.Integer({ minimum: 1, maximum: 8 }),
    lingerMs: count,
    paused: Type.Union([Type.Object({ by: Type.String(), at: count }), Type.Null()]),
    ...{ createdAt: count, updatedAt: count },
  }),
);
const isProgress = checker(
  Type.Object({
    ...{ cursor: count, settledAhead: Type.Array(count), scanned: count },
    ...{ matched: count, filtered: count, delivered: count, deadLettered: count },
    state: Type.Enum([
      ...['pending', 'connected', 'retrying', 'throttled', 'disconnected'],
      ...['authentication_failed', 'misconfigured', 'paused'],
    ]),
    ...{ since: count, cause: textOrNull, fix: textOrNull, held: Type.Boolean(), refusedRun: texts },
    lastSuccessAt: Type.Union([count, Type.Null()]),
    lastError: Type.Union([Type.Object({ at: count, reason: Type.String() }), Type.Null()]),
  }),
);
const isReplay = checker(
  Type.Object({
    ...{ id: Type.String(), after: count, through: count, events: count, bytes: count, from: Type.Number() },
    ...{ to: Type.Number(), cursor: count, delivered: count, rejected: count },
    status: Type.Enum(['running', 'done', 'cancelled']),
    ...{ createdAt: count, endedAt: Type.Union([count, Type.Null()]) },
  }),
);

const DAMAGED = {
  ...{ kind: DAMAGED_KIND, settings: {}, sealed: {}, startAfter: 0, parallel: 1, lingerMs: 0 },
  filters: [{ fromSequence: 1, categories: null, eventTypes: null, newCategories: true, knownCategories: [] }],
  ...{ paused: null, createdAt: 0, updatedAt: 0 },
};
const UNKNOWN: Progress = {
  ...{ cursor: 0, settledAhead: [], scanned: 0, matched: 0, filtered: 0, delivered: 0, deadLettered: 0 },
  ...{ state: 'pending', since: 0, cause: null, fix: null, held: false, refusedRun: [] },
  ...{ lastSuccessAt: null, lastError: null },
};

function bodyOf({ id, team, body, bodyChecksum }: DestinationRow): StoredDestination | undefined {
  const found = bodyChecksum === null || bodyChecksum === crcOf(body) ? parse(body) : undefined;
  return isDestination(found) && found.id === id && found.team === team ? (found as StoredDestination) : undefined;
}

function progressOf({ progress, progressChecksum }: DestinationRow): Progress | undefined {
  const found = progressChecksum === null || progressChecksum === crcOf(progress) ? parse(progress) : undefined;
  return isProgress(found) ? (found as Progress) : undefined;
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

function checker<S extends TSchema>(schema: S): (value: unknown) => value is Static<S> {
  const compiled = Compile(schema);
  return (value): value is Static<S> => compiled.Check(value);
}

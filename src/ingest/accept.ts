import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../clock.ts';
import { asSealed } from '../event/as-sealed.ts';
import type { NewEvent, Sequence, TeamId } from '../event/logged-event.ts';
import { type Arrival, normalise } from '../event/normalise.ts';
import { EventPacker, type Packed } from '../event/packed-events.ts';
import { type Rejection, type RejectionCode, reject } from '../event/rejection.ts';
import type { Appended, EventLog } from '../store/event-log.ts';
import { createAdmission } from './admission.ts';
import { itemsOf, type ReadSealed, type SentItem } from './body.ts';

/** The body formats of `POST /v1/events`. */
export type BodyFormat = 'json' | 'ndjson';

export interface AcceptOptions {
  /** The key's team: events may leave theirs out and may name no other. null: an installation key, every event names its team. */
  readonly team: TeamId | null;
  readonly format: BodyFormat;
}

export interface Rejected {
  /** Position in the array, or line number from 0. */
  readonly index: number;
  readonly id: string | null;
  readonly code: RejectionCode;
  readonly path: string;
  readonly message: string;
}

export interface AcceptResult {
  readonly accepted: number;
  readonly duplicates: number;
  readonly rejected: readonly Rejected[];
  readonly appended: readonly {
    readonly teamId: TeamId;
    readonly firstSequence: Sequence;
    readonly lastSequence: Sequence;
  }[];
}

/** Ingest: parses, validates, normalises and serialises each event once, appends the good ones, judges each alone. */
export interface Accept {
  /**
   * `body` is decompressed UTF-8. Resolves when everything counted as accepted is durable.
   * Rejects with BadBody (unparsable or empty body, too many events), StoreUnavailable, or Overloaded.
   */
  accept(body: Buffer, options: AcceptOptions): Promise<AcceptResult>;
}

export interface AcceptLimits {
  /** Events of one body. */
  readonly events: number;
  /** Bytes of one event: of its line, or of its JSON without spaces. */
  readonly eventBytes: number;
  /**
   * Bytes of all bodies that are being accepted at the same moment; half of them are for one sender. One alone is always
   * taken, and small ones still when the large ones fill it.
   */
  readonly bytesInFlight: number;
}

export interface AcceptParts {
  readonly log: Pick<EventLog, 'append'>;
  readonly clock: Pick<Clock, 'now'>;
  /** Asked for teams named under an installation key. Absent: unknown teams are created on first sight. */
  readonly isTeamKnown?: (team: TeamId) => Promise<boolean>;
  readonly limits?: Partial<AcceptLimits>;
}

/** Too much is being accepted at this moment; nothing of the body was kept. */
export class Overloaded extends Error {
  readonly code = 'overloaded';
  readonly retryAfterSeconds = 1;
  constructor() {
    super('too many events are being accepted at this moment; send these again later');
    this.name = 'Overloaded';
  }
}

const DEFAULT_LIMITS: AcceptLimits = { events: 10_000, eventBytes: 256 * 1024, bytesInFlight: 64 * 1024 * 1024 };
/** An event so many times longer than its limit is not even parsed: no sensible spacing makes it so. */
const UNREAD_FACTOR = 8;
/** After so many events, some milliseconds, other requests get their turn. */
const EVENTS_PER_TURN = 100;
/** How much longer than they were sent events are expected to be at most, in the canonical form. */
const GROWTH = 1.25;
/** All keys of the installation are one sender. */
const INSTALLATION = '';

export function createAccept({ log, clock, isTeamKnown, limits }: AcceptParts): Accept {
  const { events, eventBytes, bytesInFlight } = { ...DEFAULT_LIMITS, ...limits };
  const admission = createAdmission(bytesInFlight);

  async function judgeAll(body: Buffer, { team, format }: AcceptOptions) {
    const now = clock.now();
    const good = new EventPacker(body.length * GROWTH);
    const sent: Sent = { indexes: [], teams: [] };
    const rejected: Rejected[] = [];
    const known = new Map<TeamId, boolean>();
    let judged = 0;
    const arrival = { team, now };
    const readSealed: ReadSealed = (begin) => {
      const event = asSealed(body, begin, arrival);
      return event && event.end - begin <= eventBytes ? event : undefined;
    };
    for (const item of itemsOf(body, format, { events, unreadBytes: UNREAD_FACTOR * eventBytes }, readSealed)) {
      if (judged > 0 && judged % EVENTS_PER_TURN === 0) await setImmediate();
      judged++;
      let verdict = item.sealed ?? judge(item, arrival, eventBytes);
      if (team === null && isTeamKnown && !('code' in verdict)) {
        if (!known.has(verdict.team)) known.set(verdict.team, await isTeamKnown(verdict.team));
        if (!known.get(verdict.team))
          verdict = reject('unknown_team', 'context.teamId', 'the id of an existing team', verdict.team);
      }
      if ('code' in verdict) rejected.push({ index: item.index, id: sentId(item.sent), ...verdict });
      else {
        sent.teams.push('json' in verdict ? good.add(verdict) : good.addSealed(verdict, body));
        sent.indexes.push(item.index);
      }
    }
    return { events: good.finish(), sent, rejected };
  }

  /** Not async: while the events wait for their commit, nothing here holds on to them. */
  function appended({ events, sent, rejected }: Awaited<ReturnType<typeof judgeAll>>): Promise<AcceptResult> {
    const { names, ids } = events.packed;
    const outcomes = events.length > 0 ? log.append(events) : Promise.resolve([]);
    return outcomes.then((known) => resultOf({ ...sent, names, ids }, known, rejected));
  }

  return {
    async accept(body, options) {
      const place = admission.enter(options.team ?? INSTALLATION, body.length);
      if (!place) throw new Overloaded();
      try {
        return await appended(await place.inTurn(() => judgeAll(body, options)));
      } finally {
        place.leave();
      }
    },
  };
}

/** What the answer needs of the events that are handed to the log: as columns, which are small while they wait. */
interface Sent {
  readonly indexes: number[];
  /** Places among the packed names. */
  readonly teams: number[];
}

function judge(item: SentItem, arrival: Arrival, maxBytes: number): NewEvent | Rejection {
  if (item.isUnread) return tooLarge(maxBytes);
  if (item.error !== undefined) return { code: 'invalid_json', path: '', message: `not JSON: ${item.error}` };
  const verdict = normalise(item.sent, arrival);
  if ('code' in verdict) return verdict;
  // Sealing shortens by a small factor at most (escapes, values sent twice), so most events need no measuring.
  const isLarge = exceeds(item.line ?? verdict.json, maxBytes / 8) && exceeds(textOf(item), maxBytes);
  return isLarge ? tooLarge(maxBytes) : verdict;
}

function tooLarge(maxBytes: number): Rejection {
  return { code: 'event_too_large', path: '', message: `an event has at most ${maxBytes} bytes` };
}

function exceeds(text: string, maxBytes: number): boolean {
  return text.length * 3 > maxBytes && Buffer.byteLength(text) > maxBytes;
}

/** The event as received: its line, or its part of an array without spaces. */
function textOf({ line, sent }: SentItem): string {
  return line ?? JSON.stringify(sent);
}

function sentId(sent: unknown): string | null {
  if (typeof sent !== 'object' || sent === null || !('id' in sent) || typeof sent.id !== 'string') return null;
  return sent.id.slice(0, 128);
}

function resultOf(
  { indexes, teams, names, ids }: Sent & Pick<Packed, 'names' | 'ids'>,
  outcomes: readonly Appended[],
  rejected: readonly Rejected[],
): AcceptResult {
  const refused: Rejected[] = [];
  let allIds: readonly string[] | undefined;
  const refuse = (i: number, why: Pick<Rejected, 'code' | 'path' | 'message'>): void => {
    allIds ??= ids.split('\n');
    refused.push({ index: indexes[i]!, id: allIds[i]!, ...why });
  };
  const appended = new Map<TeamId, { teamId: TeamId; firstSequence: Sequence; lastSequence: Sequence }>();
  let accepted = 0;
  let duplicates = 0;
  for (const [i, outcome] of outcomes.entries()) {
    if (outcome.kind === 'duplicate') duplicates++;
    else if (outcome.kind === 'team_deleted') {
      refuse(i, { code: 'unknown_team', path: 'context.teamId', message: 'the team was deleted' });
    } else if (outcome.kind === 'conflict') {
      const message = `another event with this id and other content has sequence ${outcome.sequence}`;
      refuse(i, { code: 'id_conflict', path: 'id', message });
    } else {
      accepted++;
      const { sequence } = outcome;
      const teamId = names[teams[i]!]!;
      const place = appended.get(teamId);
      if (place) place.lastSequence = sequence;
      else appended.set(teamId, { teamId, firstSequence: sequence, lastSequence: sequence });
    }
  }
  return {
    accepted,
    duplicates,
    rejected: [...rejected, ...refused].sort((a, b) => a.index - b.index),
    appended: [...appended.values()],
  };
}

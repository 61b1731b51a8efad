import type { Destination, Health } from '../../../src/contract/destinations.ts';
import { count, duration, STATES, type State } from '../../ui/words.ts';

/** What a destination's state says to people: the measured cause, the fix, and what becomes of the events. */
export interface StateLine {
  readonly word: string;
  /** What was measured, as a sentence without full stop. */
  readonly cause: string;
  /** What to do; null when there is nothing. */
  readonly fix: string | null;
  /** What is waiting, said in every state but a good one. */
  readonly waiting: string | null;
}

/** Since how long retrying before somebody should look, milliseconds: as alerts do. */
const PATIENCE_MS = 5 * 60_000;

export function stateLine(health: Health, siem: string, now: number): StateLine {
  const { state, since, lag } = health;
  const cause = sentence(health.cause ?? '');
  const waiting = [waitingSentence(lag.events), health.warning].filter(Boolean).join(' ');
  const word = stateWord(state, siem);
  const at = `since ${clock(since, now)}`;
  switch (state) {
    case 'pending':
      return {
        word,
        cause: lag.events > 0 ? 'The first events are on their way' : 'Nothing to forward has happened yet',
        fix: null,
        waiting: lag.events > 0 ? waiting : null,
      };
    case 'connected': {
      const last = health.lastSuccessAt ? `Last delivered ${clock(health.lastSuccessAt, now, true)}` : 'Connected';
      const left = lag.events > 0 ? `${count(lag.events)} on the way` : 'nothing waiting';
      return { word, cause: `${last}, ${left}`, fix: health.warning, waiting: null };
    }
    case 'retrying':
    case 'throttled':
      return { word, cause: `${cause} ${at}${nextTry(health, now)}`, fix: health.fix, waiting };
    case 'disconnected':
    case 'authentication_failed':
    case 'misconfigured':
      return { word, cause: `${cause || word} ${at}`, fix: health.fix, waiting };
    case 'paused':
      return {
        word,
        cause: `${cause || 'Paused'} at ${clock(since, now)}; events are kept until you resume`,
        fix: null,
        waiting,
      };
    default:
      return state satisfies never;
  }
}

/** Red states at once, amber ones when they last. Somebody should look. */
export function needsAttention({ state, since }: Pick<Health, 'state' | 'since'>, now: number): boolean {
  const { mood } = STATES[state];
  return mood === 'bad' || (mood === 'patient' && now - Date.parse(since) > PATIENCE_MS);
}

/** Whether `needsAttention` can be true of it: those whose health is worth asking for. */
export function mayNeedAttention({ state }: Pick<Destination, 'state'>): boolean {
  return STATES[state].mood === 'bad' || STATES[state].mood === 'patient';
}

/** The line of the banner: what happened since when, and what became of the events. */
export function bannerLine({ name }: Pick<Destination, 'name'>, health: Health, now: number): string {
  const cause = health.cause ? ` – ${lowerFirst(health.cause.replace(/\.$/, ''), name)}` : '';
  const { events } = health.lag;
  const waits =
    events === 0
      ? 'Nothing is waiting yet; new events will be kept.'
      : `${count(events, 'event')} ${events === 1 ? 'is' : 'are'} waiting, none is lost.`;
  return `${name} has not accepted events since ${clock(health.since, now)}${cause}. ${waits}`;
}

/** The sentence a frightened admin looks for. */
function waitingSentence(events: number): string {
  if (events === 0) return 'Nothing is waiting. None is lost.';
  return `${count(events, 'event')} ${events === 1 ? 'is' : 'are'} waiting. None is lost.`;
}

function stateWord(state: State, siem: string): string {
  return state === 'throttled' ? `${STATES[state].word} by ${siem}` : STATES[state].word;
}

/** 10:42, with its date where that is not today's; UTC, as everywhere. */
export function clock(at: string, now: number, seconds = false): string {
  const isToday = at.slice(0, 10) === new Date(now).toISOString().slice(0, 10);
  return `${isToday ? '' : `${at.slice(0, 10)} `}${at.slice(11, seconds ? 19 : 16)} UTC`;
}

function nextTry({ nextAttemptAt }: Health, now: number): string {
  if (nextAttemptAt === null) return '';
  const seconds = (Date.parse(nextAttemptAt) - now) / 1000;
  return seconds < 1 ? ', trying again now' : `, next try in ${duration(seconds)}`;
}

/** A cause as a sentence's begin; host names stay as they are written. */
function sentence(cause: string): string {
  const bare = cause.replace(/\.$/, '');
  return /^[a-z]+ /.test(bare) ? bare[0]!.toUpperCase() + bare.slice(1) : bare;
}

/** The fix, with the addresses that a firewall must let in, where they are known. */
export function withAddresses(fix: string, addresses: readonly string[]): string {
  return addresses.length === 0 ? fix : fix.replace('our IP addresses', new Intl.ListFormat('en').format(addresses));
}

/** A cause within a sentence that has named the destination; other names keep their capital. */
function lowerFirst(cause: string, name: string): string {
  if (cause.startsWith(`${name} `)) return `it ${cause.slice(name.length + 1)}`;
  return /^(The|A|An|It|No|Token|Asked|Answered) /.test(cause) ? cause[0]!.toLowerCase() + cause.slice(1) : cause;
}

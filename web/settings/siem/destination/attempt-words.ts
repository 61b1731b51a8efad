import type { Mood } from '../../../ui/words.ts';
import type { Attempt } from '../model.ts';

export const ATTEMPT_KINDS: Readonly<Record<Attempt['kind'], string>> = {
  delivery: 'Delivery',
  redrive: 'Dead letters again',
  replay: 'Replay',
  check: 'Check',
  test: 'Test',
};

interface OutcomeWords {
  readonly word: string;
  readonly mark: string;
  readonly mood: Mood;
}
const OUTCOMES: Readonly<Record<Attempt['outcome'], OutcomeWords>> = {
  delivered: { word: 'Delivered', mark: '✓', mood: 'good' },
  partial: { word: 'Delivered in part', mark: '◐', mood: 'patient' },
  retry: { word: 'Failed, tried again', mark: '↻', mood: 'patient' },
  throttled: { word: 'Asked to wait', mark: '◔', mood: 'patient' },
  refused: { word: 'Refused', mark: '✕', mood: 'bad' },
  misconfigured: { word: 'Held', mark: '▲', mood: 'bad' },
};

/** What an attempt found: a check sends nothing, so nothing is delivered by it. */
export function outcomeWords({ kind, outcome }: Pick<Attempt, 'kind' | 'outcome'>): OutcomeWords {
  return kind === 'check' && outcome === 'delivered'
    ? { ...OUTCOMES.delivered, word: 'Answers again' }
    : OUTCOMES[outcome];
}

/** Of how many events how many were taken: 500, or 12 of 500. */
export function deliveredOf(
  { events, delivered }: Pick<Attempt, 'events' | 'delivered'>,
  format: (n: number) => string,
): string {
  if (events === 0) return '–';
  return delivered === events ? format(events) : `${format(delivered)} of ${format(events)}`;
}

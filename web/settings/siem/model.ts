import type { Static } from 'typebox';
import type {
  Attempt as AttemptSchema,
  DeadLetterList,
  Destination,
  Health,
  KindList,
  Replay as ReplaySchema,
  TestResult,
  Timeline,
} from '../../../src/contract/destinations.ts';
import type { CategoryList } from '../../../src/contract/events.ts';

/* The API's types, by the names these pages use. */

export type Kind = Static<typeof KindList>['items'][number];
export type Setting = Kind['settings'][number];
export type Step = Static<typeof TestResult>['steps'][number];
export type Attempt = Static<typeof AttemptSchema>;
export type DeadLetter = Static<typeof DeadLetterList>['items'][number];
export type Replay = Static<typeof ReplaySchema>;
export type Category = Static<typeof CategoryList>['items'][number];
export type TimelineBucket = Timeline['buckets'][number];

/** A SIEM as sentences name it: Elastic, not Elastic (ELK Stack). */
export function siemName({ title }: Pick<Kind, 'title'>): string {
  return title.replace(/ \(.*\)$/, '');
}

/** A list as the API answers it. */
export interface List<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

/** A destination with how it stands. */
export interface Standing {
  readonly destination: Destination;
  readonly health: Health;
}

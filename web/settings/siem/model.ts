import type { Static } from 'typebox';
import type {
  Attempt as AttemptSchema,
  DeadLetterList,
  Destination,
  Health,
  KindList,
  Replay as ReplaySchema,
  TestResult,
} from '../../../src/contract/destinations.ts';
import type { CategoryList } from '../../../src/contract/events.ts';

/* The API's types, by the names these pages use. */

export interface GuideStep {
  readonly text: string;
  /** The setting whose value the step ends with. */
  readonly setting?: string;
  /** Who in the company can do it. */
  readonly who?: string;
}
export type Kind = Static<typeof KindList>['items'][number] & {
  /** One line: what is needed, and who has it. */
  readonly needs?: string;
  readonly guide?: readonly GuideStep[];
};
export type Setting = Kind['settings'][number];
export type Step = Static<typeof TestResult>['steps'][number];
export type Attempt = Static<typeof AttemptSchema>;
export type DeadLetter = Static<typeof DeadLetterList>['items'][number];
export type Replay = Static<typeof ReplaySchema>;
export type Category = Static<typeof CategoryList>['items'][number];

/** A destination with how it stands. */
export interface Standing {
  readonly destination: Destination;
  readonly health: Health;
}

/** Deliveries over time: what was delivered, attempts that delivered nothing, and how far behind. */
export interface Timeline {
  readonly unit: 'minute' | 'hour';
  readonly buckets: readonly TimelineBucket[];
}
export interface TimelineBucket {
  readonly at: string;
  readonly delivered: number;
  readonly failed: number;
  readonly lagSeconds: number | null;
}

import type { Health } from '../../../../src/contract/destinations.ts';
import type { Setting, Step } from '../model.ts';

/** One line of "Test connection". */
export interface StepLine {
  readonly name: string;
  readonly title: string;
  readonly status: 'ok' | 'failed' | 'running' | 'waiting';
  readonly step: Step | null;
}

/** Steps that every test takes, unless one before them fails. Others, such as a permission, appear as they come. */
const PLANNED = ['address', 'tls', 'credential', 'write'];
const TITLES: Readonly<Record<string, string>> = {
  address: 'Address',
  tls: 'TLS',
  permission: 'Permission',
  index: 'Index',
  stream: 'Stream',
  write: 'Test event',
};

/** The lines of a test: what was found, what is being looked at, and what is still to come. */
export function stepLines(
  steps: readonly Step[],
  isRunning: boolean,
  settings: readonly Setting[],
): readonly StepLine[] {
  const found = steps.map(({ name }) => name);
  // Past it without having seen it: there is no TLS with http.
  const last = Math.max(-1, ...found.map((name) => PLANNED.indexOf(name)));
  const rest = PLANNED.filter((name, at) => at > last && !found.includes(name));
  const goesOn = isRunning && steps.every(({ ok }) => ok);
  return [
    ...steps.map(
      (step): StepLine => ({
        name: step.name,
        title: titleOf(step.name, settings),
        status: step.ok ? 'ok' : 'failed',
        step,
      }),
    ),
    ...rest.map(
      (name, at): StepLine => ({
        name,
        title: titleOf(name, settings),
        status: goesOn && at === 0 ? 'running' : 'waiting',
        step: null,
      }),
    ),
  ];
}

/** The field that mends a failed step: one that its words name, else the one the step is about. */
export function fieldOfStep({ name, fix = '', detail }: Step, settings: readonly Setting[]): Setting | undefined {
  const byName = (...names: string[]) => settings.find((setting) => names.includes(setting.name));
  const address = settings.find(({ input }) => input === 'url') ?? byName('endpointUrl');
  const credential = settings.find(({ secret, required }) => secret && required);
  const place = byName('index', 'streamName', 'logSource', 'service');
  const words = `${fix} ${detail}`.toLowerCase();
  const [named] = settings
    .filter(({ title }) => words.includes(title.toLowerCase()))
    .sort((a, b) => b.title.length - a.title.length);
  switch (name) {
    case 'address':
      return address;
    case 'tls':
      return named ?? byName('caCertificate') ?? address;
    case 'credential':
      return named ?? credential;
    default:
      return named ?? place ?? credential;
  }
}

/** The field that mends a destination in a bad state; undefined: no field does, or nothing is wrong. */
export function fieldToMend(
  { state, cause, fix }: Pick<Health, 'state' | 'cause' | 'fix'>,
  settings: readonly Setting[],
): Setting | undefined {
  const name = MENDED_BY[state];
  return name === undefined
    ? undefined
    : fieldOfStep({ name, ok: false, detail: cause ?? '', fix: fix ?? '', ms: 0 }, settings);
}

/** The step of a test that would fail in a state. */
const MENDED_BY: Readonly<Partial<Record<Health['state'], string>>> = {
  authentication_failed: 'credential',
  disconnected: 'address',
  misconfigured: 'write',
};

/** What the button beside a failed step says: [Replace HEC Token], [Correct Endpoint URL]. */
export function remedy({ title, secret, required, input }: Setting): string {
  return secret ? `Replace ${title}` : `${required || input === 'url' ? 'Correct' : 'Enter'} ${title}`;
}

function titleOf(name: string, settings: readonly Setting[]): string {
  if (name === 'credential') return settings.find(({ secret, required }) => secret && required)?.title ?? 'Credential';
  return TITLES[name] ?? `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}

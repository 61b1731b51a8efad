import type { Destination } from '../../../../src/contract/destinations.ts';
import type { Setting } from '../model.ts';

/** What stands in the form's fields, by setting. A secret that is kept has no value. */
export type Values = Readonly<Record<string, string | boolean>>;
export type Sent = Record<string, string | boolean | null>;

/** The fields as the form opens: the destination's settings, else the defaults. */
export function initialValues(settings: readonly Setting[], destination?: Destination): Values {
  return Object.fromEntries(
    settings.map(({ name, input, secret, default: preset }) => {
      const kept = secret ? undefined : (destination?.settings[name] ?? preset);
      return [name, input === 'flag' ? kept === true : typeof kept === 'string' ? kept : ''];
    }),
  );
}

/** Whether a secret is stored: it need not be entered again. */
export function isSet(name: string, destination?: Destination): boolean {
  const shown = destination?.settings[name];
  return typeof shown === 'object' && shown !== null && 'set' in shown && shown.set === true;
}

/** The required ones that have no value yet. */
export function missing(settings: readonly Setting[], values: Values, destination?: Destination): readonly Setting[] {
  return settings.filter(({ name, required }) => required && isEmpty(values[name]) && !isSet(name, destination));
}

/** All that stands in the form, as the API takes a new destination's settings or those to be tested. */
export function newSettings(settings: readonly Setting[], values: Values): Sent {
  return Object.fromEntries(
    settings.flatMap(({ name }) => (isEmpty(values[name]) ? [] : [[name, trimmed(values[name]!)]])),
  );
}

/** What differs from the destination: null takes a value away, a secret is sent only when it is replaced or `removed`. */
export function changedSettings(
  settings: readonly Setting[],
  values: Values,
  destination: Destination,
  removed: ReadonlySet<string> = new Set(),
): Sent {
  const before = initialValues(settings, destination);
  return Object.fromEntries(
    settings.flatMap(({ name, secret }): [string, string | boolean | null][] => {
      if (removed.has(name)) return [[name, null]];
      const value = trimmed(values[name]!);
      if (value === before[name]) return [];
      if (isEmpty(value)) return secret ? [] : [[name, null]];
      return [[name, value]];
    }),
  );
}

/** Messages beside fields from the problems the API named: `settings.token` → `token`; others by their own path. */
export function fieldErrors(
  errors: readonly { readonly path: string; readonly message: string }[],
  settings: readonly Setting[],
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    errors.map(({ path, message }) => {
      const name = path.replace(/^settings\./, '');
      const title = settings.find((setting) => setting.name === name)?.title ?? 'It';
      return [name, `${title} ${message}${/[.?!]$/.test(message) ? '' : '.'}`];
    }),
  );
}

/** Required ones first, each group in the kind's own order. */
export function byNeed(settings: readonly Setting[]): { required: readonly Setting[]; more: readonly Setting[] } {
  return { required: settings.filter((s) => s.required), more: settings.filter((s) => !s.required) };
}

/** Splunk, else Splunk 2, Splunk 3 …: a name that no destination has. */
export function freeName(title: string, taken: readonly string[]): string {
  if (!taken.includes(title)) return title;
  let number = 2;
  while (taken.includes(`${title} ${number}`)) number++;
  return `${title} ${number}`;
}

function isEmpty(value: string | boolean | undefined): boolean {
  return value === undefined || (typeof value === 'string' && value.trim() === '');
}

function trimmed(value: string | boolean): string | boolean {
  return typeof value === 'string' ? value.trim() : value;
}

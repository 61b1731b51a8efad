import type { Filter } from '../contract/destinations.ts';
import type { DestinationFilter } from '../delivery/delivery.ts';
import { secretOwner } from '../delivery/open-destination.ts';
import type { DestinationKind, SettingProblem } from '../destinations/destination.ts';
import { describeSettings, joinSecrets, parseSettings, splitSecrets } from '../destinations/settings.ts';
import { canonicalType } from '../event/catalogue.ts';
import type { Secret, SecretBox } from '../secrets.ts';
import type { StoredDestination } from '../store/destinations.ts';
import { problem } from './problem.ts';

/** Settings as the API shows them: a secret only as set or not set. */
export function shownSettings(kind: DestinationKind | undefined, stored: StoredDestination): Record<string, unknown> {
  const secrets = kind
    ? describeSettings(kind)
        .filter((s) => s.secret)
        .map((s) => s.name)
    : Object.keys(stored.sealed);
  return { ...stored.settings, ...Object.fromEntries(secrets.map((name) => [name, { set: name in stored.sealed }])) };
}

type KeptSettings = Pick<StoredDestination, 'settings' | 'sealed'>;

/** Settings as sent → as kept, secrets sealed. Throws the 422 that lists every wrong field. */
export function newSettings(
  kind: DestinationKind,
  id: string,
  sent: Record<string, unknown>,
  box: SecretBox,
): KeptSettings {
  const { open, secrets } = checked(kind, sent);
  return { settings: open, sealed: mapValues(secrets, (secret, name) => box.seal(secret, secretOwner(id, name))) };
}

/**
 * Kept settings with those sent on top: null removes one, a secret that is not sent (or sent as it is shown) stays.
 * Throws the 422 that lists every wrong field of the result.
 */
export function changedSettings(
  kind: DestinationKind,
  stored: StoredDestination,
  sent: Record<string, unknown>,
  box: SecretBox,
): KeptSettings {
  const kept = openSecrets(stored, box);
  const asShown = (name: string): boolean =>
    typeof sent[name] === 'object' && sent[name] !== null && 'set' in sent[name];
  const values = Object.fromEntries(Object.entries(sent).filter(([name]) => !asShown(name)));
  const { open, secrets } = checked(kind, { ...stored.settings, ...kept, ...values });
  const sealed = mapValues(secrets, (secret, name) => {
    const before = kept[name]?.reveal() === secret.reveal() ? stored.sealed[name] : undefined;
    return before ?? box.seal(secret, secretOwner(stored.id, name));
  });
  return { settings: open, sealed };
}

/** Kept settings as the kind takes them. Throws the 422 that names secrets which do not open any more. */
export function openedSettings(kind: DestinationKind, stored: KeptSettings & { readonly id: string }, box: SecretBox) {
  const secrets = openSecrets(stored, box);
  const lost = Object.keys(stored.sealed).filter((name) => !secrets[name]);
  if (lost.length === 0) return joinSecrets(kind, stored.settings, secrets);
  const message = 'was sealed under another master key: enter it again';
  throw wrongSettings(lost.map((field) => ({ field, message })));
}

/** A filter as kept: older type names become the catalogue's. What is not sent stays as in `before`. */
export function keptFilter(sent: Filter, before: DestinationFilter = ALL): DestinationFilter {
  const { categories = before.categories, eventTypes = before.eventTypes, newCategories = before.newCategories } = sent;
  return {
    categories: categories && [...new Set(categories)],
    eventTypes: eventTypes && [...new Set(eventTypes.map(canonicalType))],
    newCategories,
  };
}

/** The filter in force for new events. */
export function currentFilter({ filters }: StoredDestination): DestinationFilter {
  const { categories, eventTypes, newCategories } = filters.at(-1) ?? ALL;
  return { categories, eventTypes, newCategories };
}

/** What differs, for an audit event; of secrets only that they do. undefined: nothing. */
export function differences(before: Partial<StoredDestination>, after: Partial<StoredDestination>) {
  const [previous, current] = [flat(before), flat(after)];
  const names = Object.keys({ ...previous, ...current });
  const changed = names.filter((name) => JSON.stringify(previous[name]) !== JSON.stringify(current[name]));
  if (changed.length === 0) return undefined;
  const secrets = new Set([before, after].flatMap(({ sealed }) => Object.keys(sealed ?? {})));
  const pick = (from: Record<string, unknown>) =>
    Object.fromEntries(
      changed
        .filter((name) => from[name] !== undefined)
        .map((name) => [name, secrets.has(name) ? '[changed]' : from[name]]),
    );
  return { previous: pick(previous), current: pick(current) };
}

const ALL: DestinationFilter = { categories: null, eventTypes: null, newCategories: true };

function checked(kind: DestinationKind, sent: Record<string, unknown>) {
  const parsed = parseSettings(kind, sent);
  if (parsed.ok) return splitSecrets(kind, parsed.settings);
  throw wrongSettings(parsed.problems);
}

function wrongSettings(problems: readonly SettingProblem[]) {
  const errors = problems.map(({ field, message }) => ({ path: field ? `settings.${field}` : 'settings', message }));
  return problem('invalid_settings', errors.map((e) => `${e.path} ${e.message}`).join('; '), { errors });
}

/** Those that open: after the loss of a master key the others must be sent anew, and the missing ones are named. */
function openSecrets(stored: Pick<StoredDestination, 'id' | 'sealed'>, box: SecretBox): Record<string, Secret> {
  const secrets: Record<string, Secret> = {};
  for (const [name, sealed] of Object.entries(stored.sealed)) {
    try {
      secrets[name] = box.open(sealed, secretOwner(stored.id, name));
    } catch {}
  }
  return secrets;
}

function flat({ settings, sealed, name, parallel, lingerMs }: Partial<StoredDestination>): Record<string, unknown> {
  return { ...settings, ...sealed, name, parallel, lingerMs };
}

function mapValues<V, W>(object: Readonly<Record<string, V>>, map: (value: V, name: string) => W): Record<string, W> {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, map(value, name)]));
}

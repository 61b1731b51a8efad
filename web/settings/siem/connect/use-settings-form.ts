import { useEffect, useState } from 'react';
import type { Destination } from '../../../../src/contract/destinations.ts';
import { ApiProblem } from '../../../api/problem.ts';
import type { Setting } from '../model.ts';
import { cleanPaste } from './paste.ts';
import {
  changedSettings,
  fieldErrors,
  initialValues,
  isSet,
  missing,
  newSettings,
  type Sent,
  type Values,
} from './settings-values.ts';

/** The state of a destination's form: values, what was cleaned from them, what is wrong with them, and the focus. */
export interface SettingsForm {
  readonly settings: readonly Setting[];
  readonly destination: Destination | undefined;
  readonly values: Values;
  readonly errors: Readonly<Record<string, string>>;
  /** What was removed from a pasted value, by field. */
  readonly notes: Readonly<Record<string, string>>;
  /** Stored secrets that a new value shall replace, and those that shall go. */
  readonly replaced: ReadonlySet<string>;
  readonly removed: ReadonlySet<string>;
  /** The setting whose field has, or last had, the focus. */
  readonly focused: string | null;
  readonly isComplete: boolean;
  readonly more: boolean;
  /** The settings as the API takes them: all of a new destination, the changed ones of one that there is. */
  sent(): Sent;
  set(name: string, value: string | boolean): void;
  /** Cleans what was pasted or typed, and says what it took off. */
  clean(setting: Setting, value: string): void;
  replace(name: string, isReplaced: boolean): void;
  remove(name: string, isRemoved: boolean): void;
  setFocused(name: string): void;
  setMore(more: boolean): void;
  /** Puts the focus into a field, unfolding it. */
  focus(name: string): void;
  /** Shows what the service found wrong; false: nothing that a field could show. */
  showProblem(error: unknown): boolean;
  /** Whether everything required is there; says beside the fields what is not. */
  check(): boolean;
}

export function useSettingsForm(settings: readonly Setting[], destination?: Destination): SettingsForm {
  const [values, setValues] = useState(() => initialValues(settings, destination));
  const [errors, setErrors] = useState<Readonly<Record<string, string>>>({});
  const [notes, setNotes] = useState<Readonly<Record<string, string>>>({});
  const [replaced, setReplaced] = useState<ReadonlySet<string>>(new Set());
  const [removed, setRemoved] = useState<ReadonlySet<string>>(new Set());
  const [focused, setFocused] = useState<string | null>(null);
  const [more, setMore] = useState(false);
  const [wanted, setWanted] = useState<string | null>(null);

  // After rendering: the field may have been folded away, or a button until now.
  useEffect(() => {
    if (wanted === null) return;
    document.getElementById(fieldId(wanted))?.focus();
    setWanted(null);
  }, [wanted]);

  const focus = (name: string): void => {
    if (settings.some((setting) => setting.name === name && !setting.required)) setMore(true);
    if (isSet(name, destination)) setReplaced((names) => new Set(names).add(name));
    setWanted(name);
  };
  const set = (name: string, value: string | boolean): void => {
    setValues((before) => ({ ...before, [name]: value }));
    setErrors((before) => without(before, name));
    setNotes((before) => without(before, name));
  };
  const show = (found: Readonly<Record<string, string>>): void => {
    setErrors(found);
    const first = settings.find(({ name }) => name in found);
    if (first) focus(first.name);
  };

  return {
    ...{ settings, destination, values, errors, notes, replaced, removed, focused, more },
    ...{ set, setFocused, setMore, focus },
    isComplete: missing(settings, values, destination).length === 0,
    sent: () => (destination ? changedSettings(settings, values, destination, removed) : newSettings(settings, values)),
    clean: (setting, value) => {
      const cleaned = cleanPaste(setting, value);
      if (cleaned.value !== value || values[setting.name] !== value) set(setting.name, cleaned.value);
      if (cleaned.removed !== null) setNotes((before) => ({ ...before, [setting.name]: cleaned.removed! }));
    },
    replace: (name, isReplaced) => {
      set(name, '');
      setReplaced((names) => toggled(names, name, isReplaced));
      if (isReplaced) setWanted(name);
    },
    remove: (name, isRemoved) => setRemoved((names) => toggled(names, name, isRemoved)),
    showProblem: (error) => {
      const found = error instanceof ApiProblem ? fieldErrors(error.errors, settings) : {};
      setErrors(found);
      return settings.some(({ name }) => name in found);
    },
    check: () => {
      const absent = missing(settings, values, destination).filter(({ name }) => !removed.has(name));
      if (absent.length > 0) show(Object.fromEntries(absent.map(({ name, title }) => [name, `${title} is required.`])));
      return absent.length === 0;
    },
  };
}

/** The field's id in the page. */
export function fieldId(name: string): string {
  return `setting-${name}`;
}

function without<V>(all: Readonly<Record<string, V>>, name: string): Readonly<Record<string, V>> {
  if (!(name in all)) return all;
  const { [name]: _, ...rest } = all;
  return rest;
}

function toggled(names: ReadonlySet<string>, name: string, isIn: boolean): ReadonlySet<string> {
  const next = new Set(names);
  if (isIn) next.add(name);
  else next.delete(name);
  return next;
}

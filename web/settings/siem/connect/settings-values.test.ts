import { describe, expect, it } from 'vitest';
import type { Destination } from '../../../../src/contract/destinations.ts';
import type { Setting } from '../model.ts';
import {
  byNeed,
  changedSettings,
  fieldErrors,
  freeName,
  initialValues,
  missing,
  newSettings,
} from './settings-values.ts';

const setting = (name: string, more: Partial<Setting> = {}): Setting => ({
  ...{ name, title: name, description: '', input: 'text', required: true, secret: false },
  ...more,
});
const SETTINGS = [
  setting('endpointUrl', { input: 'url', title: 'Endpoint URL' }),
  setting('token', { input: 'secret', secret: true, title: 'HEC Token' }),
  setting('source', { required: false }),
  setting('header', { required: false, default: 'SEC' }),
  setting('acknowledge', { input: 'flag', required: false }),
];
const destination: Destination = {
  ...{ id: 'd', teamId: 't', kind: 'splunk', name: 'SOC', state: 'connected', parallel: 1, lingerMs: 0 },
  ...{ createdAt: '2026-11-22T10:00:00.000Z', updatedAt: '2026-11-22T10:00:00.000Z' },
  settings: { endpointUrl: 'https://a', token: { set: true }, source: 'x', header: 'SEC', acknowledge: true },
  filter: { categories: null, eventTypes: null, newCategories: true, knownCategories: [] },
};

describe('the form’s values', () => {
  it('open with defaults, or with what the destination has, never with a secret', () => {
    expect(initialValues(SETTINGS)).toEqual({
      endpointUrl: '',
      token: '',
      source: '',
      header: 'SEC',
      acknowledge: false,
    });
    expect(initialValues(SETTINGS, destination)).toMatchObject({
      endpointUrl: 'https://a',
      token: '',
      acknowledge: true,
    });
  });

  it('are complete when every required one has a value, or is a secret that is kept', () => {
    const values = { ...initialValues(SETTINGS), endpointUrl: ' ' };
    expect(missing(SETTINGS, values).map(({ name }) => name)).toEqual(['endpointUrl', 'token']);
    expect(missing(SETTINGS, initialValues(SETTINGS, destination), destination)).toEqual([]);
  });

  it('go out trimmed, empty ones left out', () => {
    const values = { ...initialValues(SETTINGS), endpointUrl: ' https://a ', token: 't' };
    expect(newSettings(SETTINGS, values)).toEqual({
      endpointUrl: 'https://a',
      token: 't',
      header: 'SEC',
      acknowledge: false,
    });
  });

  it('go out as a change: what differs, null for what was taken away, secrets only when replaced', () => {
    const values = initialValues(SETTINGS, destination);
    expect(changedSettings(SETTINGS, values, destination)).toEqual({});
    expect(changedSettings(SETTINGS, { ...values, source: '', acknowledge: false }, destination)).toEqual({
      source: null,
      acknowledge: false,
    });
    expect(changedSettings(SETTINGS, { ...values, token: 'new' }, destination)).toEqual({ token: 'new' });
    expect(changedSettings(SETTINGS, values, destination, new Set(['token']))).toEqual({ token: null });
  });
});

it('shows the API’s problems beside their fields, by label', () => {
  const errors = [
    { path: 'settings.token', message: 'is required' },
    { path: 'startAt', message: 'must be a time.' },
  ];
  expect(fieldErrors(errors, SETTINGS)).toEqual({ token: 'HEC Token is required.', startAt: 'It must be a time.' });
});

it('puts what is required first', () => {
  expect(byNeed(SETTINGS).more.map(({ name }) => name)).toEqual(['source', 'header', 'acknowledge']);
});

it('finds a name that is free', () => {
  expect(freeName('Splunk', [])).toBe('Splunk');
  expect(freeName('Splunk', ['Splunk', 'Splunk 2'])).toBe('Splunk 3');
});

import { describe, expect, it } from 'vitest';
import type { Setting, Step } from '../model.ts';
import { fieldOfStep, fieldToMend, remedy, stepLines } from './test-steps.ts';

const setting = (name: string, title: string, more: Partial<Setting> = {}): Setting => ({
  ...{ name, title, description: '', input: 'text', required: true, secret: false },
  ...more,
});
const SETTINGS = [
  setting('endpointUrl', 'Endpoint URL', { input: 'url' }),
  setting('token', 'HEC Token', { input: 'secret', secret: true }),
  setting('index', 'Index'),
  setting('caCertificate', 'CA certificate', { input: 'certificate', required: false }),
];
const ok = (name: string): Step => ({ name, ok: true, detail: 'fine', ms: 3 });
const failed = (name: string, fix: string): Step => ({ name, ok: false, detail: 'no', fix, ms: 3 });
const shown = (steps: readonly Step[], isRunning: boolean) =>
  stepLines(steps, isRunning, SETTINGS).map(({ title, status }) => `${title} ${status}`);

describe('stepLines', () => {
  it('shows what is looked at now and what is still to come', () => {
    expect(shown([ok('address')], true)).toEqual([
      'Address ok',
      'TLS running',
      'HEC Token waiting',
      'Test event waiting',
    ]);
  });

  it('leaves the rest waiting after the one that failed', () => {
    expect(shown([ok('address'), ok('tls'), failed('credential', 'x')], false)).toEqual([
      'Address ok',
      'TLS ok',
      'HEC Token failed',
      'Test event waiting',
    ]);
  });

  it('does not wait for TLS where there is none, and shows steps it did not expect', () => {
    expect(shown([ok('address'), ok('credential'), ok('permission'), ok('write')], false)).toEqual([
      'Address ok',
      'HEC Token ok',
      'Permission ok',
      'Test event ok',
    ]);
  });
});

describe('fieldOfStep', () => {
  const fieldOf = (step: Step) => fieldOfStep(step, SETTINGS)?.name;
  it('leads to the field that the fix names, else to the one the step is about', () => {
    expect(fieldOf(failed('address', 'Check host and port'))).toBe('endpointUrl');
    expect(fieldOf(failed('tls', 'Paste the authority into “CA certificate”.'))).toBe('caCertificate');
    expect(fieldOf(failed('tls', 'Use the host name in the endpoint URL.'))).toBe('endpointUrl');
    expect(fieldOf(failed('credential', 'Create a new one.'))).toBe('token');
    expect(fieldOf(failed('write', 'Correct it.'))).toBe('index');
  });

  it('says what is done there', () => {
    expect(SETTINGS.map(remedy)).toEqual([
      'Correct Endpoint URL',
      'Replace HEC Token',
      'Correct Index',
      'Enter CA certificate',
    ]);
  });
});

describe('fieldToMend', () => {
  const mended = (state: 'authentication_failed' | 'disconnected' | 'misconfigured' | 'connected', cause: string) =>
    fieldToMend({ state, cause, fix: null }, SETTINGS)?.name;
  it('leads a bad state to the field that puts it right', () => {
    expect(mended('authentication_failed', 'Splunk answered “Invalid token”')).toBe('token');
    expect(mended('disconnected', 'no answer')).toBe('endpointUrl');
    expect(mended('misconfigured', 'Index secuirty does not exist')).toBe('index');
    expect(mended('connected', '')).toBeUndefined();
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Secret } from '../secrets.ts';
import { readable, withoutSecrets } from './redact.ts';

const VALUE = 'K"/+\\~ <s3cr3t-core>=&x';
const FORMS: readonly (readonly [how: string, form: (value: string) => string])[] = [
  ['as it is', (value) => value],
  ['within JSON', (value) => JSON.stringify(value)],
  ['within JSON that escapes slashes', (value) => JSON.stringify(value).replaceAll('/', '\\/')],
  ['within JSON within JSON', (value) => JSON.stringify(JSON.stringify(value))],
  ['in a URL', (value) => encodeURIComponent(value)],
  ['in a URL in lower case', (value) => encodeURIComponent(value).replace(/%../g, (code) => code.toLowerCase())],
  ['in a URL without capitals', (value) => encodeURIComponent(value).toLowerCase()],
  ['in capitals', (value) => value.toUpperCase()],
  ['in a form', (value) => `${new URLSearchParams({ value })}`],
  ['in a page', (value) => value.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;')],
  ['as base64', (value) => Buffer.from(value).toString('base64')],
  ['as base64 behind one byte', (value) => Buffer.from(`:${value}`).toString('base64')],
  ['as base64 behind two bytes', (value) => Buffer.from(`u:${value}`).toString('base64')],
  ['as base64 for URLs', (value) => Buffer.from(value).toString('base64url')],
  ['broken over lines', (value) => value.replace(/(.{5})/g, '$1\r\n ')],
  ['broken over lines within JSON', (value) => JSON.stringify(value.replace(/(.{5})/g, '$1\n'))],
  [
    'as base64 broken over lines',
    (value) =>
      Buffer.from(value)
        .toString('base64')
        .replace(/(.{8})/g, '$1\n'),
  ],
];

describe('a credential in a text', () => {
  it.each(FORMS)('is replaced %s', (_, form) => {
    const text = withoutSecrets(`said ${form(VALUE)} twice: ${form(VALUE)}`, [new Secret(VALUE)]);
    expect(text.replace(/\[secret\]/g, '')).not.toMatch(/s3c|cr3t|core|\w{7}/i);
    expect(text).toContain('[secret]');
    expect(text).toMatch(/^said .*: /s);
  });

  it.each(FORMS)('of any letters is replaced %s', (_, form) => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9]{4}[A-Za-z0-9._~+/-]{0,150}[A-Za-z0-9]{4}$/), (value) => {
        const left = withoutSecrets(form(value), [new Secret(value)]).replaceAll('[secret]', '');
        // The name of a form's field, and at each end of base64 what is also its neighbour's.
        expect(left.replace(/value=|\W/g, '').length, left).toBeLessThanOrEqual(7);
      }),
      { numRuns: 50 },
    );
  });

  it('is replaced when it is as long as a private key, and in its pieces', () => {
    const key = Array.from({ length: 50 }, (_, i) => `${i}`.padStart(64, 'Kx')).join('\n');
    const text = withoutSecrets(`{"sent":${JSON.stringify(key)}} and ${key.slice(0, 1000)}`, [new Secret(key)]);
    expect(text.replaceAll('[secret]', '').replace(/\\n|\n/g, '').length).toBeLessThan(100);
  });

  it('that is empty, or blank, is in no text', () => {
    expect(withoutSecrets('nothing', [new Secret(''), new Secret(' ')])).toBe('nothing');
  });

  it('leaves other words alone', () => {
    const text = 'Invalid token: a+b c/d %20 \\n &amp; YWJjZGVm';
    expect(withoutSecrets(text, [new Secret('another-one'), new Secret('x1')])).toBe(text);
  });

  it('leaves no piece where a text was cut', () => {
    const value = 'x7'.repeat(150);
    for (let before = 3_400; before < 4_010; before += 17) {
      const text = readable(`${' '.repeat(before)}${value} ${'y'.repeat(900)}`, [new Secret(value)]);
      expect(text).not.toContain('x7');
    }
  });

  it('is looked for quickly, in whatever text', () => {
    const secret = new Secret('n'.repeat(2_000));
    const started = performance.now();
    for (const text of ['n ', 'n\\n', '\\n', '%20n', 'nnnnnnnm', '+n'])
      readable(text.repeat(4_000), [secret, new Secret('naaaaaaaaaaaaaaaaab')]);
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});

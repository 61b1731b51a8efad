import { describe, expect, it } from 'vitest';
import { safeNext } from './next.ts';

const ORIGIN = 'https://audit.example.com';

describe('where to go after signing in', () => {
  it('is where one wanted to, with its filters', () => {
    expect(safeNext('/settings/audit-logs?status=failure&team=acme', ORIGIN)).toBe(
      '/settings/audit-logs?status=failure&team=acme',
    );
  });

  it.each([
    'https://evil.example/',
    '//evil.example/',
    '/\\evil.example',
    '\\\\evil.example',
    'javascript:alert(1)',
    '/\t/evil.example',
    'settings',
    '',
    undefined,
  ])('is never another site: %j', (next) => {
    expect(safeNext(next, ORIGIN)).toBe('/');
  });

  it('is not the sign-in again', () => {
    expect(safeNext('/sign-in?next=/sign-in', ORIGIN)).toBe('/');
  });
});

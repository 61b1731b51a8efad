import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { passwordFault } from './password-policy.ts';

const ANA = { email: 'ana.lind@acme.com', name: 'Ana-Sofía Lindqvist' };
const faultOf = (password: string) => passwordFault(password, ANA);

describe('a new password', () => {
  it('is long enough, counted in characters as people see them', () => {
    expect(faultOf('quiet otter')).toMatch(/at least 12 characters; this has 11/);
    expect(faultOf('quiet otters')).toBeUndefined();
    expect(faultOf('🦦🐢🐙🦉🦊🐝')).toMatch(/this has 6/);
    expect(faultOf('quiet otters '.repeat(20))).toMatch(/at most 256/);
  });

  it('needs no digits, capitals or symbols', () => {
    for (const good of ['lively otter cabinet', 'correct tulip cabin staple', 'zöglfrump dwarg', 'vbnrtplkqsdw'])
      expect([good, faultOf(good)]).toEqual([good, undefined]);
  });

  it.each([
    'password1234',
    'Password123!',
    'P@ssw0rd2026!',
    'Welcome2026!!',
    '2026Summer!!',
    'iloveyou1234',
    'adminadmin12',
    'MonkeyDragon1',
    'qwertyuiop12',
    'letmein12345',
    'Trailproof2026',
  ])('is not one that is guessed first: %s', (common) => {
    expect(faultOf(common)).toMatch(/guessed first/);
  });

  it.each([
    'aaaaaaaaaaaa',
    'abababababab',
    'abcabcabcabc',
    '123456789012',
    '098765432109',
    'abcdefghijklm',
    'zyxwvutsrqpo',
    'asdfghjkl;as',
    '1qaz1qaz1qaz',
    '111122223333',
  ])('is no pattern: %s', (pattern) => {
    expect(faultOf(pattern)).toMatch(/pattern/);
  });

  it.each(['ana.lind@acme.com', 'my ANA.LIND 77', 'lindqvist-tulip', 'tulipán sofia 9'])(
    'is not about the person: %s',
    (personal) => {
      expect(faultOf(personal)).toMatch(/name and e-mail/);
    },
  );

  it('may hold short names, which are in many words', () => {
    expect(passwordFault('banana tulip cabin', { email: 'an@acme.com', name: 'Ana Li' })).toBeUndefined();
  });

  it('of random characters is taken', () => {
    const characters = fc.constantFrom(...'bcdfghkmnpqrtvwxz23456789!?%+-_');
    fc.assert(
      fc.property(fc.uniqueArray(characters, { minLength: 16, maxLength: 16 }), (some) => {
        expect(passwordFault(some.join(''), { email: 'ana@acme.com', name: 'Ana' })).toBeUndefined();
      }),
    );
  });
});

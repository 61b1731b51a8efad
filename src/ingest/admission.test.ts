import { expect, it } from 'vitest';
import { createAdmission } from './admission.ts';

const MIB = 1024 * 1024;

it('takes of one sender no more than half, and then still bodies of others', () => {
  const admission = createAdmission(64 * MIB);
  const taken = Array.from({ length: 10 }, () => admission.enter('flood', 10 * MIB)).filter((place) => place !== null);
  expect(taken).toHaveLength(3);
  expect(admission.enter('other', 10 * MIB)).not.toBeNull();
  taken[0]!.leave();
  expect(admission.enter('flood', 10 * MIB)).not.toBeNull();
});

it('takes small bodies when large ones of many senders have filled it', () => {
  const admission = createAdmission(40 * MIB);
  for (const sender of ['a', 'b', 'c', 'd']) expect(admission.enter(sender, 10 * MIB)).not.toBeNull();
  expect(admission.enter('e', 10 * MIB)).toBeNull();
  expect(admission.enter('e', 1_000)).not.toBeNull();
});

it('keeps even small bodies out when their own reserve is full', () => {
  const admission = createAdmission(MIB);
  const isTaken = (i: number): boolean => admission.enter(`team-${i}`, 64 * 1024) !== null;
  const taken = Array.from({ length: 100 }, (_, i) => i).filter(isTaken);
  expect(taken).toHaveLength(18);
});

it('takes one body alone, however large', () => {
  const admission = createAdmission(1);
  const place = admission.enter('a', 10 * MIB);
  expect(place).not.toBeNull();
  expect(admission.enter('a', 1)).toBeNull();
  place?.leave();
  expect(admission.enter('b', 10 * MIB)).not.toBeNull();
});

it('lets one sender’s large bodies follow one another, past one that fails, and nobody else wait for them', async () => {
  const admission = createAdmission(100 * MIB);
  const seen: string[] = [];
  const first = Promise.withResolvers<void>();
  const large = (name: string, work: () => Promise<void>): Promise<void> =>
    admission.enter('a', MIB)!.inTurn(async () => {
      seen.push(name);
      await work();
    });
  const one = large('one', () => first.promise);
  const two = large('two', async () => {});
  await admission.enter('a', 10)!.inTurn(async () => void seen.push('small'));
  await admission.enter('b', MIB)!.inTurn(async () => void seen.push('other'));
  first.reject(new Error('unreadable'));
  await expect(one).rejects.toThrow('unreadable');
  await two;
  expect(seen).toEqual(['small', 'one', 'other', 'two']);
});

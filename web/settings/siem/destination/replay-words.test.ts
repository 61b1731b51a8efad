import { describe, expect, it } from 'vitest';
import type { Replay } from '../model.ts';
import {
  dryRunWords,
  fromField,
  percent,
  presetRange,
  progressWords,
  rangeProblem,
  repeatsNote,
  toField,
} from './replay-words.ts';

const replay = (more: Partial<Replay>): Replay => ({
  ...{ id: 'r', from: '', to: '', events: 12_400, bytes: 3_000_000, delivered: 0, rejected: 0, status: 'running' },
  ...{ createdAt: null, endedAt: null },
  ...more,
});

describe('a replay in words', () => {
  it('says what would be sent', () => {
    expect(dryRunWords(replay({}))).toBe('12,400 events, about 3.0 MB.');
    expect(dryRunWords(replay({ events: 0 }))).toBe('No event of this time is forwarded here.');
  });

  it('says what becomes of repeats', () => {
    expect(repeatsNote('elastic', 'Elastic', 9)).toBe('Elastic ignores those it has.');
    expect(repeatsNote('splunk', 'Splunk', 11_998)).toBe(
      'Splunk does not recognise repeats: it may show up to 11,998 twice, each with the same id.',
    );
  });

  it('says how far it is, and how it ended', () => {
    expect(progressWords(replay({ delivered: 400, rejected: 1 }))).toBe(
      '401 of 12,400 sent again, 1 refused and kept as dead letters',
    );
    expect(progressWords(replay({ status: 'done', delivered: 12_400 }))).toBe('12,400 of 12,400 delivered');
    expect(progressWords(replay({ status: 'cancelled', delivered: 5 }))).toBe('Stopped after 5 of 12,400');
    expect(progressWords(replay({ status: 'done', events: 0 }))).toBe('Nothing to send');
    expect(percent(replay({ delivered: 6_200 }))).toBe(50);
    expect(percent(replay({ events: 0 }))).toBe(100);
  });
});

describe('the range', () => {
  it('is shown and read in UTC, to the minute', () => {
    const at = Date.parse('2026-11-22T10:42:00.000Z');
    expect(toField(at)).toBe('2026-11-22T10:42');
    expect(fromField('2026-11-22T10:42')).toBe(at);
    expect(fromField('')).toBeUndefined();
  });

  it('ends after it begins', () => {
    expect(rangeProblem(presetRange('day', 5))).toBeNull();
    expect(rangeProblem({ from: 2, to: 2 })).toBe('The end must be after the begin.');
  });
});

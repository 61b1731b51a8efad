import { describe, expect, it } from 'vitest';
import { createImporter } from './import-ids.ts';

const line = '{"timestamp":"2026-01-15T10:30:00Z","eventType":"auth.logout","metadata":{"n":12345678901234567890}}';
const idOf = (text: string): string => (JSON.parse(text) as { id: string }).id;

describe('the ids of an import', () => {
  it('are the same in every run, and differ for equal lines and for other teams', () => {
    const run = (team?: string): string[] => {
      const importer = createImporter(team);
      return [line, line, ` ${line}`].map((text) => idOf(importer(text)));
    };
    expect(run()).toEqual(run());
    expect(new Set([...run(), ...run('acme'), ...run('other')]).size).toBe(9);
  });

  it('leave everything else of the line as it was', () => {
    expect(createImporter('acme')(`${line}\r`)).toMatch(/"n":12345678901234567890\},"id":"[\w-]{22}"\}$/);
  });

  it.each(['{"id":null,"eventType":"auth.logout"}', '{"id":"","eventType":"auth.logout"}'])(
    'replace the empty id of %s',
    (text) => {
      expect(idOf(createImporter('acme')(text))).toMatch(/^[\w-]{22}$/);
    },
  );

  it.each(['{"id":"mine","eventType":"x"}', 'not json', '[]', '7', '{}', ''])('are not given to %s', (text) => {
    expect(createImporter('acme')(text)).toBe(text);
  });
});

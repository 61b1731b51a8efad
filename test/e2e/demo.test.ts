import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

describe('the demo', () => {
  it('brings every event to every SIEM, through an outage of one, and ends with 0', async () => {
    const main = join(import.meta.dirname, '../../src/main.ts');
    const child = spawn(process.execPath, [main, 'demo', '--once', '--json', '--events', '400'], {
      env: { PATH: process.env['PATH'] ?? '' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let out = '';
    child.stdout.on('data', (text) => {
      out += text;
    });
    const [code] = (await once(child, 'close')) as [number];
    const result = JSON.parse(out) as { accepted: number; logged: number; siems: object[] };
    expect({ code, ...result }).toMatchObject({ code: 0, accepted: 400, complete: true });
    expect(result.logged).toBeGreaterThan(400);
    expect(result.siems).toEqual(
      ['splunk', 'elastic', 'qradar', 'sentinel', 'datadog'].map((siem) => ({
        siem,
        received: result.logged,
        duplicates: 0,
        missing: 0,
      })),
    );
  });
});

import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { createMetrics, type DeliverySums } from './metrics.ts';

const LOGGER = JSON.stringify(new URL('./logger.ts', import.meta.url).href);

/** Runs a statement in a process of its own: the logger writes to its real stdout and stderr. */
function logged(statement: string): { stdout: string; stderr: string } {
  const script = `import { createLogger } from ${LOGGER}; ${statement}`;
  return spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
}

describe('the logger', () => {
  it('writes one JSON object a line, with the fields of its parents', () => {
    const { stdout } = logged(
      `createLogger({ level: 'info', thread: 'log' }).child({ destination: 'd' }).info({ n: 1 }, 'sent'); process.exit()`,
    );
    expect(JSON.parse(stdout)).toMatchObject({ level: 30, thread: 'log', destination: 'd', n: 1, msg: 'sent' });
  });

  it('leaves out what is less severe than its level, and stdout when told so', () => {
    const { stdout, stderr } = logged(
      `const l = createLogger({ level: 'warn', stream: 'stderr' }); l.info({}, 'chatter'); l.warn({}, 'trouble')`,
    );
    expect(stdout).toBe('');
    expect(stderr).toContain('trouble');
    expect(stderr).not.toContain('chatter');
  });

  it('hides values under names of credentials', () => {
    const { stdout } = logged(
      `createLogger({ level: 'info' }).info({ token: 'hush', a: { password: 'hush', b: { authorization: 'hush' } } }, 'x')`,
    );
    expect(stdout).not.toContain('hush');
    expect(stdout.match(/\[secret\]/g)).toHaveLength(3);
  });
});

describe('the metrics', () => {
  const sums = (state: string): DeliverySums => ({
    ...{ kind: 'splunk', state, destinations: 2, matched: 10, filtered: 3, delivered: 7, deadLettered: 1, pending: 2 },
  });

  it('count requests and events', async () => {
    const metrics = createMetrics({ totals: async () => [], indexLag: async () => 0 });
    metrics.request({ method: 'POST', route: '/v1/events', status: 200, seconds: 0.01 });
    metrics.ingested({ accepted: 5, duplicates: 2, rejected: 1 }, 0.01);
    metrics.ingested({ accepted: 1, duplicates: 0, rejected: 0 }, 0.01);
    const text = await metrics.render();
    expect(text).toContain('trailproof_ingest_events_total{result="accepted"} 6');
    expect(text).toContain('trailproof_ingest_events_total{result="duplicate"} 2');
    expect(text).toContain('trailproof_ingest_events_total{result="rejected"} 1');
    expect(text).toContain('trailproof_ingest_duration_seconds_count 2');
    expect(text).toMatch(/trailproof_http_request_duration_seconds_count\{.*route="\/v1\/events".*\} 1/);
  });

  it('show deliveries as they are at the scrape, and forget states nobody is in', async () => {
    let state = 'retrying';
    const metrics = createMetrics({ totals: async () => [sums(state)], indexLag: async () => 4 });
    expect(await metrics.render()).toContain('trailproof_destinations{kind="splunk",state="retrying"} 2');
    state = 'connected';
    const text = await metrics.render();
    expect(text).not.toContain('retrying');
    expect(text).toContain('trailproof_destination_events{kind="splunk",state="connected",figure="pending"} 2');
    expect(text).toContain('trailproof_search_lag_events 4');
  });
});

import type { PlantedDefect } from '../scenario.ts';

export const planted: readonly PlantedDefect[] = [
  {
    name: 'Splunk: the number of an incorrect index is taken at its word',
    file: 'src/destinations/splunk/classify.ts',
    find: 'before((number ?? 0) - 1),',
    replace: 'before(number ?? 0),',
    caughtBy: 'answers/splunk',
  },
  {
    name: 'Splunk: after an event that was refused, the whole batch goes again',
    file: 'src/destinations/splunk/classify.ts',
    find: 'again: facts.ids.slice(number + 1),',
    replace: 'again: facts.ids,',
    caughtBy: 'answers/splunk',
  },
  {
    name: 'Elastic: what the failure store took counts as delivered',
    file: 'src/destinations/elastic/classify.ts',
    find: "if (item.failure_store === 'used')",
    replace: "if (item.failure_store === 'failed')",
    caughtBy: 'answers/elastic',
  },
  {
    name: 'QRadar: a wrong token makes dead letters',
    file: 'src/destinations/qradar/classify.ts',
    find: '(status === 401 || status === 403)',
    replace: 'status === 403',
    caughtBy: 'answers/qradar',
  },
  {
    name: 'Sentinel: any 2xx is success',
    file: 'src/destinations/sentinel/classify.ts',
    find: 'if (status === 204) return',
    replace: 'if (status < 300) return',
    caughtBy: 'answers/sentinel',
  },
  {
    name: 'Sentinel: one event alone is sent as an object',
    file: 'src/destinations/sentinel/encode.ts',
    find: 'return { body: body.finish(), unfit };',
    replace:
      'return { body: body.finish().subarray(batch.length === 1 ? 1 : 0, batch.length === 1 ? -1 : undefined), unfit };',
    caughtBy: 'answers/sentinel',
  },
  {
    name: 'Datadog: an old event goes with its own time, and is dropped there',
    file: 'src/destinations/datadog/encode.ts',
    find: 'at >= now - OLDEST_MS &&',
    replace: 'at >= 0 &&',
    caughtBy: 'answers/datadog',
  },
  {
    name: 'Retry-After is not heeded',
    file: 'src/delivery/verdict.ts',
    find: 'Math.max(SHORTEST_BACKOFF_MS, backoff, askedToWait(outcome))',
    replace: 'Math.max(SHORTEST_BACKOFF_MS, backoff)',
    caughtBy: 'answers/datadog',
  },
  {
    name: 'what was taken of a batch that must wait goes again',
    file: 'src/delivery/verdict.ts',
    find: 'const rest = taken ? events.filter(({ id }) => !taken.has(id)) : events;',
    replace: 'const rest = events;',
    caughtBy: 'answers/splunk',
  },
  {
    name: 'a hold is forgotten by a restart: events go out before a check',
    file: 'src/delivery/lane-loop.ts',
    find: 'this.lane = { ...openLane(this.stored, progress, NO_LIMITS, null), told: this.lane.told };',
    replace:
      'this.lane = { ...openLane(this.stored, { ...progress, held: false }, NO_LIMITS, null), told: this.lane.told };',
    caughtBy: 'answers/crashes',
  },
  {
    name: 'refusals that speak against the settings stay counted as dead letters',
    file: 'src/delivery/verdict.ts',
    find: 'const deadLettered = progress.deadLettered - refusedRun.length;',
    replace: 'const { deadLettered } = progress;',
    caughtBy: 'answers/sequences',
  },
];

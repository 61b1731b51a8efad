import { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Sums over destinations of one kind in one state, as the delivery side reports them. */
export interface DeliverySums {
  readonly kind: string;
  readonly state: string;
  readonly destinations: number;
  readonly matched: number;
  readonly filtered: number;
  readonly delivered: number;
  readonly deadLettered: number;
  readonly pending: number;
}

/** The service's Prometheus metrics. No label names a team: scraping must not tell one customer of another. */
export interface Metrics {
  /** `route` is the route's pattern, never the address asked for. */
  request(request: {
    readonly method: string;
    readonly route: string;
    readonly status: number;
    readonly seconds: number;
  }): void;
  /** One ingest request: how many events became what, and how long from its arrival until the accepted ones were durable. */
  ingested(
    counts: { readonly accepted: number; readonly duplicates: number; readonly rejected: number },
    seconds: number,
  ): void;
  /** Prometheus text format; asks delivery and search for their figures. */
  render(): Promise<string>;
  readonly contentType: string;
}

export function createMetrics(sources: {
  readonly totals: () => Promise<readonly DeliverySums[]>;
  /** Events not yet indexed. */
  readonly indexLag: () => Promise<number>;
}): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const requests = new Histogram({
    name: 'trailproof_http_request_duration_seconds',
    help: 'HTTP requests by route and status.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.025, 0.1, 0.5, 2.5, 10],
    registers,
  });
  const events = new Counter({
    name: 'trailproof_ingest_events_total',
    help: 'Events received, by what became of them.',
    labelNames: ['result'],
    registers,
  });
  const durations = new Histogram({
    name: 'trailproof_ingest_duration_seconds',
    help: 'From the arrival of an ingest request to its events durable.',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
    registers,
  });
  const destinations = new Gauge({
    name: 'trailproof_destinations',
    help: 'Destinations by kind and state.',
    labelNames: ['kind', 'state'],
    registers,
  });
  const deliveries = new Gauge({
    name: 'trailproof_destination_events',
    help: 'Events by kind and state of their destination: matched = delivered + deadLettered + pending.',
    labelNames: ['kind', 'state', 'figure'],
    registers,
  });
  const unindexed = new Gauge({
    name: 'trailproof_search_lag_events',
    help: 'Events not yet searchable by index.',
    registers,
  });

  // prom-client's default metrics would wake the process a hundred times a second to measure the event loop.
  new Gauge({
    name: 'process_resident_memory_bytes',
    help: 'Resident memory of the process, all threads.',
    registers,
    collect() {
      this.set(process.memoryUsage.rss());
    },
  });
  new Gauge({
    name: 'process_cpu_seconds',
    help: 'CPU time used since the start, all threads.',
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      this.set((user + system) / 1e6);
    },
  });

  return {
    request: ({ method, route, status, seconds }) => requests.observe({ method, route, status }, seconds),
    ingested: ({ accepted, duplicates, rejected }, seconds) => {
      events.inc({ result: 'accepted' }, accepted);
      events.inc({ result: 'duplicate' }, duplicates);
      events.inc({ result: 'rejected' }, rejected);
      durations.observe(seconds);
    },
    render: async () => {
      const [totals, lag] = await Promise.all([sources.totals(), sources.indexLag()]);
      // A state nobody is in any more must vanish, not keep its last figure.
      destinations.reset();
      deliveries.reset();
      for (const { kind, state, destinations: count, ...figures } of totals) {
        destinations.set({ kind, state }, count);
        for (const figure of FIGURES) deliveries.set({ kind, state, figure }, figures[figure]);
      }
      unindexed.set(lag);
      return registry.metrics();
    },
    contentType: registry.contentType,
  };
}

const FIGURES = ['matched', 'filtered', 'delivered', 'deadLettered', 'pending'] as const;

import { inspect } from 'node:util';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { generate } from 'selfsigned';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../clock.ts';
import type { LoggedEvent } from '../event/logged-event.ts';
import { createOpenOutbound } from '../outbound/open-outbound.ts';
import type { OutboundRequest } from '../outbound/outbound.ts';
import type {
  CheckStep,
  Destination,
  DestinationKind,
  DestinationLimits,
  FaultKind,
  Outcome,
  StandIn,
} from './destination.ts';
import { sampleEvent, sampleEvents } from './sample-events.ts';
import { describeSettings, parseSettings, secretsOf } from './settings.ts';

/** What a kind declares about itself; every capability is stated, none skipped in silence. */
export interface Conformance {
  /** Changes to the stand-in's settings that make the credential wrong. */
  readonly wrongCredential: Readonly<Record<string, unknown>>;
  /** Whether the SIEM gives a verdict per event (`reject_items` → `partial`). */
  readonly itemVerdicts: boolean;
  /** Whether the SIEM recognises an event that was sent before, by its id. */
  readonly deduplicates: boolean;
  /** What becomes of an event larger than `limits.eventBytes`: cut and marked `trailproof.truncated`. */
  readonly oversize: 'cut';
  /** Whether `check` can prove the credential without writing. Default true. */
  readonly provesCredential?: boolean;
  /** The stand-in must speak TLS. Default false. */
  readonly tls?: boolean;
  /** Further settings, beside the stand-in's. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** What the stand-in should have understood of an event. Default: the event's JSON, parsed. */
  readonly expected?: (event: LoggedEvent) => unknown;
}

interface Opened {
  readonly destination: Destination;
  readonly limits: DestinationLimits;
  /** Every request sent, in order. */
  readonly requests: readonly OutboundRequest[];
}

/** Long enough for a loaded machine, short enough for a test that waits for it. */
const SHORT_ANSWER_MS = 400;
const never = new AbortController().signal;

/** Runs the cases that every destination passes, over real sockets, against the kind's own stand-in. */
export function describeDestination(kind: DestinationKind, conformance: Conformance): void {
  describe(`${kind.kind} as a destination`, () => {
    let standIn: StandIn;
    const opened: Destination[] = [];

    beforeAll(async () => {
      const start = await kind.standIn();
      standIn = await start({ port: 0, keep: 2_000, ...(conformance.tls ? { tls: await certificate() } : {}) });
    });
    beforeEach(() => {
      standIn.setFault(null);
      standIn.reset();
    });
    afterAll(async () => {
      await Promise.all(opened.map((destination) => destination.close()));
      await standIn.close();
    });

    function open(change: Readonly<Record<string, unknown>> = {}, answerTimeoutMs?: number): Opened {
      const parsed = parseSettings(kind, { ...standIn.settings, ...conformance.settings, ...change });
      if (!parsed.ok) throw new Error(`the stand-in's settings are refused: ${JSON.stringify(parsed.problems)}`);
      const requests: OutboundRequest[] = [];
      const openOutbound = createOpenOutbound({ network: 'any', allowHttp: true });
      const destination = kind.open(parsed.settings, {
        clock: systemClock,
        brand: 'Acme',
        configuredAt: 0,
        openOutbound(options) {
          const outbound = openOutbound({ ...options, ...(answerTimeoutMs === undefined ? {} : { answerTimeoutMs }) });
          return {
            ...outbound,
            request(request, signal) {
              requests.push(request);
              return outbound.request(request, signal);
            },
          };
        },
      });
      opened.push(destination);
      const limits = typeof kind.limits === 'function' ? kind.limits(parsed.settings) : kind.limits;
      return { destination, limits, requests };
    }

    async function send(destination: Destination, events: readonly LoggedEvent[], signal = never): Promise<Outcome> {
      return (await destination.prepare(events)).send(signal);
    }

    it('guides to each value it cannot do without, and to none that the form does not have', () => {
      const settings = describeSettings(kind);
      const guided = new Set(kind.guide.flatMap(({ setting }) => setting ?? []));
      expect(guided.isSubsetOf(new Set(settings.map(({ name }) => name)))).toBe(true);
      expect(settings.filter(({ name, required }) => required && !guided.has(name))).toEqual([]);
      expect(kind.needs).toMatch(/^[^\n]{20,140}\.$/);
    });

    /** Sends once without fault, so that the fault meets the batch and not what precedes it (a token, a cookie). */
    async function sendInto(fault: FaultKind, events = fresh(4), answerTimeoutMs?: number): Promise<Outcome> {
      const { destination } = open({}, answerTimeoutMs);
      expect(await send(destination, fresh(1, 1_000))).toMatchObject({ kind: 'delivered' });
      standIn.reset();
      standIn.setFault({ kind: fault });
      return send(destination, events);
    }

    describe('content', () => {
      const understood = conformance.expected ?? ((event: LoggedEvent): unknown => JSON.parse(event.json));

      it('delivers a batch, each event once and with the same meaning', async () => {
        const events = fresh(20);
        expect(await send(open().destination, events)).toMatchObject({ kind: 'delivered' });
        expect(standIn.received().map(({ id }) => id)).toEqual(events.map(({ id }) => id));
        expect(standIn.received().map(({ event }) => event)).toEqual(events.map(understood));
      });

      it.each(Object.entries(UNUSUAL))('keeps %s', async (_what, content) => {
        const events = [sampleEvent({ timestamp: Date.now(), content }), ...fresh(1, 2)];
        expect(await send(open().destination, events)).toMatchObject({ kind: 'delivered' });
        expect(standIn.received().map(({ event }) => event)).toEqual(events.map(understood));
      });

      it('cuts an event that is too large for the SIEM, and marks it', async () => {
        const { destination, limits } = open();
        const content = { description: 'x'.repeat(limits.eventBytes + 10_000) };
        const event = sampleEvent({ id: 'oversize', timestamp: Date.now(), content });
        expect(await send(destination, [event, ...fresh(1, 2)])).toMatchObject({ kind: 'delivered' });
        const [cut] = standIn.received();
        expect(cut?.id).toBe('oversize');
        expect(cut?.event).toMatchObject({ trailproof: { truncated: expect.anything() } });
        expect(JSON.stringify(cut?.event).length).toBeLessThanOrEqual(limits.eventBytes);
      });

      it('sends the same bytes when a prepared batch is sent again', async () => {
        const { destination, requests } = open();
        const batch = await destination.prepare(fresh(50));
        await batch.send(never);
        const first = requests.at(-1);
        await batch.send(never);
        expect(Buffer.from(requests.at(-1)?.body ?? '')).toEqual(Buffer.from(first?.body ?? ''));
        expect(batch.bytes).toBe(Buffer.byteLength(first?.body ?? ''));
        expect(standIn.counts()).toMatchObject(
          conformance.deduplicates
            ? { distinct: 50, duplicates: 0, ignoredDuplicates: 50 }
            : { distinct: 50, duplicates: 50, ignoredDuplicates: 0 },
        );
      });
    });

    describe('limits', () => {
      it.each([
        ['many small events', 0],
        ['few large events', 60_000],
      ])('are within what the SIEM takes: %s', async (_what, padding) => {
        const { destination, limits, requests } = open();
        const text = 'x'.repeat(Math.min(padding, Math.floor(limits.eventBytes / 2)));
        const events: LoggedEvent[] = [];
        let framed = 0;
        for (let sequence = 1; sequence <= limits.batchEvents; sequence++) {
          const event = sampleEvent({ sequence, timestamp: Date.now(), content: { description: text } });
          if (framed + event.bytes + limits.overheadBytes > limits.batchBytes) break;
          framed += event.bytes + limits.overheadBytes;
          events.push(event);
        }
        expect(await send(destination, events)).toMatchObject({ kind: 'delivered' });
        expect(standIn.counts().distinct).toBe(events.length);
        expect(plainBytes(requests.at(-1))).toBeLessThanOrEqual(framed);
      });
    });

    it('never sends a body beyond its limits, whatever is in the events', { timeout: 60_000 }, async () => {
      const { destination, limits, requests } = open();
      await send(destination, fresh(1, 1_000_000));
      await fc.assert(
        fc.asyncProperty(fc.array(CONTENT, { minLength: 1, maxLength: 40 }), async (contents) => {
          const events: LoggedEvent[] = [];
          let framed = 0;
          while (events.length < limits.batchEvents) {
            const sequence = events.length + 1;
            const content = contents[sequence % contents.length]!;
            const event = sampleEvent({ sequence, timestamp: Date.now(), content });
            framed += Math.min(event.bytes + limits.overheadBytes, limits.eventBytes);
            if (framed > limits.batchBytes && events.length > 0) break;
            events.push(event);
          }
          standIn.reset();
          expect(await send(destination, events)).toMatchObject({ kind: 'delivered' });
          expect(plainBytes(requests.at(-1))).toBeLessThanOrEqual(limits.batchBytes);
          expect(standIn.counts()).toMatchObject({ distinct: events.length, rejected: 0 });
        }),
        { numRuns: 5 },
      );
    });

    describe('outcomes', () => {
      it('throttles when the SIEM is busy', async () => {
        const outcome = await sendInto('busy');
        expect(['throttled', 'retry']).toContain(outcome.kind);
      });

      it('waits as long as the SIEM asks', async () => {
        expect(await sendInto('throttle')).toMatchObject({ kind: 'throttled', retryAfterMs: expect.any(Number) });
      });

      it('retries after a server error', async () => {
        expect(await sendInto('error')).toMatchObject({ kind: 'retry', cause: 'server' });
      });

      it.each(['unauthorized', 'forbidden'] as const)('holds when %s, and says what to do', async (fault) => {
        const outcome = await sendInto(fault);
        expect(outcome).toMatchObject({ kind: 'misconfigured', fix: expect.stringMatching(/\w/) });
        expect(['credential', 'permission']).toContain(outcome.kind === 'misconfigured' && outcome.cause);
      });

      it('lets a batch that is too large be split', async () => {
        expect(await sendInto('too_large')).toMatchObject({ kind: 'refused', tooLarge: true });
      });

      it('lets a batch that is refused without a culprit be split', async () => {
        const outcome = await sendInto('refuse');
        expect(outcome.kind).toBe('refused');
        expect(outcome).not.toMatchObject({ tooLarge: true });
      });

      it.each(['html', 'redirect'] as const)('never takes %s for a delivery, and follows nothing', async (fault) => {
        expect(await sendInto(fault)).toMatchObject({ kind: 'misconfigured' });
        expect(standIn.counts()).toMatchObject({ requests: 1, events: 0 });
      });

      it('retries after a reset in the middle of the body', async () => {
        expect(await sendInto('reset')).toMatchObject({ kind: 'retry', cause: 'unreachable', uncertain: true });
        expect(standIn.counts().events).toBe(0);
      });

      it('says that a batch may have been taken when the answer was lost', async () => {
        expect(await sendInto('reset_after')).toMatchObject({ kind: 'retry', cause: 'unreachable', uncertain: true });
        expect(standIn.counts().distinct).toBe(4);
      });

      it.each(['hang', 'drip'] as const)('gives up a %sing answer in time', async (fault) => {
        const outcome = await sendInto(fault, fresh(4), SHORT_ANSWER_MS);
        expect(outcome).toMatchObject({ kind: 'retry', cause: 'unreachable', uncertain: true });
      });

      it('stops at once when told to', async () => {
        const { destination } = open();
        await send(destination, fresh(1));
        standIn.reset();
        standIn.setFault({ kind: 'hang' });
        const stop = new AbortController();
        const sending = send(destination, fresh(4), stop.signal);
        await vi.waitUntil(() => standIn.counts().requests === 1, { timeout: 10_000 });
        stop.abort();
        expect(await sending).toMatchObject({ kind: 'retry', uncertain: true });
      });

      it('delivers the kept batch once the fault is over', async () => {
        const { destination } = open();
        const batch = await destination.prepare(fresh(4));
        standIn.setFault({ kind: 'error' });
        expect(await batch.send(never)).toMatchObject({ kind: 'retry' });
        standIn.setFault(null);
        expect(await batch.send(never)).toMatchObject({ kind: 'delivered' });
        expect(standIn.counts().distinct).toBe(4);
      });

      it(`tells ${conformance.itemVerdicts ? 'each refused event' : 'refused batches'} from what was taken`, async () => {
        const { destination } = open();
        await send(destination, fresh(1, 1_000));
        standIn.reset();
        standIn.setFault({ kind: 'reject_items', every: 3 });
        const events = fresh(10);
        const { rejected, verdicts } = await settle((batch) => send(destination, batch), events);
        const taken = [...standIn.ids().keys()];
        expect([...taken, ...rejected].sort()).toEqual(events.map(({ id }) => id).sort());
        expect([...standIn.ids().values()].every((times) => times === 1)).toBe(true);
        if (!conformance.itemVerdicts) return expect(verdicts).toBe(0);
        expect(rejected).toEqual([2, 5, 8].map((i) => events[i]?.id));
        expect(verdicts).toBe(3);
      });
    });

    describe('the check', () => {
      it('passes step by step and writes nothing', async () => {
        const steps: CheckStep[] = [];
        const outcome = await open().destination.check(never, (step) => steps.push(step));
        expect(outcome).toMatchObject({ kind: 'delivered' });
        expect(steps.length).toBeGreaterThan(0);
        expect(steps.filter(({ ok, name, detail }) => !ok || !name || !detail)).toEqual([]);
        expect(standIn.counts()).toMatchObject({ events: 0, ignoredDuplicates: 0 });
      });

      if (conformance.provesCredential === false) {
        it('lets a wrong credential pass, which the first delivery finds', async () => {
          const { destination } = open(conformance.wrongCredential);
          expect(await destination.check(never)).toMatchObject({ kind: 'delivered' });
          expect(await send(destination, fresh(2))).toMatchObject({ kind: 'misconfigured', cause: 'credential' });
          expect(standIn.counts().events).toBe(0);
        });

        it('does nothing when it is already told to stop', async () => {
          expect(await open().destination.check(AbortSignal.abort())).toMatchObject({ kind: 'retry' });
        });
        return;
      }

      it('finds a wrong credential and says what to do', async () => {
        const steps: CheckStep[] = [];
        const { destination } = open(conformance.wrongCredential);
        const outcome = await destination.check(never, (step) => steps.push(step));
        expect(outcome).toMatchObject({ kind: 'misconfigured', cause: 'credential' });
        expect(steps.at(-1)).toMatchObject({ ok: false, fix: expect.stringMatching(/\w/) });
        expect(await send(destination, fresh(2))).toMatchObject({ kind: 'misconfigured', cause: 'credential' });
        expect(standIn.counts().events).toBe(0);
      });

      it('stops at once when told to', async () => {
        standIn.setFault({ kind: 'hang' });
        const stop = new AbortController();
        const checking = open().destination.check(stop.signal);
        await vi.waitUntil(() => standIn.counts().requests > 0, { timeout: 10_000 });
        stop.abort();
        expect(await checking).toMatchObject({ kind: 'retry' });
      });
    });

    it('shows no secret in outcomes, steps or the destination itself', async () => {
      const shown: unknown[] = [];
      const parsed = parseSettings(kind, { ...standIn.settings, ...conformance.settings });
      const secrets = parsed.ok ? secretsOf(parsed.settings).map((secret) => secret.reveal()) : [];
      expect(secrets.length).toBeGreaterThan(0);
      for (const fault of ['unauthorized', 'forbidden', 'refuse', 'error', 'html', 'redirect', 'reset'] as const) {
        standIn.setFault({ kind: fault });
        const { destination } = open();
        shown.push(await send(destination, fresh(2)), await destination.check(never, (step) => shown.push(step)));
        shown.push(destination, await destination.prepare(fresh(1)));
      }
      const text = shown
        .map((item) => JSON.stringify(item) + inspect(item, { depth: 12, showHidden: true }))
        .join('\n');
      expect(secrets.filter((secret) => text.includes(secret))).toEqual([]);
    });

    it('sends nothing more once it is closed', async () => {
      const { destination } = open();
      await send(destination, fresh(1));
      const { requests } = standIn.counts();
      await destination.close();
      expect(await send(destination, fresh(1))).toMatchObject({ kind: 'retry' });
      expect(standIn.counts().requests).toBe(requests);
    });
  });
}

/** Events of this moment: some SIEMs look at an event's age. */
function fresh(count: number, first = 1): readonly LoggedEvent[] {
  return sampleEvents(count, { first, startAt: Date.now() });
}

/** Does what a lane does: resends what is to go again, halves what is refused, until every event is settled. */
async function settle(send: (batch: readonly LoggedEvent[]) => Promise<Outcome>, events: readonly LoggedEvent[]) {
  const rejected: string[] = [];
  let verdicts = 0;
  const waiting = [events];
  for (let batch = waiting.shift(); batch; batch = waiting.shift()) {
    const outcome = await send(batch);
    if (outcome.kind === 'partial') {
      verdicts += outcome.rejected.length;
      rejected.push(...outcome.rejected.map(({ id }) => id));
      const again = new Set(outcome.again);
      if (again.size > 0) waiting.unshift(batch.filter(({ id }) => again.has(id)));
    } else if (outcome.kind === 'refused') {
      const half = Math.ceil(batch.length / 2);
      if (batch.length === 1) rejected.push(batch[0]!.id);
      else waiting.unshift(batch.slice(0, half), batch.slice(half));
    } else expect(outcome).toMatchObject({ kind: 'delivered' });
  }
  return { rejected, verdicts };
}

function plainBytes(request: OutboundRequest | undefined): number {
  const body = Buffer.from(request?.body ?? '');
  return request?.headers['content-encoding'] === 'gzip' ? gunzipSync(body).length : body.length;
}

async function certificate(): Promise<{ certificate: string; key: string }> {
  const pems = await generate([{ name: 'commonName', value: '127.0.0.1' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
  });
  return { certificate: pems.cert, key: pems.private };
}

const UNUSUAL: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'an event without actor and with the smallest context': { actor: undefined, context: { teamId: 'team-1' } },
  'control characters': { description: '\u0001\u0007\b\t\n\f\r\u001b\u007f\u0085\u2028\u2029' },
  'delimiters of every format': { description: '|=\\|^\t,;"\'{}[]<>%0a&amp;\r\n\r\n--\\u0000{"timestamp":"x"}' },
  'text in many scripts': {
    description: 'Ñandú 日本語 مرحبا 👩‍👩‍👧 e\u0301 \u{1F600} ﷽ \uFEFF',
    metadata: { ключ: '値' },
  },
  'deep metadata': { metadata: nested(64) },
  'numbers of every kind': {
    metadata: { n: [0, -1, 1.5, 1e21, 1e-7, 5e-324, 9_007_199_254_740_991, '9007199254740993', -0.1] },
  },
  'a failure with its reason': { status: 'failure', failureReason: 'invalid_credentials' },
  'names that JavaScript treats specially': {
    metadata: JSON.parse('{"__proto__":{"a":1},"constructor":1,"toString":2}'),
  },
  'empty values': { metadata: { a: '', b: [], c: {}, d: null, e: false }, changes: { previous: {}, current: {} } },
};

/** Texts that grow most when they are framed: escapes, control characters, line ends of Unicode, many bytes. */
const TEXT = fc
  .tuple(
    fc.oneof(
      fc.constantFrom('x', '"', '\\', '\u0001', '\u007f', '\u0085', '\u2028', '日', '😀', '\t', '='),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 8 }),
    ),
    fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 40_000 })),
  )
  .map(([text, times]) => text.repeat(times).slice(0, 80_000));
const CONTENT = fc
  .record(
    {
      ...{ description: TEXT, failureReason: TEXT, metadata: fc.dictionary(TEXT, TEXT, { maxKeys: 2 }) },
      actor: fc.record({ name: TEXT, email: TEXT }, { requiredKeys: [] }),
      changes: fc.record({ previous: fc.record({ a: TEXT }), current: fc.record({ a: TEXT }) }),
    },
    { requiredKeys: [] },
  )
  // Ingest takes no larger event.
  .filter((content) => Buffer.byteLength(JSON.stringify(content)) < 255_000);

function nested(depth: number): unknown {
  return depth === 0 ? 'bottom' : { deeper: nested(depth - 1) };
}

import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { Answer, Failure } from '../../outbound/outbound.ts';
import type { Secret } from '../../secrets.ts';
import { stepOf } from '../check-step.ts';
import { type CompressedBody, compress } from '../compress.ts';
import type { Destination, DestinationContext, Outcome, PreparedBatch } from '../destination.ts';
import { outcomeOfFailure } from '../failure-outcome.ts';
import {
  ackIdOf,
  classifyAck,
  classifyCheck,
  classifyPost,
  type HecFacts,
  isChannelFull,
  wantsChannel,
  wantsPlainBody,
} from './classify.ts';
import { encodeBatch, type HecMetadata } from './encode.ts';

export interface HecOptions {
  /** The endpoint without `/services/collector`. */
  readonly baseUrl: string;
  readonly token: Secret;
  readonly metadata: HecMetadata;
  readonly eventBytes: number;
  readonly acknowledge: boolean;
  readonly caCertificate: string | undefined;
}

/** How long a post may stay unconfirmed before it is sent once more. */
const CONFIRM_WITHIN_MS = 5 * 60_000;
/** Pauses between questions for a confirmation double from the first to the longest. */
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;
const NEVER_CONFIRMED = 'Splunk accepted the events twice but never confirmed that they are on disk';
/** Cookies of a load balancer; more than these are not ours to keep. */
const MOST_COOKIES = 20;

const unpack = promisify(gunzip);

/** An answer and the channel on which its post went. */
interface Posted {
  readonly answer: Answer | Failure;
  readonly channel: string | undefined;
}

/** The sender of one HTTP Event Collector token. */
export function openHec(options: HecOptions, context: DestinationContext): Destination {
  const { baseUrl, token, metadata, eventBytes } = options;
  const { clock } = context;
  const outbound = context.openOutbound({ caCertificate: options.caCertificate });
  /** Present once the token is known to have indexer acknowledgement. */
  let channel = options.acknowledge ? randomUUID() : undefined;
  let compresses = true;
  /** Confirmations are known to one indexer only; behind a load balancer its cookies lead back to it. */
  const cookies = new Map<string, string>();
  /** First ids of batches that were resent because Splunk never confirmed them. */
  const resent = new Set<string>();

  async function call(path: string, body: CompressedBody, on: string | undefined, signal: AbortSignal) {
    const answer = await outbound.request(
      {
        method: 'POST',
        url: `${baseUrl}/services/collector/${path}`,
        headers: {
          authorization: `Splunk ${token.reveal()}`,
          'content-type': 'application/json',
          ...body.headers,
          ...(on !== undefined && { 'x-splunk-request-channel': on }),
          ...(cookies.size > 0 && { cookie: [...cookies].map((pair) => pair.join('=')).join('; ') }),
        },
        body: body.body,
      },
      signal,
    );
    if (answer.kind === 'answer') keepCookies(answer.setCookies);
    return answer;
  }

  /** Posts a body, and again if this token or server turns out to want a channel or no gzip. */
  async function post(body: CompressedBody, signal: AbortSignal): Promise<Posted> {
    const on = channel;
    const answer = await call('event', body, on, signal);
    if (answer.kind === 'failure') return { answer, channel: on };
    if (on === undefined && wantsChannel(answer)) {
      channel ??= randomUUID();
      return post(body, signal);
    }
    if (wantsPlainBody(answer) && 'content-encoding' in body.headers) {
      compresses = false;
      return post({ body: await unpack(body.body), headers: {} }, signal);
    }
    if (isChannelFull(answer)) channel = randomUUID();
    return { answer, channel: on };
  }

  async function send(body: CompressedBody, facts: Omit<HecFacts, 'now'>, signal: AbortSignal, accepted?: () => void) {
    const { answer, channel: on } = await post(body, signal);
    if (answer.kind === 'failure') return outcomeOfFailure(answer, facts.siem);
    const outcome = classifyPost(answer, { ...facts, now: clock.now() });
    const ackId = ackIdOf(answer);
    if (!isTaken(outcome) || ackId === undefined || on === undefined) return outcome;
    if (outcome.kind === 'delivered') accepted?.();
    return confirm(outcome, ackId, on, facts.ids[0] ?? '', signal);
  }

  /**
   * Asks until Splunk has written to disk what it took of a post: all, or the part before an event it refused. A post
   * never confirmed is sent once more, then believed.
   */
  async function confirm(
    outcome: Outcome,
    ackId: number,
    on: string,
    firstId: string,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const question = { body: Buffer.from(JSON.stringify({ acks: [ackId] })), headers: {} };
    // Counted in pauses, not read off the clock: a clock that is set back would keep the events here for as long.
    for (let waited = 0, pause = FIRST_PAUSE_MS; waited < CONFIRM_WITHIN_MS; waited += pause) {
      if (waited > 0) pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
      await clock.sleep(pause, signal);
      if (signal.aborted) return unconfirmed('the delivery was stopped before Splunk had confirmed it');
      const answer = await call(`ack?channel=${on}`, question, on, signal);
      if (answer.kind === 'failure' || classifyAck(answer, ackId) === 'waiting') continue;
      resent.delete(firstId);
      return outcome;
    }
    if (resent.delete(firstId))
      return outcome.kind === 'delivered' ? { ...outcome, warning: NEVER_CONFIRMED } : outcome;
    resent.add(firstId);
    return unconfirmed('Splunk accepted the events but did not confirm within 5 min that they are on disk');
  }

  function keepCookies(lines: readonly string[]): void {
    for (const line of lines) {
      const [, name, value] = /^\s*([^=;\s]+)=([^;]*)/.exec(line) ?? [];
      if (name !== undefined && value !== undefined && (cookies.has(name) || cookies.size < MOST_COOKIES))
        cookies.set(name, value);
    }
  }

  return {
    endpoint: baseUrl,
    async prepare(batch): Promise<PreparedBatch> {
      const plain = encodeBatch(batch, metadata, eventBytes);
      const facts = factsOf(
        batch.map(({ id }) => id),
        plain.length,
      );
      const body = compresses ? await compress(plain) : { body: plain, headers: {} };
      return { bytes: body.body.length, send: (signal, accepted) => send(body, facts, signal, accepted) };
    },
    async check(signal, report) {
      const startedAt = clock.now();
      const { answer, channel: on } = await post({ body: Buffer.alloc(0), headers: {} }, signal);
      const outcome =
        answer.kind === 'failure'
          ? outcomeOfFailure(answer, 'Splunk')
          : classifyCheck(answer, { ...factsOf([], 0), now: clock.now() });
      const detail = `Splunk accepts the token${on === undefined ? '' : ', with indexer acknowledgement'}`;
      report?.(stepOf('credential', outcome, detail, clock.now() - startedAt));
      return outcome;
    },
    close: () => outbound.close(),
  };

  function factsOf(ids: readonly string[], plainBytes: number): Omit<HecFacts, 'now'> {
    return { siem: 'Splunk', secrets: [token], index: metadata.index, ids, plainBytes };
  }
}

/** Whether Splunk took the post's first event; a refusal confirms what came before the event it names. */
function isTaken(outcome: Outcome): boolean {
  if (outcome.kind === 'partial') return true;
  return outcome.kind === 'delivered' || (outcome.taken ?? []).length > 0;
}

function unconfirmed(reason: string): Outcome {
  return { kind: 'retry', cause: 'server', reason, uncertain: true };
}

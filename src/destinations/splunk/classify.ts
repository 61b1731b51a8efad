import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { Answer } from '../../outbound/outbound.ts';
import type { Outcome } from '../destination.ts';
import { type AnswerFacts, evidenceOf, excerpt, isHtml, outcomeOfAnswer, waitOf } from '../failure-outcome.ts';
import { readJson } from '../json-answer.ts';

/** What was sent. */
export interface HecFacts extends AnswerFacts {
  /** Ids in body order. */
  readonly ids: readonly string[];
  /** Bytes of the body before compression. */
  readonly plainBytes: number;
  readonly index: string;
}

/** The code decides; a text or number of another shape must not hide it, or a wrong index would refuse events. */
const HecAnswer = Compile(
  Type.Object({
    code: Type.Integer(),
    text: Type.Optional(Type.Unknown()),
    'invalid-event-number': Type.Optional(Type.Unknown()),
    ackId: Type.Optional(Type.Unknown()),
  }),
);
const AckAnswer = Compile(Type.Object({ acks: Type.Record(Type.String(), Type.Boolean()) }));

/**
 * Splunk Cloud refuses a body above its limit as "Invalid data format" of event 0 rather than with 413, so above this
 * that answer may be about the size. Measured was a limit of some 5 MB, which no post of ours reaches; a stack with a
 * smaller one would have its events refused one after another, while splitting costs a few posts if it was the event.
 */
const SUSPECT_BYTES = 100_000;

const NEW_TOKEN =
  'Copy the token value again from Settings → Data inputs → HTTP Event Collector in Splunk, or create a new token, and enter it here.';
const ENABLE_TOKEN =
  'Enable the token in Settings → Data inputs → HTTP Event Collector in Splunk, and “All tokens” in its Global Settings.';
const CHANNEL = 'Turn on “Indexer acknowledgement” here, or turn it off for the token in Splunk.';
const PROXY = 'Check what stands between this service and Splunk: a proxy changes the requests.';

/**
 * What became of a posted batch, one line per documented code.
 * https://help.splunk.com/en/splunk-enterprise/get-started/get-data-in/10.0/get-data-with-http-event-collector/troubleshoot-http-event-collector
 */
export function classifyPost(answer: Answer, facts: HecFacts): Outcome {
  const hec = isHtml(answer) ? undefined : readJson(HecAnswer, answer);
  if (!hec) return outcomeOfAnswer(answer, facts);
  const evidence = evidenceOf(answer, facts.secrets);
  const said = `Splunk answered “${excerpt(String(hec.text ?? ''), facts.secrets)}” (${answer.status}, code ${hec.code})`;
  const number = countOf(hec['invalid-event-number']);
  // A number beyond the batch says nothing about who was taken.
  const before = (end: number): readonly string[] => facts.ids.slice(0, end > facts.ids.length ? 0 : Math.max(end, 0));

  const person = (cause: 'credential' | 'setting', fix: string, taken: readonly string[] = []): Outcome => ({
    kind: 'misconfigured',
    cause,
    reason: said,
    fix,
    taken,
    ...evidence,
  });
  const retry = (): Outcome => ({ kind: 'retry', cause: 'server', reason: said, uncertain: true, ...evidence });
  // Splunk reads a body as a stream: events before the one it names are indexed, that one and the rest are not.
  const busy = (): Outcome => ({
    kind: 'throttled',
    reason: said,
    taken: before(number ?? 0),
    ...waitOf(answer, facts),
    ...evidence,
  });
  const poison = (): Outcome => {
    const id = number === undefined ? undefined : facts.ids[number];
    if (number === undefined || id === undefined) return { kind: 'refused', reason: said, ...evidence };
    return {
      kind: 'partial',
      rejected: [{ id, reason: said }],
      again: facts.ids.slice(number + 1),
      reason: said,
      ...evidence,
    };
  };

  switch (hec.code) {
    case 0: // Success
      return answer.status === 200 ? { kind: 'delivered', ...evidence } : outcomeOfAnswer(answer, facts);
    case 24: // HEC queue is approaching its capacity limit
    case 25: // HEC ACK queue is approaching its capacity limit
      return answer.status === 200 ? { kind: 'delivered', warning: said, ...evidence } : busy();
    case 1: // Token disabled
    case 22: // the same, from the health endpoint
      return person('credential', ENABLE_TOKEN);
    case 2: // Token is required
    case 3: // Invalid authorization
    case 4: // Invalid token
    case 21: // the same, from the health endpoint
      return person('credential', NEW_TOKEN);
    case 5: // No data: we never send an empty batch
    case 11: // Invalid data channel: ours is a GUID
    case 16: // Query string authorization is not enabled: we send none
      return person('setting', PROXY);
    case 6: // Invalid data format
      if (number === 0 && facts.plainBytes > SUSPECT_BYTES)
        return { kind: 'refused', tooLarge: true, reason: said, ...evidence };
      return poison();
    case 7: // Incorrect index: the number is that of the event after the one it means
      return person(
        'setting',
        `Add “${facts.index}” to the token's allowed indexes in Splunk, or enter one of those here.`,
        before((number ?? 0) - 1),
      );
    case 8: // Internal server error
    case 23: // Server is shutting down
      return retry();
    case 9: // Server is busy
    case 18: // HEC is unhealthy, queues are full
    case 19: // HEC is unhealthy, ack service unavailable
    case 20: // both
    case 26: // HEC queue is at capacity
    case 27: // HEC ACK channel is at capacity
      return busy();
    case 10: // Data channel is missing
    case 14: // ACK is disabled: said of a question for a confirmation; of a post, it is about the token all the same
    case 28: // the same, on Splunk Cloud
      return person('setting', CHANNEL);
    case 12: // Event field is required
    case 13: // Event field cannot be blank
    case 15: // Error in handling indexed fields
      return poison();
    default:
      return outcomeOfAnswer(answer, facts);
  }
}

/**
 * An empty post: "No data" comes after Splunk has accepted the token, and nothing is written. Other receivers of the
 * protocol find other faults with an empty body (6, 12, 13), also only once the token is right.
 */
export function classifyCheck(answer: Answer, facts: HecFacts): Outcome {
  const code = readJson(HecAnswer, answer)?.code ?? 0;
  return [5, 6, 12, 13].includes(code) ? { kind: 'delivered', status: answer.status } : classifyPost(answer, facts);
}

/** Whether the token has indexer acknowledgement and so wants a channel (code 28 on Splunk Cloud). */
export function wantsChannel(answer: Answer): boolean {
  const code = readJson(HecAnswer, answer)?.code;
  return code === 10 || code === 28;
}

/** Whether the channel can take no more unconfirmed posts, and another one must be used. */
export function isChannelFull(answer: Answer): boolean {
  return readJson(HecAnswer, answer)?.code === 27;
}

/** Whether the server takes no gzip: it says so, with a web page, before it reads anything. */
export function wantsPlainBody(answer: Answer): boolean {
  return answer.status === 415;
}

/** The number under which Splunk will confirm the post; undefined for a token without acknowledgement. */
export function ackIdOf(answer: Answer): number | undefined {
  return countOf(readJson(HecAnswer, answer)?.ackId);
}

function countOf(value: unknown): number | undefined {
  return Number.isInteger(value) && Number(value) >= 0 ? Number(value) : undefined;
}

/** What an answer of `/services/collector/ack` says about one post. */
export function classifyAck(answer: Answer, ackId: number): 'confirmed' | 'waiting' | 'disabled' {
  if (readJson(AckAnswer, answer)?.acks[ackId]) return 'confirmed';
  // Code 14, "ACK is disabled": the token was changed meanwhile; what was answered 200 counts as delivered.
  return readJson(HecAnswer, answer)?.code === 14 ? 'disabled' : 'waiting';
}

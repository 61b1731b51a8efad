import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { Answer } from '../../outbound/outbound.ts';
import type { Outcome } from '../destination.ts';
import { type AnswerFacts, excerpt, isHtml, outcomeOfAnswer } from '../failure-outcome.ts';
import { readJson } from '../json-answer.ts';
import { readable } from '../redact.ts';

/** What was sent: the ids in body order, and the settings that a remedy names. */
export interface BulkFacts extends AnswerFacts {
  readonly ids: readonly string[];
  readonly index: string;
}

const Reported = Type.Object({
  type: Type.String(),
  reason: Type.Optional(Type.Union([Type.String(), Type.Null()])),
});
const Authenticated = Compile(Type.Object({ username: Type.String() }));
const Privileges = Compile(
  Type.Object({ index: Type.Record(Type.String(), Type.Record(Type.String(), Type.Boolean())) }),
);
const AnyObject = Compile(Type.Object({}));
const ErrorAnswer = Compile(Type.Object({ error: Reported }));
const Item = Type.Object({
  status: Type.Number(),
  error: Type.Optional(Reported),
  failure_store: Type.Optional(Type.String()),
});
const BulkAnswer = Compile(Type.Object({ items: Type.Array(Type.Object({ create: Item })) }));

type Item = Static<typeof Item>;
type ReportedError = Static<typeof Reported>;

type Verdict =
  | { readonly kind: 'taken' }
  | { readonly kind: 'again'; readonly pause: 'throttled' | 'server'; readonly words: string }
  | { readonly kind: 'rejected'; readonly words: string; readonly reason: string }
  | Held;

interface Remedy {
  readonly cause: 'credential' | 'permission' | 'setting';
  readonly fix: string;
}

interface Held extends Remedy {
  readonly kind: 'held';
  readonly words: string;
}

/**
 * What became of a bulk request. A 200 says nothing before every item was looked at, whatever its `errors` says; items
 * come in request order. https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk
 */
export function classifyBulk(answer: Answer, facts: BulkFacts): Outcome {
  if (answer.status !== 200) return classifyError(answer, facts);
  if (answer.bodyCut) return unreadable(facts);
  if (answer.body === allCreated(facts.ids.length)) return { kind: 'delivered', status: 200 };
  const items = readJson(BulkAnswer, answer)?.items;
  if (!items) return outcomeOfAnswer(answer, facts);
  if (items.length !== facts.ids.length)
    return {
      kind: 'retry',
      cause: 'server',
      reason: `Elasticsearch answered for ${items.length} of ${facts.ids.length} events`,
      uncertain: true,
      status: 200,
    };
  return settle(
    items.map(({ create }) => verdictOf(create, facts)),
    facts,
  );
}

/** The usual answer, by which every item was looked at. */
function allCreated(events: number): string {
  return `{"errors":false,"items":[${'{"create":{"status":201}},'.repeat(events).slice(0, -1)}]}`;
}

/**
 * What the answer to `GET /_security/_authenticate` says of the API key.
 * https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-security-authenticate
 */
export function classifyAuthenticate(answer: Answer, facts: BulkFacts): Outcome {
  if (readJson(Authenticated, answer)) return { kind: 'delivered', status: answer.status };
  return classifyCheck(answer, facts);
}

/**
 * What the answer to `POST /_security/user/_has_privileges` says. `auto_configure` is needed only to make the index or
 * data stream, so its absence is told, not held against the key: whether the index exists, the key may not ask.
 * https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-security-has-privileges
 */
export function classifyPrivileges(answer: Answer, facts: BulkFacts): Outcome {
  const granted = readJson(Privileges, answer)?.index;
  if (!granted) return classifyCheck(answer, facts);
  const lacks = (privilege: string): boolean => Object.values(granted).some((of) => of[privilege] === false);
  const status = answer.status;
  if (lacks('create_doc'))
    return {
      kind: 'misconfigured',
      reason: `The API key may not write to ${facts.index}`,
      ...toGrant('create_doc', facts.index),
      status,
    };
  if (lacks('auto_configure'))
    return {
      kind: 'delivered',
      warning: `The API key may write to ${facts.index} but not create it: it must exist`,
      status,
    };
  return { kind: 'delivered', status };
}

/**
 * Servers that do not know these calls (OpenSearch, gateways that only pass bulk requests on) prove the key with the
 * first delivery instead: to hold on their account would never end.
 */
function classifyCheck(answer: Answer, facts: BulkFacts): Outcome {
  const { status } = answer;
  const isUnknownCall = status === 400 || status === 404 || status === 405;
  if ((isUnknownCall && !isHtml(answer)) || (status === 200 && readJson(AnyObject, answer)))
    return {
      kind: 'delivered',
      warning: `This server cannot check API keys (${status}); the first delivery will`,
      status,
    };
  return classifyError(answer, facts);
}

/** Elasticsearch before 8.18 refuses parameters it does not know, `include_source_on_error` among them. */
export function isUnknownParameter(answer: Answer): boolean {
  return answer.status === 400 && answer.body.includes('unrecognized parameter: [include_source_on_error]');
}

/** What an answer means that is about the request, not about its items. */
function classifyError(answer: Answer, facts: BulkFacts): Outcome {
  const error = readJson(ErrorAnswer, answer)?.error;
  const held = error && heldBy(answer.status, error, facts);
  if (!held) return outcomeOfAnswer(answer, facts);
  return misconfigured(held, answer.status);
}

/** The verdicts about single events as one outcome. That a run of refusals means a wrong setting is the lane's rule. */
function settle(verdicts: readonly Verdict[], facts: BulkFacts): Outcome {
  const taken: string[] = [];
  const again: string[] = [];
  const rejected: { id: string; reason: string }[] = [];
  for (const [i, verdict] of verdicts.entries()) {
    const id = facts.ids[i]!;
    if (verdict.kind === 'taken') taken.push(id);
    else if (verdict.kind === 'again') again.push(id);
    else if (verdict.kind === 'rejected') rejected.push({ id, reason: verdict.reason });
  }
  if (taken.length === verdicts.length) return { kind: 'delivered', status: 200 };

  const held = verdicts.find((verdict) => verdict.kind === 'held');
  if (held) return { ...misconfigured(held, 200), taken };
  const words = verdicts.find((verdict) => verdict.kind !== 'taken')?.words ?? '';
  const throttled = verdicts.some((verdict) => verdict.kind === 'again' && verdict.pause === 'throttled');
  const evidence = { status: 200, answer: words };
  if (again.length === verdicts.length) {
    const reason = `Elasticsearch takes nothing at the moment: ${words}`;
    return throttled
      ? { kind: 'throttled', reason, ...evidence }
      : { kind: 'retry', cause: 'server', reason, ...evidence };
  }
  return {
    kind: 'partial',
    rejected,
    again,
    ...(again.length > 0 && { pause: throttled ? 'throttled' : 'server' }),
    reason: `Elasticsearch refused ${rejected.length} of ${verdicts.length} events and asks for ${again.length} again: ${words}`,
    ...evidence,
  };
}

/** One item's verdict. Statuses and types: https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk */
function verdictOf(item: Item, facts: BulkFacts): Verdict {
  // A refused document that was stored elsewhere under a new id, reported as created: sending it again would store it
  // there once more. https://www.elastic.co/docs/manage-data/data-store/data-streams/failure-store
  if (item.failure_store === 'used')
    return {
      kind: 'rejected',
      words: 'failure_store: used',
      reason: `The mapping or the pipeline of ${facts.index} refused it; Elasticsearch keeps it in the failure store: query ${facts.index}::failures`,
    };
  if (item.status >= 200 && item.status < 300) return { kind: 'taken' };
  // version_conflict_engine_exception: an event with this id is already there.
  if (item.status === 409) return { kind: 'taken' };
  const error = item.error ?? { type: 'no error given' };
  const words = wordsOf(error, facts);
  if (item.status === 429) return { kind: 'again', pause: 'throttled', words };
  // 5xx, and what is no verdict at all.
  if (item.status < 400 || item.status >= 500) return { kind: 'again', pause: 'server', words };
  return heldBy(item.status, error, facts) ?? { kind: 'rejected', words, reason: `Elasticsearch refused it: ${words}` };
}

/** What only a person can change, said of the request or of an item. */
function heldBy(status: number, error: ReportedError, facts: BulkFacts): Held | undefined {
  const remedy = remedyOf(status, error, facts.index);
  return remedy && { kind: 'held', words: wordsOf(error, facts), ...remedy };
}

function remedyOf(status: number, { type, reason }: ReportedError, index: string): Remedy | undefined {
  const setting = (fix: string): Remedy => ({ cause: 'setting', fix });
  if (status === 401)
    return { cause: 'credential', fix: 'Create an API key in Kibana (Stack Management → API keys) and enter it here.' };
  // index.blocks.write, or read-only since a disk was full.
  if (status === 403 && type === 'cluster_block_exception')
    return setting(`Elasticsearch blocks writing to ${index}: free disk space and remove the block from its settings.`);
  if (status === 403)
    return toGrant(/granted by the index privileges \[(\w+)/.exec(reason ?? '')?.[1] ?? 'create_doc', index);
  if (status === 404)
    return setting(`Create the index or data stream ${index}, or correct its name here: it is not created by itself.`);
  if (type === 'invalid_index_name_exception') return setting(`Correct the name of the index, ${index}.`);
  if (/^pipeline with id \[.*\] does not exist/.test(reason ?? ''))
    return setting('Create this pipeline in Kibana (Stack Management → Ingest pipelines), or correct its name here.');
  if (/^no handler found for uri|unrecognized parameter: \[/.test(reason ?? ''))
    return setting('Enter the address of Elasticsearch itself, without a path: this one does not know bulk requests.');
  if (/this action would add \[\d+\] shards/.test(reason ?? ''))
    return setting('The cluster may hold no more shards: delete old indices or raise cluster.max_shards_per_node.');
  return undefined;
}

function toGrant(privilege: string, index: string): Remedy {
  const fix = `Give the API key the index privilege ${privilege} on ${index} (Kibana → Stack Management → API keys).`;
  return { cause: 'permission', fix };
}

function misconfigured({ cause, fix, words }: Held, status: number): Outcome {
  return { kind: 'misconfigured', cause, reason: `Elasticsearch answered “${words}”`, fix, status, answer: words };
}

/**
 * Type and reason of an error without what it quotes: reasons repeat values of the event ("Preview of field's value",
 * an unparsable date, the prefix of an immense term).
 */
function wordsOf(error: ReportedError, facts: BulkFacts): string {
  // Before anything else is cut out: what is left of a credential would not be recognised.
  const reason = readable(error.reason ?? '', facts.secrets)
    .replace(/ ?Preview of field's value:.*$/s, '')
    .replace(/(date field|first immense term is:) '?\[[^\]]*\]?'?/g, '$1 […]')
    .replace(/'[^']*'|(?<!field=)"[^"]*"/g, '…');
  return excerpt(`${error.type}: ${reason}`, facts.secrets);
}

/** The answer was longer than any honest one: fewer events per request make it shorter, and ids make repeats harmless. */
function unreadable(facts: BulkFacts): Outcome {
  const reason = 'Elasticsearch’s answer was too long to read';
  return facts.ids.length > 1
    ? { kind: 'refused', tooLarge: true, reason, uncertain: true, status: 200 }
    : { kind: 'retry', cause: 'server', reason, uncertain: true, status: 200 };
}

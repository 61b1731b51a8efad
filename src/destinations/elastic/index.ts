import { Type } from 'typebox';
import type { LoggedEvent } from '../../event/logged-event.ts';
import { type Answer, type Failure, LONGEST_ANSWER, type OutboundRequest } from '../../outbound/outbound.ts';
import { Secret } from '../../secrets.ts';
import { checkStep } from '../check-step.ts';
import { compress } from '../compress.ts';
import type { Outcome } from '../destination.ts';
import { outcomeOfFailure } from '../failure-outcome.ts';
import { certificateSetting, defineDestination, endpointBase, secretSetting, textSetting } from '../settings.ts';
import {
  type BulkFacts,
  classifyAuthenticate,
  classifyBulk,
  classifyPrivileges,
  isUnknownParameter,
} from './classify.ts';
import { EVENT_BYTES, encodeBulk, OVERHEAD_BYTES } from './encode.ts';
import { guide, needs } from './guide.ts';

const settings = Type.Object({
  endpointUrl: textSetting({
    title: 'Endpoint URL',
    description: 'The Elasticsearch endpoint (not Kibana’s), or the Cloud ID of an Elastic Cloud deployment.',
    placeholder: 'https://my-deployment.es.eu-central-1.aws.elastic.cloud',
    maxLength: 2000,
  }),
  apiKey: secretSetting({
    title: 'API Key',
    description: 'Kibana → Stack Management → API keys → Create API key; shown once. Encoded or as id:key.',
    pattern: '^[ -~]+$',
    rule: 'printable ASCII characters',
  }),
  index: textSetting({
    title: 'Index',
    description: 'Index or data stream that takes the events. A data stream is recommended.',
    placeholder: 'logs-trailproof.audit-default',
    // https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-indices-create
    pattern: '^(?!\\.{1,2}$)[^-_+A-Z\\\\/*?"<>|,#:\\s][^A-Z\\\\/*?"<>|,#:\\s]*$',
    rule: 'the name of an index or data stream: lower case, without spaces and without any of \\ / * ? " < > | , # :',
    maxLength: 255,
  }),
  pipeline: Type.Optional(
    textSetting({ title: 'Pipeline', description: 'An ingest pipeline through which the events go.', maxLength: 255 }),
  ),
  caCertificate: Type.Optional(
    certificateSetting({
      title: 'CA certificate',
      description: 'PEM; when an authority of your own signed Elasticsearch’s certificate.',
    }),
  ),
});

/** Elasticsearch: self-managed, Elastic Cloud or serverless, by the bulk API. */
export const elastic = defineDestination({
  kind: 'elastic',
  title: 'Elastic (ELK Stack)',
  needs,
  guide,
  settings,
  // Elasticsearch takes 100 MB (http.max_content_length), the proxies before it often no more than 10 MB.
  limits: { batchEvents: 1_000, batchBytes: 5_000_000, eventBytes: EVENT_BYTES, overheadBytes: OVERHEAD_BYTES },

  refine(given) {
    const address = addressOf(given.endpointUrl, given.index);
    if (address === undefined)
      return {
        settings: given,
        problems: [{ field: 'endpointUrl', message: 'must be an https:// URL or a Cloud ID' }],
      };
    return { settings: { ...given, endpointUrl: address, apiKey: encodedKey(given.apiKey) }, problems: [] };
  },

  open({ endpointUrl, apiKey, index, pipeline, caCertificate }, { openOutbound, clock }) {
    const outbound = openOutbound({ caCertificate });
    const authorization = `ApiKey ${apiKey.reveal()}`;
    const secrets = [apiKey, ...keyWithin(apiKey)];
    const facts = (batch: readonly LoggedEvent[]): BulkFacts => ({
      siem: 'Elasticsearch',
      now: clock.now(),
      secrets,
      ids: batch.map(({ id }) => id),
      index,
    });
    const call = (
      signal: AbortSignal,
      request: Pick<OutboundRequest, 'method' | 'body' | 'longestAnswer'> & { readonly path: string },
      headers: Readonly<Record<string, string>> = { 'content-type': 'application/json' },
    ): Promise<Answer | Failure> =>
      outbound.request(
        {
          method: request.method,
          url: endpointUrl + request.path,
          headers: { authorization, accept: 'application/json', ...headers },
          body: request.body,
          ...(request.longestAnswer !== undefined && { longestAnswer: request.longestAnswer }),
        },
        signal,
      );
    const judge = (
      answer: Answer | Failure,
      classify: (answer: Answer, facts: BulkFacts) => Outcome,
      batch: readonly LoggedEvent[] = [],
    ): Outcome =>
      answer.kind === 'failure' ? outcomeOfFailure(answer, 'Elasticsearch') : classify(answer, facts(batch));

    /** Refused events are not to be quoted back; Elasticsearch before 8.18 does not know how to leave them out. */
    let hidesSource = true;
    const bulkPath = (): string => {
      const query = new URLSearchParams({
        filter_path: ANSWERED,
        ...(hidesSource && { include_source_on_error: 'false' }),
        ...(pipeline && { pipeline }),
      });
      return `/${encodeURIComponent(index)}/_bulk?${query}`;
    };

    return {
      endpoint: endpointUrl,
      async prepare(batch) {
        const { body, headers } = await compress(encodeBulk(batch));
        const post = (signal: AbortSignal): Promise<Answer | Failure> =>
          call(
            signal,
            { method: 'POST', path: bulkPath(), body, longestAnswer: longestAnswer(batch) },
            { 'content-type': 'application/x-ndjson', ...headers },
          );
        return {
          bytes: body.length,
          async send(signal) {
            let answer = await post(signal);
            if (hidesSource && answer.kind === 'answer' && isUnknownParameter(answer)) {
              hidesSource = false;
              answer = await post(signal);
            }
            return judge(answer, classifyBulk, batch);
          },
        };
      },
      async check(signal, report) {
        const credential = await checkStep(
          { name: 'credential', detail: 'Elasticsearch accepts the API key', clock, report },
          async () =>
            judge(await call(signal, { method: 'GET', path: '/_security/_authenticate' }), classifyAuthenticate),
        );
        if (credential.kind !== 'delivered') return credential;
        const path = '/_security/user/_has_privileges';
        const body = JSON.stringify({ index: [{ names: [index], privileges: ['create_doc', 'auto_configure'] }] });
        return checkStep({ name: 'permission', detail: `The API key may write to ${index}`, clock, report }, async () =>
          judge(await call(signal, { method: 'POST', path, body }), classifyPrivileges),
        );
      },
      close: () => outbound.close(),
    };
  },

  standIn: async () => (await import('./stand-in.ts')).startElasticStandIn,
});

/**
 * What is read of a bulk answer, a tenth of it. https://www.elastic.co/docs/reference/elasticsearch/rest-apis/common-options
 */
const ANSWERED = 'errors,items.*.status,items.*.error.type,items.*.error.reason,items.*.failure_store';

/** A bulk answer names every event, with a reason some 2 KiB each; four times as much is read. */
function longestAnswer(batch: readonly LoggedEvent[]): number {
  return Math.min(LONGEST_ANSWER, (32 + batch.length) * 8 * 1024);
}

/** The address behind what is pasted: a Cloud ID or a URL, with or without scheme and the path of a bulk call. */
function addressOf(pasted: string, index: string): string | undefined {
  const url = URL.parse(cloudAddress(pasted) ?? (pasted.includes('://') ? pasted : `https://${pasted}`));
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password) return undefined;
  const base = endpointBase(url.href, /\/_bulk\/?$/);
  return base.endsWith(`/${index}`) ? base.slice(0, -index.length - 1) : base;
}

/**
 * `name:base64("<host>[:port]$<elasticsearch uuid>$<kibana uuid>")` → the Elasticsearch address.
 * https://www.elastic.co/docs/deploy-manage/deploy/elastic-cloud/find-cloud-id
 */
function cloudAddress(pasted: string): string | undefined {
  const encoded = /^[^/:]*:([\w+/]{16,}=*)$/.exec(pasted)?.[1];
  const [host, uuid] = Buffer.from(encoded ?? '', 'base64')
    .toString()
    .split('$');
  return host && uuid ? `https://${uuid}.${host}` : undefined;
}

/** A key as `id:key` (Kibana's "Beats" form) or already encoded, with or without the header's scheme. */
function encodedKey(pasted: Secret): Secret {
  const key = pasted.reveal().replace(/^(authorization:\s*)?apikey\s+/i, '');
  return new Secret(key.includes(':') ? Buffer.from(key).toString('base64') : key);
}

/** What an encoded key holds behind its id: an answer may name it decoded. */
function keyWithin(encoded: Secret): readonly Secret[] {
  const [, key] = /^[^:]+:([!-~]{8,})$/.exec(Buffer.from(encoded.reveal(), 'base64').toString()) ?? [];
  return key === undefined ? [] : [new Secret(key)];
}

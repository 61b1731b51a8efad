import { Type } from 'typebox';
import { checkStep } from '../check-step.ts';
import { compress } from '../compress.ts';
import type { Outcome } from '../destination.ts';
import { outcomeOfFailure } from '../failure-outcome.ts';
import {
  certificateSetting,
  defineDestination,
  endpointBase,
  secretSetting,
  textSetting,
  urlSetting,
} from '../settings.ts';
import { sendFitting } from '../unfit.ts';
import { classifyUpload } from './classify.ts';
import { encodeRows, OVERHEAD_BYTES, WINDOW_MS } from './encode.ts';
import { guide, needs } from './guide.ts';
import { openTokens } from './token.ts';

const PUBLIC_CLOUD = 'https://login.microsoftonline.com';

const settings = Type.Object({
  tenantId: textSetting({
    title: 'Tenant ID',
    description: 'Entra ID → App registrations → your app → Directory (tenant) ID.',
    placeholder: '00000000-0000-0000-0000-000000000000',
    pattern: '^[A-Za-z0-9.-]+$',
    rule: 'a GUID or a domain',
  }),
  clientId: textSetting({
    title: 'Client ID',
    description: 'Entra ID → App registrations → your app → Application (client) ID.',
    placeholder: '00000000-0000-0000-0000-000000000000',
  }),
  clientSecret: secretSetting({
    title: 'Client Secret',
    description: 'The Value (not the Secret ID) of a secret in Certificates & secrets; shown once.',
  }),
  ingestionEndpoint: urlSetting({
    title: 'Logs ingestion endpoint',
    description: 'Data collection rule → Overview → Logs ingestion endpoint, or that of its data collection endpoint.',
    placeholder: 'https://my-rule-ab12.westeurope-1.ingest.monitor.azure.com',
  }),
  dcrImmutableId: textSetting({
    title: 'DCR Immutable ID',
    description: 'Data collection rule → Overview → Immutable Id.',
    placeholder: 'dcr-00000000000000000000000000000000',
    pattern: '^dcr-[0-9A-Za-z]+$',
    rule: 'the immutable ID, which begins with dcr- (the name of the rule does not work)',
  }),
  streamName: textSetting({
    title: 'Stream Name',
    description: 'The stream that the data collection rule declares. Upper and lower case count.',
    placeholder: 'Custom-TrailproofAudit_CL',
    pattern: '^(Custom|Microsoft)-\\w+$',
    rule: 'the name of a stream, which begins with Custom- or Microsoft-',
  }),
  authorityHost: Type.Optional(
    urlSetting({
      title: 'Authority host',
      description:
        'Where Entra ID signs the app in. US Government: login.microsoftonline.us. China: login.partner.microsoftonline.cn.',
      default: PUBLIC_CLOUD,
      choices: {
        [PUBLIC_CLOUD]: 'Azure public cloud',
        'https://login.microsoftonline.us': 'Azure US Government',
        'https://login.partner.microsoftonline.cn': 'Azure China',
      },
    }),
  ),
  caCertificate: Type.Optional(
    certificateSetting({
      title: 'CA certificate',
      description: 'PEM; when a proxy of yours that inspects TLS stands between here and Azure.',
    }),
  ),
});

/** Azure refuses more than 1,048,576 bytes, by what it reads from Content-Length; the docs mean uncompressed bytes too. */
const BODY_BYTES = 950_000;

const TOO_LONG = 'What identifies the event is longer than a column, 64 KB: Azure would cut it unmarked';

/** A new role assignment takes up to so long to act; meanwhile uploads are answered 403. */
const PERMISSION_WINDOW_MS = 30 * 60_000;

/** Microsoft Sentinel by Azure Monitor's Logs Ingestion API. */
export const sentinel = defineDestination({
  kind: 'sentinel',
  title: 'Microsoft Sentinel',
  needs,
  guide,
  settings,
  limits: {
    batchEvents: 2_500,
    batchBytes: BODY_BYTES,
    eventBytes: BODY_BYTES,
    overheadBytes: OVERHEAD_BYTES,
    maxAgeMs: WINDOW_MS,
  },

  refine: (given) => ({
    settings: {
      ...given,
      ingestionEndpoint: endpointBase(given.ingestionEndpoint, /\/dataCollectionRules\/.*$/i),
      authorityHost: endpointBase(given.authorityHost ?? PUBLIC_CLOUD, /(\/[^/]+)?\/(oauth2|v2\.0)(\/.*)?$/i),
    },
    problems: [],
  }),

  open(given, { openOutbound, clock, configuredAt }) {
    const { ingestionEndpoint, dcrImmutableId, streamName, clientSecret } = given;
    const { authorityHost: authority = PUBLIC_CLOUD } = given;
    const outbound = openOutbound({ caCertificate: given.caCertificate });
    const tokens = openTokens({ ...given, authority, scope: scopeOf(authority) }, outbound, clock);
    /** Whether the last upload was forbidden, and when (milliseconds) one was last taken after such a refusal. */
    let isForbidden = false;
    let permittedAt = Number.NEGATIVE_INFINITY;
    const url = `${ingestionEndpoint}/dataCollectionRules/${dcrImmutableId}/streams/${encodeURIComponent(streamName)}?api-version=2023-01-01`;

    const upload = async (
      body: Buffer,
      encoding: Readonly<Record<string, string>>,
      events: number,
      signal: AbortSignal,
    ): Promise<Outcome> => {
      for (let isRenewed = false; ; isRenewed = true) {
        const token = await tokens.get(signal);
        if (token.kind !== 'token') return token;
        const headers = {
          authorization: `Bearer ${token.value.reveal()}`,
          'content-type': 'application/json',
          ...encoding,
        };
        const answer = await outbound.request({ method: 'POST', url, headers, body }, signal);
        if (answer.kind === 'failure') return outcomeOfFailure(answer, 'Microsoft Sentinel');
        const now = clock.now();
        const outcome = classifyUpload(answer, {
          siem: 'Microsoft Sentinel',
          now,
          secrets: [clientSecret, token.value],
          events,
          dcrImmutableId,
          streamName,
          mayAwaitPermission: now < Math.max(configuredAt, permittedAt) + PERMISSION_WINDOW_MS,
        });
        // A role that has just begun to act may not act everywhere yet.
        if (isForbidden && outcome.kind === 'delivered') permittedAt = now;
        isForbidden = answer.status === 403;
        // A token may be revoked before its end: another one is asked for, once.
        if (outcome.kind !== 'misconfigured' || outcome.cause !== 'credential') return outcome;
        tokens.drop(token);
        if (isRenewed) return outcome;
      }
    };

    return {
      endpoint: ingestionEndpoint,
      async prepare(batch) {
        const { body: rows, unfit } = encodeRows(batch, clock.now());
        const { body, headers } = await compress(rows);
        const events = batch.length - unfit.length;
        return {
          bytes: body.length,
          send: (signal) => sendFitting(unfit, batch.length, TOO_LONG, () => upload(body, headers, events, signal)),
        };
      },
      async check(signal, report) {
        const credential = await checkStep(
          { name: 'credential', detail: 'Microsoft Entra ID gave a token', clock, report },
          async () => {
            const token = await tokens.get(signal);
            return token.kind === 'token' ? { kind: 'delivered' } : token;
          },
        );
        if (credential.kind !== 'delivered') return credential;
        return checkStep(
          { name: 'permission', detail: `The app may send to ${streamName}`, clock, report },
          async () => {
            const outcome = await upload(Buffer.from('[]'), {}, 0, signal);
            // An endpoint that finds fault with an empty array has found none with app, rule and stream.
            return outcome.kind === 'refused' ? { kind: 'delivered' } : outcome;
          },
        );
      },
      async close() {
        tokens.close();
        await outbound.close();
      },
    };
  },

  standIn: async () => (await import('./stand-in.ts')).startSentinelStandIn,
});

/** What the token is asked for: each cloud has its own name for Azure Monitor. */
function scopeOf(authority: string): string {
  const cloud = /\.(us|cn)$/.exec(new URL(authority).hostname)?.[1] ?? 'com';
  return `https://monitor.azure.${cloud}/.default`;
}

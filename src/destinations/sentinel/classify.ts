import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { Answer, Failure } from '../../outbound/outbound.ts';
import { Secret } from '../../secrets.ts';
import type { Outcome } from '../destination.ts';
import {
  type AnswerFacts,
  evidenceOf,
  excerpt,
  isHtml,
  outcomeOfAnswer,
  outcomeOfFailure,
  waitOf,
} from '../failure-outcome.ts';
import { readJson } from '../json-answer.ts';

/** An access token, and the moment (milliseconds) from which it is not used any more. */
export interface Token {
  readonly kind: 'token';
  readonly value: Secret;
  readonly renewAt: number;
}

/** What an upload's answer is judged with. */
export interface UploadFacts extends AnswerFacts {
  readonly events: number;
  readonly dcrImmutableId: string;
  readonly streamName: string;
  /** A role given minutes ago may not act yet. */
  readonly mayAwaitPermission: boolean;
}

const Issued = Compile(
  Type.Object({
    access_token: Type.String({ minLength: 1 }),
    expires_in: Type.Union([Type.Number(), Type.String({ pattern: '^\\d+$' })]),
  }),
);
const TokenError = Compile(Type.Object({ error: Type.String(), error_description: Type.Optional(Type.String()) }));
const UploadError = Compile(Type.Object({ error: Type.Object({ code: Type.String() }) }));

const ENTRA = 'Microsoft Entra ID';
const AUTHORITY_FIX = 'Check the authority host: it does not answer as Microsoft Entra ID does.';

/** A token is renewed five minutes before its end, one of less than ten minutes in the middle of its life. */
const TOKEN_MARGIN_MS = 5 * 60_000;

/** How long to wait before asking again whether a role acts. */
const PERMISSION_WAIT_MS = 60_000;

/**
 * What a person does about Entra ID's errors.
 * https://learn.microsoft.com/entra/identity-platform/reference-error-codes
 */
const TOKEN_FIXES: Readonly<Record<string, string>> = {
  AADSTS7000215:
    'The client secret is wrong. In App registrations → your app → Certificates & secrets copy the secret’s Value, not its ID; it is shown only once, so create a new one if need be.',
  AADSTS7000222:
    'The client secret has expired. Create a new one in App registrations → your app → Certificates & secrets and enter its Value here.',
  AADSTS700016:
    'This tenant has no app with this Client ID. Copy both Application (client) ID and Directory (tenant) ID from the overview of one app registration.',
  AADSTS90002:
    'There is no such tenant in this cloud. Copy Directory (tenant) ID from the app registration and check the cloud.',
  AADSTS900023: 'The Tenant ID is neither a GUID nor a domain. Copy Directory (tenant) ID from the app registration.',
  AADSTS7000112:
    'The app is disabled. Let users sign in to it again in Entra ID → Enterprise applications → your app → Properties.',
  AADSTS53003: 'A Conditional Access policy blocks the app: exclude it there, or allow our addresses.',
};

/** The token endpoint's answer. https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow */
export function classifyToken(answer: Answer | Failure, facts: Omit<AnswerFacts, 'siem'>): Token | Outcome {
  if (answer.kind === 'failure') return withoutEvents(outcomeOfFailure(answer, ENTRA));
  if (answer.status === 200) {
    const issued = readJson(Issued, answer);
    // Its words are not kept: a token may be among them.
    if (!issued)
      return {
        kind: 'misconfigured',
        cause: 'setting',
        reason: `${ENTRA} answered without a token`,
        fix: AUTHORITY_FIX,
        status: 200,
      };
    const lifeMs = Number(issued.expires_in) * 1000;
    const renewAt = facts.now + Math.max(lifeMs - TOKEN_MARGIN_MS, lifeMs / 2);
    return { kind: 'token', value: new Secret(issued.access_token), renewAt };
  }
  const refusal = readJson(TokenError, answer);
  if (!refusal || answer.status === 429 || answer.status >= 500)
    return withoutEvents(outcomeOfAnswer(answer, { ...facts, siem: ENTRA }));
  const evidence = evidenceOf(answer, facts.secrets);
  if (refusal.error === 'temporarily_unavailable')
    return {
      kind: 'retry',
      cause: 'server',
      reason: 'Microsoft Entra ID is temporarily unavailable',
      ...waitOf(answer, facts),
      ...evidence,
    };
  const code = /AADSTS\d+/.exec(refusal.error_description ?? '')?.[0] ?? excerpt(refusal.error, facts.secrets);
  return {
    kind: 'misconfigured',
    cause: 'credential',
    reason: `Microsoft Entra ID gave no token: ${code} (${answer.status})`,
    fix: TOKEN_FIXES[code] ?? 'Check Tenant ID, Client ID and Client Secret against the app registration in Entra ID.',
    ...evidence,
  };
}

/**
 * What became of an upload. A call is taken or refused as a whole, and only 204 means taken.
 * https://learn.microsoft.com/azure/azure-monitor/logs/logs-ingestion-api-overview
 */
export function classifyUpload(answer: Answer, facts: UploadFacts): Outcome {
  const { status } = answer;
  if (status === 204) return { kind: 'delivered', status };
  const evidence = evidenceOf(answer, facts.secrets);
  const code = answer.headers['x-ms-error-code'] ?? readJson(UploadError, answer)?.error.code;
  const reason = `Microsoft Sentinel answered ${status}${code ? `, ${excerpt(code, facts.secrets)}` : ''}`;
  const misconfigured = (cause: 'credential' | 'permission' | 'setting', fix: string): Outcome => ({
    kind: 'misconfigured',
    cause,
    reason,
    fix,
    ...evidence,
  });
  if (isHtml(answer)) return outcomeOfAnswer(answer, facts);
  switch (code) {
    // Both are what a body that is too large, or too slow to arrive, is answered; one event alone was only slow.
    case 'TimeoutExpired':
    case 'ReadyBody_ClientConnectionAbort':
      if (facts.events === 1) return { kind: 'retry', cause: 'server', reason, ...evidence };
      return { kind: 'refused', tooLarge: true, reason, ...evidence };
    case 'ContentLengthLimitExceeded':
      return { kind: 'refused', tooLarge: true, reason, ...evidence };
    // Only auxiliary tables: halved, a call spans less time.
    case 'RecordsTimeRangeIsMoreThan30Minutes':
      return { kind: 'refused', reason, ...evidence };
    case 'MissingApiVersionParameter':
    case 'InvalidApiVersion':
      return misconfigured(
        'setting',
        'Check the ingestion endpoint: it does not know this version of the Logs Ingestion API.',
      );
    case 'InvalidStream':
      return misconfigured(
        'setting',
        `Copy the stream name from the data collection rule: it has none called ${facts.streamName} (upper and lower case count).`,
      );
  }
  switch (status) {
    case 401:
      return misconfigured(
        'credential',
        'The token is not valid here: check that cloud, tenant and ingestion endpoint belong together.',
      );
    // A role may take 30 minutes to act: https://learn.microsoft.com/azure/azure-monitor/logs/tutorial-logs-ingestion-portal
    case 403:
      return facts.mayAwaitPermission
        ? {
            kind: 'retry',
            cause: 'server',
            reason: `${reason}: waiting for permission, a new role takes up to 30 minutes to act`,
            retryAfterMs: PERMISSION_WAIT_MS,
            ...evidence,
          }
        : misconfigured(
            'permission',
            `Give the app the role Monitoring Metrics Publisher on the data collection rule ${facts.dcrImmutableId} (Access control (IAM)), not on the workspace.`,
          );
    case 404:
      return misconfigured(
        'setting',
        `Copy the immutable ID and the logs ingestion endpoint from the same data collection rule: ${facts.dcrImmutableId} is not known at this endpoint.`,
      );
  }
  return outcomeOfAnswer(answer, facts);
}

/** A token call concerns no events: it can neither split a batch nor leave one in doubt. */
function withoutEvents(outcome: Outcome): Outcome {
  if (outcome.kind !== 'refused') return { ...outcome, uncertain: false };
  return {
    ...outcome,
    kind: 'misconfigured',
    cause: 'setting',
    fix: AUTHORITY_FIX,
  };
}

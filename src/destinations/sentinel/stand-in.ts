import { randomUUID } from 'node:crypto';
import { systemClock } from '../../clock.ts';
import type { StandIn, StandInOptions } from '../destination.ts';
import {
  type ReceivedStore,
  type StandInAnswer,
  type StandInRequest,
  startStandInServer,
  type VendorFault,
} from '../stand-in-server.ts';

export interface SentinelStandInOptions extends StandInOptions {
  /** How long a token lives. Default 3,599 s. */
  readonly tokenLifeMs?: number;
}

/**
 * Entra ID's token endpoint and Azure Monitor's Logs Ingestion API on one address. The traps are the vendor's: only an
 * array is stored although an object is answered 204 too, the limit is on Content-Length, a column beyond 64 KB is cut,
 * and TimeGenerated outside its window is replaced.
 */
export function startSentinelStandIn(options: SentinelStandInOptions): Promise<StandIn> {
  /** Tokens given out, and when (milliseconds) each ends. */
  const tokens = new Map<string, number>();
  return startStandInServer(options, {
    handle(request, store) {
      const login = LOGIN.exec(request.path);
      if (!login) return upload(request, store, tokens);
      return login[2] === 'token'
        ? issue(request, login[1]!, tokens, options)
        : openIdConfiguration(request, login[1]!, options);
    },
    faultAnswer: (kind, { path }) => (LOGIN.test(path) ? WRONG_SECRET : FAULT_ANSWERS[kind]),
    // Entra ID has its own outages; what is tried out here are Azure Monitor's. A wrong credential concerns both.
    strikes: (kind, { path }) => !LOGIN.test(path) || (kind === 'unauthorized' && path.endsWith('/token')),
    settings: (url, caCertificate) => ({
      ...APP,
      ingestionEndpoint: url,
      dcrImmutableId: DCR,
      streamName: STREAM,
      authorityHost: url,
      ...(caCertificate !== undefined && { caCertificate }),
    }),
  });
}

const APP = {
  tenantId: '11111111-1111-4111-8111-111111111111',
  clientId: '22222222-2222-4222-8222-222222222222',
  clientSecret: 'client-secret-of-the-sentinel-stand-in',
};
const DCR = 'dcr-0123456789abcdef0123456789abcdef';
const STREAM = 'Custom-TrailproofAudit_CL';

const LOGIN = /^\/([^/]+)\/(?:oauth2\/v2\.0\/(token)|v2\.0\/\.well-known\/openid-configuration)$/;
const UPLOAD = /^\/dataCollectionRules\/([^/]+)\/streams\/([^/]+)$/;
const LARGEST_BODY = 1_048_576;
const LARGEST_COLUMN = 65_536;
const DAY_MS = 86_400_000;

function issue(
  request: StandInRequest,
  tenant: string,
  tokens: Map<string, number>,
  { tokenLifeMs = 3_599_000 }: SentinelStandInOptions,
): StandInAnswer {
  const form = new URLSearchParams(request.body.toString());
  if (tenant !== APP.tenantId)
    return tokenError(
      400,
      'invalid_request',
      90002,
      `Tenant '${tenant}' not found. Check to make sure you have the correct tenant ID.`,
    );
  if (form.get('grant_type') !== 'client_credentials')
    return tokenError(400, 'unsupported_grant_type', 70003, 'The app requested an unsupported grant type.');
  if (form.get('client_id') !== APP.clientId)
    return tokenError(
      400,
      'unauthorized_client',
      700016,
      `Application with identifier '${form.get('client_id')}' was not found in the directory.`,
    );
  if (form.get('client_secret') !== APP.clientSecret) return WRONG_SECRET;
  if (!/^https:\/\/monitor\.azure\.(com|us|cn)\/{1,2}\.default$/.test(form.get('scope') ?? ''))
    return tokenError(400, 'invalid_scope', 70011, 'The provided value for the input parameter scope is not valid.');
  const token = `stand-in.${randomUUID()}`;
  tokens.set(token, systemClock.now() + tokenLifeMs);
  const seconds = Math.floor(tokenLifeMs / 1000);
  return {
    status: 200,
    body: { token_type: 'Bearer', expires_in: seconds, ext_expires_in: seconds, access_token: token },
  };
}

function openIdConfiguration(request: StandInRequest, tenant: string, { tls }: SentinelStandInOptions): StandInAnswer {
  const base = `${tls ? 'https' : 'http'}://${request.headers['host']}/${tenant}`;
  return {
    status: 200,
    body: {
      token_endpoint: `${base}/oauth2/v2.0/token`,
      authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
      jwks_uri: `${base}/discovery/v2.0/keys`,
      issuer: `${base}/v2.0`,
      token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt', 'client_secret_basic'],
      response_types_supported: ['code', 'id_token', 'code id_token', 'id_token token'],
      subject_types_supported: ['pairwise'],
      id_token_signing_alg_values_supported: ['RS256'],
    },
  };
}

function upload(request: StandInRequest, store: ReceivedStore, tokens: ReadonlyMap<string, number>): StandInAnswer {
  const route = UPLOAD.exec(request.path);
  if (!route || request.method !== 'POST') return uploadError(404, 'NotFound', 'The resource was not found.');
  const [, dcr = '', stream = ''] = route.map(decodeURIComponent);
  const token = /^Bearer (.+)$/.exec(request.headers['authorization'] ?? '')?.[1] ?? '';
  if (systemClock.now() >= (tokens.get(token) ?? 0)) return FAULT_ANSWERS.unauthorized;
  // The official client writes the parameter as `api%2Dversion`: compared decoded.
  if (request.query.get('api-version') !== '2023-01-01')
    return uploadError(400, 'InvalidApiVersion', 'The api-version is missing or not supported.');
  if (request.wireBytes > LARGEST_BODY) return tooLarge(request.wireBytes);
  if (dcr !== DCR) return uploadError(404, 'NotFound', `Data collection rule with immutable Id '${dcr}' not found.`);
  if (stream !== STREAM)
    return uploadError(400, 'InvalidStream', `Data collection rule '${dcr}' does not declare the stream '${stream}'.`);

  // As Azure's own tests have it.
  if (request.body.length === 0) return FAULT_ANSWERS.error;
  const rows = parse(request.body.toString());
  // Taken, but stored nowhere: Azure/azure-sdk-for-python#32562.
  if (isObject(rows)) return { status: 204 };
  if (!Array.isArray(rows) || !rows.every(isObject)) return FAULT_ANSWERS.refuse;
  if (rows.some((row) => store.wantsRejected(idOf(row)))) {
    store.reject();
    return FAULT_ANSWERS.refuse;
  }
  for (const row of rows) {
    const columns = Object.fromEntries(Object.entries(row).map(([name, value]) => [name, stored(value)]));
    const { TimeGenerated, ...event } = columns;
    store.add(idOf(row), event, { ...columns, TimeGenerated: timeGenerated(TimeGenerated) });
  }
  return { status: 204 };
}

/** A column's value as kept: text beyond the limit is cut, and what was an object is then only text. */
function stored(value: unknown): unknown {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return Buffer.byteLength(text) <= LARGEST_COLUMN ? value : Buffer.from(text).subarray(0, LARGEST_COLUMN).toString();
}

/** The time given, or that of receipt when it is missing, older than two days or more than one day ahead. */
function timeGenerated(given: unknown): string {
  const now = systemClock.now();
  const at = typeof given === 'string' ? Date.parse(given) : Number.NaN;
  return new Date(at > now - 2 * DAY_MS && at < now + DAY_MS ? at : now).toISOString();
}

function idOf(row: Record<string, unknown>): string {
  return typeof row['id'] === 'string' ? row['id'] : randomUUID();
}

const WRONG_SECRET = tokenError(401, 'invalid_client', 7000215, 'Invalid client secret provided.');

const FAULT_ANSWERS: Readonly<Record<VendorFault, StandInAnswer>> = {
  busy: uploadError(503, 'ServiceUnavailable', 'The service is temporarily unavailable.'),
  throttle: {
    ...uploadError(429, 'TooManyRequests', 'The data collection rule takes 12,000 requests a minute.'),
    headers: { 'x-ms-error-code': 'TooManyRequests', 'retry-after': '1' },
  },
  error: uploadError(500, 'InternalServerError', 'An internal error occurred.'),
  unauthorized: uploadError(401, 'InvalidToken', 'The authentication token is not valid.'),
  forbidden: uploadError(
    403,
    'OperationFailed',
    `The authentication token provided does not have access to ingest data for the data collection rule with immutable Id '${DCR}' PipelineAccessResult: AccessGranted: False, IsRbacPresent: False, IsDcrDceBindingValid: True.`,
  ),
  too_large: tooLarge(LARGEST_BODY + 1),
  refuse: uploadError(400, 'InvalidPayload', 'The payload is not a JSON array of objects.'),
};

function tooLarge(bytes: number): StandInAnswer {
  return uploadError(
    413,
    'ContentLengthLimitExceeded',
    `Maximum allowed content length: ${LARGEST_BODY} bytes (1 MB). Provided content length: ${bytes} bytes.`,
  );
}

function uploadError(status: number, code: string, message: string): StandInAnswer {
  return { status, headers: { 'x-ms-error-code': code }, body: { error: { code, message } } };
}

function tokenError(status: number, error: string, code: number, text: string): StandInAnswer {
  return {
    status,
    body: {
      error,
      error_description: `AADSTS${code}: ${text} Trace ID: ${randomUUID()} Correlation ID: ${randomUUID()}`,
      error_codes: [code],
      timestamp: new Date(systemClock.now()).toISOString(),
      trace_id: randomUUID(),
      correlation_id: randomUUID(),
    },
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

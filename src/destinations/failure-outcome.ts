import type { Answer, Failure } from '../outbound/outbound.ts';
import type { Secret } from '../secrets.ts';
import type { Evidence, Outcome } from './destination.ts';
import { readable } from './redact.ts';

/** What a classification knows beside the answer. */
export interface AnswerFacts {
  /** The SIEM's name as a sentence shows it: "Splunk", "Microsoft Sentinel". */
  readonly siem: string;
  /** Milliseconds since the epoch, for `Retry-After` dates. */
  readonly now: number;
  /** Credentials that must not be shown even if the answer repeats them. */
  readonly secrets: readonly Secret[];
}

/** Longest excerpt of an answer that is kept, in characters. */
const EXCERPT_LENGTH = 500;
/** Where an answer's content shows, in characters: one that goes on for megabytes is not searched through. */
const START_LENGTH = 4_000;
/** A `Retry-After` beyond this is taken as this: a receiver must not be able to stop a lane for days. */
const LONGEST_RETRY_AFTER_MS = 3_600_000;

/** What a missing answer means: the same for every SIEM. */
export function outcomeOfFailure(failure: Failure, siem: string): Outcome {
  const uncertain = failure.uncertain ? { uncertain: true } : {};
  if (failure.blocked)
    return {
      kind: 'misconfigured',
      cause: 'address',
      reason: failure.reason,
      fix: `Correct the endpoint URL of ${siem}, or ask the operator to allow this address (DESTINATION_NETWORK, ALLOW_HTTP_DESTINATIONS).`,
    };
  const tls = failure.stage === 'tls' ? tlsFix(failure.code, siem) : undefined;
  if (tls !== undefined) return { kind: 'misconfigured', cause: 'tls', reason: failure.reason, fix: tls };
  const fix = failure.fix ?? unreachableFix(failure, siem);
  if (fix !== undefined && PROXY_REFUSES.test(failure.code))
    return { kind: 'misconfigured', cause: 'setting', reason: failure.reason, fix };
  return { kind: 'retry', cause: 'unreachable', reason: failure.reason, ...(fix && { fix }), ...uncertain };
}

/** A proxy's 3xx and 4xx (`Failure.code`), but not those that pass by themselves. */
const PROXY_REFUSES = /^PROXY_(?!408|425|429)[34]/;

/**
 * What an answer means that the SIEM's own classification does not know: redirects, web pages, proxies, and the
 * statuses on which RFC 9110 leaves no doubt. Total, so that every answer has an outcome. A 2xx that gets here is not
 * the SIEM's (a login page, a proxy), so it is never taken as delivered.
 */
export function outcomeOfAnswer(answer: Answer, facts: AnswerFacts): Outcome {
  const { siem } = facts;
  const { status } = answer;
  const evidence = evidenceOf(answer, facts.secrets);
  const said = isHtml(answer) ? `a web page (${status})` : `${status}`;
  const wrong = (cause: Extract<Outcome, { kind: 'misconfigured' }>['cause'], fix: string): Outcome => ({
    kind: 'misconfigured',
    cause,
    reason: `${siem}'s address answered ${said}`,
    fix,
    ...evidence,
  });
  if (status === 429)
    return {
      kind: 'throttled',
      reason: `${siem} answered 429: too many requests`,
      ...waitOf(answer, facts),
      ...evidence,
    };
  if (status === 511) return wrong('setting', 'Sign this network in, or let the proxy pass requests to the SIEM.');
  const address = `Check host, port and path of the endpoint URL of ${siem}.`;
  if (status === 505) return wrong('setting', address);
  if (status === 408 || status === 425 || status >= 500)
    return {
      kind: 'retry',
      cause: 'server',
      reason: `${siem} answered ${said}`,
      ...waitOf(answer, facts),
      uncertain: status !== 425,
      ...evidence,
    };
  if (status === 413)
    return { kind: 'refused', tooLarge: true, reason: `${siem} answered 413: the body is too large`, ...evidence };
  if (status === 407) return wrong('setting', 'A proxy asks for credentials: let it pass requests to the SIEM.');
  if (status >= 300 && status < 400)
    return wrong('setting', `Redirects are not followed: enter the address of ${siem}'s API, not of its web page.`);
  if (isHtml(answer) || status < 300)
    return wrong(
      'setting',
      `Check host and port of the endpoint URL: a web page or a proxy answers there, not ${siem}'s API.`,
    );
  if (status === 401) return wrong('credential', `Regenerate the key or token in ${siem} and enter it here.`);
  if (status === 403) return wrong('permission', `Give the key or token the right to write audit events in ${siem}.`);
  if (status === 404 || status === 405 || status === 421 || status === 426) return wrong('setting', address);
  if (status === 400 || status === 422) return { kind: 'refused', reason: `${siem} answered ${said}`, ...evidence };
  return wrong('setting', `Check the endpoint URL and the settings of ${siem}.`);
}

/**
 * Status and excerpt of an answer, to be spread into an outcome. SIEMs answer in JSON; anything else may be a page of
 * whatever else listens at the address, and is not shown.
 */
export function evidenceOf(answer: Answer, secrets: readonly Secret[]): Pick<Evidence, 'status' | 'answer'> {
  const words = /^\s*[[{]/.test(startOf(answer)) ? excerpt(answer.body, secrets) : '';
  return words === '' ? { status: answer.status } : { status: answer.status, answer: words };
}

/** Whether a web page came where JSON was expected. Decided by content: proxies send pages under any type. */
export function isHtml(answer: Answer): boolean {
  return (
    /^\s*<(!doctype|html|head|body)/i.test(startOf(answer)) ||
    /^text\/html\b/i.test(answer.headers['content-type'] ?? '')
  );
}

function startOf({ body }: Answer): string {
  return body.slice(0, START_LENGTH);
}

/** How long `Retry-After` asks to wait, milliseconds: seconds or an HTTP date (RFC 9110 §10.2.3); at most an hour. */
export function retryAfterMs(headers: Readonly<Record<string, string>>, now: number): number | undefined {
  const value = headers['retry-after']?.trim();
  if (!value) return undefined;
  const isDate = value.endsWith('GMT');
  const ms = isDate ? Date.parse(value) - now : /^\d+(\.\d+)?$/.test(value) ? Number(value) * 1000 : Number.NaN;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(Math.ceil(ms), 0), LONGEST_RETRY_AFTER_MS);
}

/** `retryAfterMs` to be spread into an outcome: absent when the answer names no time. */
export function waitOf(answer: Answer, facts: Pick<AnswerFacts, 'now'>): { retryAfterMs?: number } {
  const ms = retryAfterMs(answer.headers, facts.now);
  return ms === undefined ? {} : { retryAfterMs: ms };
}

/** The answer's words for an operator: one line, at most 500 characters, credentials replaced by `[secret]`. */
export function excerpt(body: string, secrets: readonly Secret[]): string {
  const text = readable(body, secrets).trim();
  return text.length <= EXCERPT_LENGTH ? text : `${text.slice(0, EXCERPT_LENGTH - 1).toWellFormed()}…`;
}

/** What to do if a failure lasts that no firewall explains. */
function unreachableFix({ stage, code }: Failure, siem: string): string | undefined {
  if (code === 'ENOTFOUND' || code === 'ENODATA')
    return `Check the host name in the endpoint URL of ${siem}, and that the DNS server of this service knows it.`;
  if (code === 'EAI_AGAIN' || code === 'ESERVFAIL' || (stage === 'address' && code === 'TIMEOUT'))
    return 'Check that the DNS server of this service runs and can be reached from it.';
  return undefined;
}

/** What to do about a TLS failure that will not pass by itself; undefined when it may (a reset in the handshake). */
function tlsFix(code: string, siem: string): string | undefined {
  switch (code) {
    case 'CERT_HAS_EXPIRED':
      return `Renew the certificate of ${siem}'s server.`;
    case 'CERT_NOT_YET_VALID':
      return `Check the clocks of this server and of ${siem}'s server.`;
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
    case 'HOSTNAME_MISMATCH':
      return 'Use the host name that the certificate names in the endpoint URL.';
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return `Paste the certificate of the authority that signed ${siem}'s certificate into “CA certificate”.`;
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
      return `Check the port: it does not speak TLS. Turn on TLS for it in ${siem}.`;
  }
  if (/CERT|UNKNOWN_CA|ACCESS_DENIED|KEY_VALUES_MISMATCH|PEM|ASN1/.test(code))
    return `Check the certificates: ${siem}'s server and this destination do not accept each other's.`;
  if (/HANDSHAKE_FAILURE|PROTOCOL|VERSION|CIPHER/.test(code))
    return `Let ${siem}'s server accept TLS 1.2 or newer, and enter a client certificate if it demands one.`;
  return undefined;
}

/**
 * The only way out of the process. One Outbound belongs to one destination: it keeps that destination's connections,
 * checks every address before it connects (design §4) and bounds every answer. It knows nothing of SIEMs.
 */

/** What an operator allows: `public` addresses only, plus `private` (RFC 1918, ULA), or `any` (plus loopback). */
export type NetworkPolicy = 'public' | 'private' | 'any';

export interface OutboundOptions {
  readonly network: NetworkPolicy;
  readonly allowHttp: boolean;
  /** PEM; added to the built-in certificate authorities. */
  readonly caCertificate?: string | undefined;
  /** PEM client certificate and key, for mutual TLS. */
  readonly clientCertificate?: string | undefined;
  readonly clientKey?: string | undefined;
  /** How long connecting (TCP and TLS) may take. Default 10,000 ms. */
  readonly connectTimeoutMs?: number | undefined;
  /** How long sending and waiting for the answer's head may take, and then again reading its body. Default 60,000 ms. */
  readonly answerTimeoutMs?: number | undefined;
}

export interface OutboundRequest {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer | string | undefined;
  /** Bytes of the answer's body that are read, at most LONGEST_ANSWER. Default 256 KiB. */
  readonly longestAnswer?: number;
}

/** A bulk answer names every event: for 1,000 of them it has some 300 KB, with reasons several times that. */
export const LONGEST_ANSWER = 8 * 1024 * 1024;

export interface Answer {
  readonly kind: 'answer';
  readonly status: number;
  /** Names in lower case; a repeated header's values joined with ", ", except `set-cookie`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly setCookies: readonly string[];
  /** Of a body longer than the request allows only the beginning. */
  readonly body: string;
  readonly bodyCut: boolean;
}

/** No complete answer arrived. Never thrown: an unreachable SIEM is an expected outcome. */
export interface Failure {
  readonly kind: 'failure';
  readonly stage: 'address' | 'proxy' | 'connect' | 'tls' | 'send' | 'answer';
  /** Refused by our own guard (private address, plain http, …): a person must act. */
  readonly blocked: boolean;
  /** True when the receiver may have taken the body (reset or timeout after sending began). */
  readonly uncertain: boolean;
  /** Plain words with host and port, for example "splunk.acme.com:8088 did not answer within 10 s". No secret, no body. */
  readonly reason: string;
  /** Node's or TLS's error code, for example ECONNREFUSED, ENOTFOUND, CERT_HAS_EXPIRED; PROXY_407 from a proxy; for logs. */
  readonly code: string;
  /** What to do, where it is about the way out and not about the receiver: a proxy. */
  readonly fix?: string;
}

export interface Probe {
  /** `via`: host and port of the proxy between. */
  readonly address: { readonly ip: string; readonly via?: string; readonly ms: number };
  /** Absent for plain http. `validTo` in milliseconds since the epoch. */
  readonly tls?: { readonly validTo: number; readonly issuer: string; readonly protocol: string; readonly ms: number };
}

export interface Outbound {
  /** Sends one request and reads its whole answer. No redirect is followed. Never rejects except for bugs. */
  request(request: OutboundRequest, signal: AbortSignal): Promise<Answer | Failure>;
  /** Resolves, connects and shakes hands, sends nothing. For "Test connection". */
  probe(url: string, signal: AbortSignal): Promise<Probe | Failure>;
  close(): Promise<void>;
}

export type OpenOutbound = (options: Omit<OutboundOptions, 'network' | 'allowHttp'>) => Outbound;

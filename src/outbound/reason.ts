import type { Failure } from './outbound.ts';

export interface FailurePlace {
  /** Host and port. */
  readonly target: string;
  readonly stage: Failure['stage'];
  /** The time limit that `TIMEOUT` ran into. */
  readonly timeoutMs: number;
}

/** An error code of Node, OpenSSL or undici in plain words; the error's own message is never shown. */
export function reasonOf(code: string, { target, stage, timeoutMs }: FailurePlace): string {
  switch (code) {
    case 'TIMEOUT':
    case 'ETIMEDOUT':
      return `${target} ${TIMEOUT_WORDS[stage]} within ${timeoutMs < 1000 ? `${timeoutMs} ms` : `${Math.round(timeoutMs / 1000)} s`}`;
    case 'ABORT_ERR':
      return `the request to ${target} was stopped`;
    case 'ENOTFOUND':
    case 'ENODATA':
      return `the host name of ${target} does not exist`;
    case 'EAI_AGAIN':
    case 'ESERVFAIL':
      return `the host name of ${target} could not be resolved: the DNS server did not answer`;
    case 'ECONNREFUSED':
      return `${target} refused the connection`;
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return `there is no network route to ${target}`;
    case 'ECONNRESET':
    case 'EPIPE':
    case 'UND_ERR_SOCKET':
      return `${target} closed the connection ${CLOSED_WORDS[stage]}`;
    case 'UND_ERR_HEADERS_OVERFLOW':
      return `the headers of ${target}'s answer are too long`;
    case 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH':
      return `${target}'s answer is not as long as it says`;
    case 'ANSWER_TOO_LONG':
      return `the answer of ${target} has no end`;
    case 'CERT_HAS_EXPIRED':
      return `the certificate of ${target} has expired`;
    case 'CERT_NOT_YET_VALID':
      return `the certificate of ${target} is not valid yet`;
    case 'CERT_REVOKED':
      return `the certificate of ${target} was revoked`;
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
    case 'HOSTNAME_MISMATCH':
      return `the certificate of ${target} is for another host name`;
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
      return `the certificate of ${target} is self-signed`;
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return `the certificate of ${target} was signed by an authority that is not trusted here`;
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
      return `${target} does not speak TLS`;
    case 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED':
      return `${target} demands a client certificate`;
  }
  if (code.startsWith('HPE_') || code === 'HTTPParserError') return `${target} did not answer in HTTP`;
  if (stage === 'tls') return `the TLS handshake with ${target} failed (${code})`;
  return `the connection to ${target} failed (${code})`;
}

const TIMEOUT_WORDS: Readonly<Record<Failure['stage'], string>> = {
  address: 'could not be resolved',
  proxy: 'did not open the connection',
  connect: 'did not accept a connection',
  tls: 'did not finish the TLS handshake',
  send: 'did not answer',
  answer: 'did not finish its answer',
};

const CLOSED_WORDS: Readonly<Record<Failure['stage'], string>> = {
  address: '',
  proxy: 'without an answer',
  connect: 'before it was open',
  tls: 'in the TLS handshake',
  send: 'without an answer',
  answer: 'in the middle of its answer',
};

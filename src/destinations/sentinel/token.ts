import type { Clock } from '../../clock.ts';
import type { Outbound } from '../../outbound/outbound.ts';
import type { Secret } from '../../secrets.ts';
import type { Outcome } from '../destination.ts';
import { classifyToken, type Token } from './classify.ts';

/** An app registration's client credentials, and where they are exchanged for a token. */
export interface TokenRequest {
  /** For example `https://login.microsoftonline.com`. */
  readonly authority: string;
  readonly scope: string;
  readonly tenantId: string;
  readonly clientId: string;
  readonly clientSecret: Secret;
}

export interface Tokens {
  /** A token to send with, or why there is none. Callers at the same moment share one request. */
  get(signal: AbortSignal): Promise<Token | Outcome>;
  /** Forgets a token that was refused; a newer one stays. */
  drop(refused: Token): void;
  /** Ends the request in flight, if any. */
  close(): void;
}

/** Client credentials grant. https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow */
export function openTokens(request: TokenRequest, outbound: Outbound, clock: Clock): Tokens {
  const closing = new AbortController();
  let kept: Token | undefined;
  let asking: Promise<Token | Outcome> | undefined;

  const ask = async (): Promise<Token | Outcome> => {
    const answer = await outbound.request(
      {
        method: 'POST',
        url: `${request.authority}/${encodeURIComponent(request.tenantId)}/oauth2/v2.0/token`,
        headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
        body: new URLSearchParams({
          grant_type: 'client_credentials',
          client_id: request.clientId,
          client_secret: request.clientSecret.reveal(),
          scope: request.scope,
        }).toString(),
      },
      closing.signal,
    );
    asking = undefined;
    const token = classifyToken(answer, { now: clock.now(), secrets: [request.clientSecret] });
    if (token.kind === 'token') kept = token;
    return token;
  };

  return {
    get(signal) {
      if (kept && clock.now() < kept.renewAt) return Promise.resolve(kept);
      asking ??= ask();
      return unlessAborted(asking, signal);
    },
    drop(refused) {
      if (kept === refused) kept = undefined;
    },
    close: () => closing.abort(),
  };
}

/** The shared request goes on when one of its callers gives up. */
async function unlessAborted(asking: Promise<Token | Outcome>, signal: AbortSignal): Promise<Token | Outcome> {
  const { promise: aborted, resolve } = Promise.withResolvers<Outcome>();
  const stop = (): void =>
    resolve({ kind: 'retry', cause: 'unreachable', reason: 'stopped while waiting for a token' });
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([asking, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

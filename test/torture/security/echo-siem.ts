import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';

/** A SIEM that says every credential back that it is sent, each time in another form and with another status. */
export interface EchoSiem {
  readonly url: string;
  readonly answers: () => number;
  close(): Promise<void>;
}

type Form = (secret: string) => string;

/** Forms in which programs repeat what they were sent. */
const FORMS: readonly Form[] = [
  (secret) => secret,
  (secret) => Buffer.from(secret).toString('base64'),
  (secret) => Buffer.from(`x${secret}`).toString('base64url'),
  (secret) => Buffer.from(`user:${secret}`).toString('base64'),
  (secret) => encodeURIComponent(secret),
  (secret) => encodeURIComponent(secret).replace(/%../g, (code) => code.toLowerCase()),
  (secret) => encodeURIComponent(secret).toLowerCase(),
  (secret) => secret.toUpperCase(),
  (secret) => new URLSearchParams({ secret }).toString(),
  (secret) => JSON.stringify(secret),
  (secret) => JSON.stringify(secret).replaceAll('/', '\\/'),
  (secret) => secret.replace(/(.{9})/g, '$1\n'),
  (secret) => secret.replace(/(.{11})/g, '$1\r\n '),
  (secret) =>
    Buffer.from(secret)
      .toString('base64')
      .replace(/(.{8})/g, '$1\n'),
  // Twice, the second cut where an excerpt may end; and behind more blanks than anybody reads.
  (secret) => `${secret} ${'x'.repeat(470 - secret.length)}${secret}`,
  (secret) => `${' '.repeat(3_980)}${secret}`,
  (secret) => `${'\n'.repeat(70_000)}${secret}`,
  (secret) => `${secret} `.repeat(200),
];

/** Statuses and frames of the answers: HEC's, Elasticsearch's, Entra ID's, anybody's. */
const FRAMES: readonly ((words: string) => { readonly status: number; readonly body: unknown })[] = [
  (words) => ({ status: 403, body: { text: `Invalid token ${words}`, code: 4 } }),
  (words) => ({
    status: 401,
    body: { error: { type: 'security_exception', reason: `cannot use ${words}` }, status: 401 },
  }),
  (words) => ({ status: 400, body: { text: `Invalid data format ${words}`, code: 6, 'invalid-event-number': 0 } }),
  (words) => ({
    status: 400,
    body: { error: 'invalid_client', error_description: `AADSTS7000215: ${words}`, error_codes: [7000215] },
  }),
  (words) => ({ status: 500, body: { error: { code: words, message: words } } }),
  (words) => ({ status: 429, body: [words] }),
  (words) => ({ status: 404, body: { errors: [{ detail: words, title: words }] } }),
  (words) => ({ status: 302, body: { location: words } }),
  (words) => ({ status: 200, body: `<html><body>${words}</body></html>` }),
  (words) => ({ status: 503, body: `{"raw": "${words}"}` }),
];

/** `accessToken`: what it gives for a client secret in every other answer, and then says back as well. */
export async function startEchoSiem(accessToken: string): Promise<EchoSiem> {
  let answers = 0;
  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      const turn = answers++;
      if (request.url?.includes('/oauth2/') && turn % 2 === 0) {
        const token = { token_type: 'Bearer', expires_in: 3599, access_token: accessToken };
        return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(token));
      }
      const form = FORMS[turn % FORMS.length]!;
      const { status, body: said } = FRAMES[turn % FRAMES.length]!(credentialsIn(request, body).map(form).join(', '));
      const isPage = typeof said === 'string' && said.startsWith('<');
      response.writeHead(status, {
        'content-type': isPage ? 'text/html' : 'application/json',
        'x-echo': encodeURIComponent(request.headers.authorization ?? ''),
      });
      response.end(typeof said === 'string' ? said : JSON.stringify(said));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answers: () => answers,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  if (request.headers['content-encoding'] !== 'gzip') return text(request);
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk as Uint8Array));
  return gunzipSync(Buffer.concat(chunks)).toString();
}

/** As the request carries them, and as they were before a scheme was put in front or base64 around them. */
function credentialsIn({ headers }: IncomingMessage, body: string): readonly string[] {
  const sent = [
    headers.authorization,
    headers['dd-api-key'],
    headers['sec'],
    new URLSearchParams(body).get('client_secret'),
  ];
  return sent
    .flat()
    .filter((value) => value !== undefined && value !== null)
    .map((value) => value.replace(/^(Splunk|ApiKey|Bearer) /, ''))
    .flatMap((value) => {
      const decoded = Buffer.from(value, 'base64').toString();
      return /^[ -~]+:[ -~]+$/.test(decoded) ? [value, decoded, decoded.slice(decoded.indexOf(':') + 1)] : [value];
    });
}

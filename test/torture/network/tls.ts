import { createServer, type TlsOptions } from 'node:tls';
import { qradar } from '../../../src/destinations/qradar/index.ts';
import { certificate, type Pems } from './certificates.ts';
import { unreachable } from './connect.ts';
import { type Act, answer, relayTo } from './hostile-server.ts';
import { type Row, type Shown, scenarioOf } from './rows.ts';

const DAY_MS = 86_400_000;

/** Ends TLS here, and hands what is inside to `inside`. */
export function terminate({ cert, private: key }: Pems, inside: Act, options: TlsOptions = {}): Act {
  const server = createServer({ cert, key, ...options }, (socket) => inside(socket.on('error', () => {})));
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  return (socket) => void server.emit('connection', socket);
}

function refused(cause: string | RegExp, fix: string | RegExp): Shown {
  return { state: 'disconnected', cause, fix };
}

const PASTE = "Paste the certificate of the authority that signed Splunk's certificate into “CA certificate”.";
const CLIENT =
  /^(Check the certificates: QRadar's server and this destination do not accept each other's\.|Let QRadar's server accept TLS 1\.2 or newer, and enter a client certificate if it demands one\.|Check that it is running and that your firewall allows our IP addresses\.)$/;

async function rows(): Promise<readonly Row[]> {
  const now = Date.now();
  const by = await certificate('Test authority', { isAuthority: true });
  const stranger = await certificate('Other authority', { isAuthority: true });
  const good = await certificate('127.0.0.1', { by });
  const client = await certificate('trailproof', { by });
  const unknown = await certificate('trailproof', { by: stranger });
  const expired = await certificate('127.0.0.1', { by, from: new Date(now - 10 * DAY_MS), to: new Date(now - DAY_MS) });
  const early = await certificate('127.0.0.1', { by, from: new Date(now + DAY_MS), to: new Date(now + 9 * DAY_MS) });
  const otherName = await certificate('siem.example', { by });
  const foreign = await certificate('127.0.0.1', { by: stranger });
  const alone = await certificate('127.0.0.1');
  const demanding = { ca: by.cert, requestCert: true, rejectUnauthorized: true };

  /** Over a private authority, which the destination knows: that works before and after the fault. */
  const row = (name: string, shown: Shown | undefined, act: (port: number) => Act, more: Partial<Row> = {}): Row => ({
    ...{
      name,
      scheme: 'https',
      passOn: (port) => terminate(good, relayTo(port)),
      settings: { caCertificate: by.cert },
    },
    ...(shown && { shown }),
    begin: ({ front, standInPort }) => front.hostile(act(standInPort)),
    ...more,
  });
  const showing = (pems: Pems | undefined, passOn?: TlsOptions): Partial<Row> => ({
    kind: qradar,
    passOn: (port) => terminate(good, relayTo(port), passOn),
    settings: { caCertificate: by.cert, ...(pems && { clientCertificate: pems.cert, clientKey: pems.private }) },
  });
  const server = (pems: Pems, options?: TlsOptions) => (port: number) => terminate(pems, relayTo(port), options);

  return [
    row(
      'an expired certificate',
      refused('the certificate of {target} has expired', "Renew the certificate of Splunk's server."),
      server(expired),
    ),
    row(
      'a certificate of the future',
      refused(
        'the certificate of {target} is not valid yet',
        "Check the clocks of this server and of Splunk's server.",
      ),
      server(early),
    ),
    row('a self-signed certificate', refused('the certificate of {target} is self-signed', PASTE), server(alone)),
    row(
      'a certificate for another name',
      refused(
        'the certificate of {target} is for another host name',
        'Use the host name that the certificate names in the endpoint URL.',
      ),
      server(otherName),
    ),
    row(
      'an authority nobody knows',
      refused('the certificate of {target} was signed by an authority that is not trusted here', PASTE),
      server(foreign),
    ),
    ...(['TLSv1.2', 'TLSv1.3'] as const).flatMap((version) => {
      const only = { ...demanding, minVersion: version, maxVersion: version };
      return [
        row(
          `${version}: a client certificate demanded, none shown`,
          refused(/^.*127\.0\.0\.1:\d+/, CLIENT),
          server(good, only),
          showing(undefined),
        ),
        row(
          `${version}: a client certificate of a stranger`,
          refused(/^.*127\.0\.0\.1:\d+/, CLIENT),
          server(good, only),
          showing(unknown),
        ),
        row(
          `${version}: the right client certificate, and an expired one on the other side`,
          refused('the certificate of {target} has expired', "Renew the certificate of QRadar's server."),
          server(expired, only),
          showing(client, only),
        ),
      ];
    }),
    row(
      'nothing newer than TLS 1.1',
      refused(
        /^the TLS handshake with 127\.0\.0\.1:\d+ failed \(/,
        "Let Splunk's server accept TLS 1.2 or newer, and enter a client certificate if it demands one.",
      ),
      server(good, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }),
    ),
    row(
      'plain HTTP on the port',
      refused('{target} does not speak TLS', 'Check the port: it does not speak TLS. Turn on TLS for it in Splunk.'),
      () => (socket) => void socket.on('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
    ),
    row(
      'a handshake that hangs',
      unreachable('{target} did not finish the TLS handshake within 400 ms'),
      () => (socket) => void socket.resume(),
      {
        connectTimeoutMs: 400,
      },
    ),
    row(
      'closed in the handshake',
      unreachable('{target} closed the connection in the TLS handshake'),
      () => (socket) => void socket.once('data', () => socket.end()),
    ),
    row(
      'reset in the handshake',
      unreachable('{target} closed the connection in the TLS handshake'),
      () => (socket) => void socket.once('data', () => socket.resetAndDestroy()),
    ),
    row(
      'broken after the handshake, with the request sent',
      unreachable('{target} closed the connection without an answer'),
      () => terminate(good, (socket) => void socket.once('data', () => socket.destroy())),
    ),
    {
      name: 'TLS on the plain port',
      begin: ({ front }) => front.hostile(terminate(good, answer('never'))),
      shown: unreachable(/^127\.0\.0\.1:\d+ (closed the connection without an answer|did not answer in HTTP)$/),
    },
  ];
}

export const tls = scenarioOf({ name: 'network/tls', inShort: true }, rows);

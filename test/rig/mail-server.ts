import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import { text } from 'node:stream/consumers';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

/** A mail as the server took it. */
export interface TakenMail {
  readonly to: string;
  /** Unfolded and decoded, by lower-case name. */
  readonly headers: ReadonlyMap<string, string>;
  readonly text: string;
  readonly raw: string;
  readonly user: string | undefined;
  readonly encrypted: boolean;
}

export interface MailServer {
  readonly port: number;
  readonly mails: readonly TakenMail[];
  readonly connections: () => number;
  /** Resolves when the server has taken so many mails in all. */
  taken(count: number): Promise<readonly TakenMail[]>;
  close(): Promise<void>;
}

/** A real SMTP server on this machine that keeps what it takes. */
export async function startMailServer(options: SMTPServerOptions = {}): Promise<MailServer> {
  const mails: TakenMail[] = [];
  let connections = 0;
  let arrived = Promise.withResolvers<void>();
  const server = new SMTPServer({
    authOptional: true,
    logger: false,
    onConnect: (_session, done) => {
      connections += 1;
      done();
    },
    onData: (stream, session, done) => {
      void text(stream).then((raw) => {
        const user = typeof session.user === 'string' ? session.user : undefined;
        const to = session.envelope.rcptTo.map(({ address }) => address).join(', ');
        mails.push({ to, ...parse(raw), raw, user, encrypted: session.secure });
        done();
        arrived.resolve();
        arrived = Promise.withResolvers();
      });
    },
    ...options,
  });
  // A client that refuses our certificate is part of a test.
  server.on('error', () => {});
  const listening: Server = server.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  return {
    port: (listening.address() as AddressInfo).port,
    mails,
    connections: () => connections,
    async taken(count) {
      while (mails.length < count) await arrived.promise;
      return mails;
    },
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}

/** Header lines and text of a plain-text mail (RFC 5322, RFC 2045, RFC 2047), as far as our own mails go. */
function parse(raw: string): Pick<TakenMail, 'headers' | 'text'> {
  const end = raw.indexOf('\r\n\r\n');
  const lines = raw
    .slice(0, end)
    .replace(/\r\n[ \t]+/g, ' ')
    .split('\r\n');
  const headers = new Map(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), decodeWords(line.slice(colon + 1).trim())];
    }),
  );
  const body = raw.slice(end + 4);
  const coding = headers.get('content-transfer-encoding');
  const decoded =
    coding === 'base64' ? Buffer.from(body, 'base64').toString() : coding === 'quoted-printable' ? unquote(body) : body;
  return { headers, text: decoded.replaceAll('\r\n', '\n') };
}

function decodeWords(value: string): string {
  return value
    .replace(/\?=\s+=\?/g, '?==?')
    .replace(/=\?utf-8\?([bq])\?([^?]*)\?=/gi, (_all, coding: string, word: string) =>
      coding.toLowerCase() === 'b' ? Buffer.from(word, 'base64').toString() : unquote(word.replaceAll('_', ' ')),
    );
}

function unquote(value: string): string {
  const bytes = value
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/gi, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString();
}

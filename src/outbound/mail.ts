import { isIP } from 'node:net';
import type { Transporter } from 'nodemailer';
import type { Secret } from '../secrets.ts';
import { reasonOf } from './reason.ts';

/** Mail to people: invitations, new passwords, alerts. Plain text; one recipient a mail, so that none sees the others. */
export interface Mailer {
  /** False without SMTP_URL: `send` then always says so. */
  readonly isConfigured: boolean;
  /** Never rejects: what went wrong, in plain words and without credentials; undefined: the server took it. */
  send(mail: Mail, signal?: AbortSignal): Promise<string | undefined>;
  close(): Promise<void>;
}

export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

export interface MailerOptions {
  /** `smtp://` (STARTTLS where offered) or `smtps://`, with user and password if the server asks for them; null: no mail. */
  readonly smtpUrl: Secret | null;
  /** `Name <address>`, or the address alone. */
  readonly from: string;
  /** How long the server may stay silent at any step. Default 10,000 ms. */
  readonly timeoutMs?: number;
}

/** Mail over SMTP (RFC 5321). A password is only sent encrypted, except to this machine itself. */
export function createMailer({ smtpUrl, from, timeoutMs = 10_000 }: MailerOptions): Mailer {
  if (smtpUrl === null)
    return { isConfigured: false, send: async () => 'mail is not set up: SMTP_URL is empty', close: async () => {} };
  const server = serverOf(smtpUrl.reveal());
  let transport: Promise<Transporter> | undefined;
  return {
    isConfigured: true,
    async send({ to, subject, text }, signal) {
      if (!ADDRESS.test(to)) return `“${to}” is not an e-mail address`;
      transport ??= open(server, timeoutMs);
      const mail = {
        from,
        // As an object: a string would be read as a list.
        to: { name: '', address: to },
        subject: subject.replace(/\p{Cc}+/gu, ' '),
        text,
        // RFC 3834 §5: out-of-office programs do not answer.
        headers: { 'Auto-Submitted': 'auto-generated' },
        signal,
      };
      return (await transport).sendMail(mail).then(
        () => undefined,
        (error: SmtpError) => wordsOf(error, server, { to, from, timeoutMs }),
      );
    },
    async close() {
      (await transport)?.close();
    },
  };
}

/** One address: nothing that a list, a comment or another header line could begin with. */
const ADDRESS = /^[^\s\p{Cc},;:<>()[\]"\\@]+@[^\s\p{Cc},;<>()"\\@]+$/u;

/** A connection is kept this long for the next mail: an alert goes to several people. */
const KEEP_MS = 5_000;

interface SmtpServer {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  readonly auth?: { readonly user: string; readonly pass: string };
}

function serverOf(smtpUrl: string): SmtpServer {
  const url = new URL(smtpUrl);
  const secure = url.protocol === 'smtps:';
  const [user, pass] = [url.username, url.password].map(decodeURIComponent) as [string, string];
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    // RFC 8314 §3.3, RFC 6409 §3.1
    port: Number(url.port) || (secure ? 465 : 587),
    secure,
    ...(user && { auth: { user, pass } }),
  };
}

/** Loaded with the first mail: most installations that start today send none. */
async function open(server: SmtpServer, timeoutMs: number): Promise<Transporter> {
  const { createTransport } = await import('nodemailer');
  const isHere = server.host === 'localhost' || server.host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(server.host);
  const transport = createTransport({
    ...server,
    requireTLS: server.auth !== undefined && !isHere,
    pool: true,
    maxConnections: 1,
    maxRequeues: 1,
    idleTimeout: KEEP_MS,
    ...{ connectionTimeout: timeoutMs, greetingTimeout: timeoutMs, socketTimeout: timeoutMs, dnsTimeout: timeoutMs },
    disableFileAccess: true,
    disableUrlAccess: true,
    tls: { minVersion: 'TLSv1.2', ...(isIP(server.host) === 0 && { servername: server.host }) },
  });
  // What concerns a mail is told to whoever sends it; the end of an idle connection concerns nobody.
  transport.on('error', () => {});
  return transport;
}

interface SmtpError extends Error {
  readonly code?: string;
  /** Of the socket or of TLS. */
  readonly originalCode?: string;
  readonly command?: string;
  readonly response?: string;
}

function wordsOf(
  { code = 'UNKNOWN', originalCode, command, response }: SmtpError,
  { host, port, auth }: SmtpServer,
  { to, from, timeoutMs }: { readonly to: string; readonly from: string; readonly timeoutMs: number },
): string {
  const target = `${host}:${port}`;
  const answer = response && !repeats(response, auth) ? `: ${oneLine(response)}` : '';
  switch (code) {
    // Its answer may repeat what it was sent.
    case 'EAUTH':
      return `${target} refused the user name or password of SMTP_URL`;
    case 'EENVELOPE':
      // RFC 4954 §6
      if (response?.startsWith('530') && !auth) return `${target} asks for a user name and password; SMTP_URL has none`;
      if (command === 'RCPT TO') return `${target} refused the recipient ${to}${answer}`;
      return `${target} refused the sender ${from}${answer}`;
    case 'EMESSAGE':
    case 'EPROTOCOL':
      return `${target} refused the mail${answer}`;
    case 'ETLS':
      if (originalCode === undefined) return `${target} does not offer encryption (STARTTLS), which a password needs`;
      return reasonOf(originalCode, { target, stage: 'tls', timeoutMs });
    case 'EABORT':
      return 'it was stopped';
    case 'ETIMEDOUT':
      return reasonOf('TIMEOUT', { target, stage: 'send', timeoutMs });
    case 'ECONNECTION':
      return reasonOf(originalCode ?? 'ECONNRESET', { target, stage: 'send', timeoutMs });
    default:
      return reasonOf(originalCode ?? code, { target, stage: 'connect', timeoutMs });
  }
}

/** Whether an answer says the password back, as it is or as it was sent (RFC 4616, RFC 4954 §4). */
function repeats(answer: string, auth: SmtpServer['auth']): boolean {
  if (!auth) return false;
  const coded = [auth.pass, `\0${auth.user}\0${auth.pass}`].map((text) => Buffer.from(text).toString('base64'));
  return [auth.pass, ...coded].some((form) => form !== '' && answer.includes(form));
}

function oneLine(answer: string): string {
  return answer.replace(/[\s\p{Cc}]+/gu, ' ').slice(0, 200);
}

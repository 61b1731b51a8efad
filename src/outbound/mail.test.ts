import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { generate } from 'selfsigned';
import type { SMTPServerOptions } from 'smtp-server';
import { afterEach, describe, expect, it } from 'vitest';
import { type MailServer, startMailServer } from '../../test/rig/mail-server.ts';
import { Secret } from '../secrets.ts';
import { createMailer } from './mail.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function mailServer(options?: SMTPServerOptions): Promise<MailServer> {
  const server = await startMailServer(options);
  closing.push(() => server.close());
  return server;
}

function mailer(smtpUrl: string, timeoutMs?: number) {
  const made = createMailer({
    smtpUrl: new Secret(smtpUrl),
    from: 'Trailproof <audit@acme.example>',
    ...(timeoutMs ? { timeoutMs } : {}),
  });
  closing.push(() => made.close());
  return made;
}

const MAIL = { to: 'ana@acme.example', subject: 'Splunk “prod” stopped', text: 'Grüße,\n318 events are waiting.\n' };
const PASSWORD = 'pä:ss@word%';
const SIGNED_IN = `ana:${encodeURIComponent(PASSWORD)}@`;

const asksForPassword: SMTPServerOptions = {
  authOptional: false,
  allowInsecureAuth: true,
  disabledCommands: ['STARTTLS'],
  onAuth: ({ username, password }, _session, done) =>
    username === 'ana' && password === PASSWORD
      ? done(null, { user: username })
      : done(new Error(`no ${username}:${password} here`)),
};

describe('a mail', () => {
  it('arrives as it was written, from us to one person, and asks for no automatic answer', async () => {
    const server = await mailServer({ disabledCommands: ['STARTTLS'] });
    expect(await mailer(`smtp://127.0.0.1:${server.port}`).send(MAIL)).toBeUndefined();
    const [mail] = server.mails;
    expect(mail).toMatchObject({ to: MAIL.to, text: MAIL.text });
    expect(mail!.headers.get('subject')).toBe(MAIL.subject);
    expect(mail!.headers.get('from')).toBe('Trailproof <audit@acme.example>');
    expect(mail!.headers.get('to')).toBe(MAIL.to);
    expect(mail!.headers.get('auto-submitted')).toBe('auto-generated');
    expect(mail!.headers.get('content-type')).toMatch(/^text\/plain/);
  });

  it('cannot bring headers or recipients of its own', async () => {
    const server = await mailServer({ disabledCommands: ['STARTTLS'] });
    const to = mailer(`smtp://127.0.0.1:${server.port}`);
    expect(await to.send({ ...MAIL, subject: 'Hello\r\nBcc: eve@evil.example\r\n\r\nBody' })).toBeUndefined();
    expect(server.mails[0]!.headers.has('bcc')).toBe(false);
    expect(server.mails[0]).toMatchObject({ to: MAIL.to, text: MAIL.text });
    for (const address of [
      'ana@acme.example, eve@evil.example',
      'ana@acme.example\r\nRCPT TO:<eve@evil.example>',
      'Eve <eve@evil.example>',
      'ana',
      '',
    ])
      expect(await to.send({ ...MAIL, to: address })).toContain('is not an e-mail address');
    expect(server.mails).toHaveLength(1);
  });

  it('goes over the connection of the one before', async () => {
    const server = await mailServer({ disabledCommands: ['STARTTLS'] });
    const to = mailer(`smtp://127.0.0.1:${server.port}`);
    const recipients = ['ana@acme.example', 'li@acme.example', 'bo@acme.example'];
    expect(await Promise.all(recipients.map((one) => to.send({ ...MAIL, to: one })))).toEqual(Array(3).fill(undefined));
    expect(server.mails.map((mail) => mail.to).sort()).toEqual(recipients.toSorted());
    expect(server.connections()).toBe(1);
  });

  it('goes out after an earlier one was refused', async () => {
    const server = await mailServer({
      disabledCommands: ['STARTTLS'],
      onRcptTo: ({ address }, _session, done) =>
        done(address.startsWith('nobody') ? new Error('no such mailbox') : null),
    });
    const to = mailer(`smtp://127.0.0.1:${server.port}`);
    const refused = await to.send({ ...MAIL, to: 'nobody@acme.example' });
    expect(refused).toBe(`127.0.0.1:${server.port} refused the recipient nobody@acme.example: 550 no such mailbox`);
    expect(await to.send(MAIL)).toBeUndefined();
  });

  it('is not tried without a mail server', async () => {
    const none = createMailer({ smtpUrl: null, from: 'audit@acme.example' });
    expect(none.isConfigured).toBe(false);
    expect(await none.send(MAIL)).toContain('SMTP_URL');
  });
});

describe('credentials', () => {
  it('sign in, percent-encoded in the URL', async () => {
    const server = await mailServer(asksForPassword);
    expect(await mailer(`smtp://${SIGNED_IN}127.0.0.1:${server.port}`).send(MAIL)).toBeUndefined();
    expect(server.mails[0]!.user).toBe('ana');
  });

  it('are not repeated when they are refused, not even by the server', async () => {
    const server = await mailServer({
      ...asksForPassword,
      onAuth: ({ username, password }, _session, done) => done(new Error(`${username} is not ${password}`)),
    });
    const problem = await mailer(`smtp://${SIGNED_IN}127.0.0.1:${server.port}`).send(MAIL);
    expect(problem).toBe(`127.0.0.1:${server.port} refused the user name or password of SMTP_URL`);
  });

  it('are not repeated when the server says them back later', async () => {
    const coded = (password: string) => Buffer.from(`\0ana\0${password}`).toString('base64');
    for (const form of [(password: string) => password, coded]) {
      let password = '';
      const server = await mailServer({
        ...asksForPassword,
        onAuth: (auth, _session, done) => {
          password = auth.password ?? '';
          done(null, { user: 'ana' });
        },
        onRcptTo: (_address, _session, done) => done(new Error(`nobody there, ${form(password)}`)),
      });
      const problem = await mailer(`smtp://${SIGNED_IN}127.0.0.1:${server.port}`).send(MAIL);
      expect(problem).toBe(`127.0.0.1:${server.port} refused the recipient ${MAIL.to}`);
    }
  });

  it('are asked for when the server wants some', async () => {
    const server = await mailServer(asksForPassword);
    const problem = await mailer(`smtp://127.0.0.1:${server.port}`).send(MAIL);
    expect(problem).toBe(`127.0.0.1:${server.port} asks for a user name and password; SMTP_URL has none`);
  });

  it('never leave this machine unencrypted', async () => {
    const seen: string[] = [];
    const server = await mailServer({
      ...asksForPassword,
      onAuth: ({ username }, _session, done) => {
        seen.push(String(username));
        done(null, { user: 'ana' });
      },
    });
    // An address of this machine that does not say so.
    const problem = await mailer(`smtp://${SIGNED_IN}0.0.0.0:${server.port}`).send(MAIL);
    expect(problem).toBe(`0.0.0.0:${server.port} does not offer encryption (STARTTLS), which a password needs`);
    expect(seen).toEqual([]);
  });
});

describe('encryption', () => {
  it('is used where the server offers it, and from the first byte with smtps', async () => {
    const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
      keyType: 'ec',
      extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
    });
    const trusted = getCACertificates('default');
    closing.push(() => setDefaultCACertificates(trusted));
    setDefaultCACertificates([...trusted, cert]);
    const [starttls, smtps] = [await mailServer({ cert, key }), await mailServer({ cert, key, secure: true })];
    expect(await mailer(`smtp://localhost:${starttls.port}`).send(MAIL)).toBeUndefined();
    expect(await mailer(`smtps://localhost:${smtps.port}`).send(MAIL)).toBeUndefined();
    expect(starttls.mails[0]!.encrypted).toBe(true);
    expect(smtps.mails[0]!.encrypted).toBe(true);
  });

  it.each(['smtp', 'smtps'])('with an unknown certificate is refused (%s)', async (protocol) => {
    const { cert, private: key } = await generate([], { keyType: 'ec' });
    const server = await mailServer({ cert, key, secure: protocol === 'smtps' });
    const problem = await mailer(`${protocol}://localhost:${server.port}`).send(MAIL);
    expect(problem).toBe(`the certificate of localhost:${server.port} is self-signed`);
  });
});

describe('a server that fails', () => {
  it('is named with what it did: nothing listens', async () => {
    const server = await startMailServer();
    await server.close();
    const problem = await mailer(`smtp://127.0.0.1:${server.port}`).send(MAIL);
    expect(problem).toBe(`127.0.0.1:${server.port} refused the connection`);
  });

  it('is named with what it did: it takes the connection and says nothing', async () => {
    const port = await tcpServer(() => {});
    const problem = await mailer(`smtp://127.0.0.1:${port}`, 100).send(MAIL);
    expect(problem).toBe(`127.0.0.1:${port} did not answer within 100 ms`);
  });

  it('is named with what it did: it hangs up', async () => {
    const port = await tcpServer((socket) => socket.end('421 too busy\r\n'));
    expect(await mailer(`smtp://127.0.0.1:${port}`).send(MAIL)).toContain(`127.0.0.1:${port}`);
  });

  it('is not waited for when we stop', async () => {
    const { promise: connected, resolve } = Promise.withResolvers<void>();
    const port = await tcpServer(() => resolve());
    const stop = new AbortController();
    const sent = mailer(`smtp://127.0.0.1:${port}`).send(MAIL, stop.signal);
    await connected;
    stop.abort();
    expect(await sent).toBe('it was stopped');
  });
});

async function tcpServer(connected: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    connected(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

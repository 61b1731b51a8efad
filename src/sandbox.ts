import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { generate } from 'selfsigned';
import type { Fault, StandIn } from './destinations/destination.ts';
import { destinationKinds } from './destinations/registry.ts';
import { sandboxPage } from './sandbox-page.ts';

/**
 * The stand-ins for all SIEMs and a small page over them: what each received, and switches that make one misbehave.
 * Composition root of `trailproof sandbox`; the demo and the tests use `startSandbox`.
 */
export interface Sandbox {
  /** The page; `<url>/sandbox.json` says the same to programs. */
  readonly url: string;
  readonly standIns: ReadonlyMap<string, StandIn>;
  /** PEM of the certificate authority with `tls`. */
  readonly caCertificate: string | undefined;
  close(): Promise<void>;
}

export interface SandboxOptions {
  /** Port of the page; the stand-ins take the ports after it. 0: any free ports. */
  readonly port: number;
  readonly host: string;
  readonly tls: boolean;
  /** How many received events each stand-in keeps whole. */
  readonly keep?: number;
}

export async function startSandbox({ port, host, tls, keep }: SandboxOptions): Promise<Sandbox> {
  const pems = tls ? await certificate(host) : undefined;
  const standIns = new Map<string, StandIn>();
  for (const [i, kind] of destinationKinds.entries()) {
    const start = await kind.standIn();
    standIns.set(
      kind.kind,
      await start({
        port: port === 0 ? 0 : port + 1 + i,
        host,
        ...(keep === undefined ? {} : { keep }),
        ...(pems ? { tls: { certificate: pems.cert, key: pems.private } } : {}),
      }),
    );
  }
  const server = createServer((request, response) => {
    answer(request, response, standIns).catch((error: unknown) => {
      response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify({ detail: String(error) }));
    });
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  const url = `http://${host}:${(server.address() as AddressInfo).port}`;
  return {
    url,
    standIns,
    caCertificate: pems?.cert,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await Promise.all([...standIns.values()].map((s) => s.close()));
    },
  };
}

/** Runs until the stop signal. */
export async function runSandbox(options: SandboxOptions & { json: boolean }, stopped: Promise<void>): Promise<number> {
  const sandbox = await startSandbox(options);
  if (options.json)
    process.stdout.write(`${JSON.stringify(describe(sandbox.standIns, sandbox.url, sandbox.caCertificate))}\n`);
  else {
    process.stdout.write(`Sandbox page  ${sandbox.url}\n`);
    for (const [kind, standIn] of sandbox.standIns)
      process.stdout.write(
        `\n${kind.padEnd(12)}  ${standIn.url}\n${''.padEnd(14)}settings ${JSON.stringify(standIn.settings)}\n`,
      );
    if (sandbox.caCertificate) process.stdout.write(`\nCertificate to trust:\n${sandbox.caCertificate}`);
    process.stdout.write('\nPress Ctrl-C to stop.\n');
  }
  await stopped;
  await sandbox.close();
  return 0;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  standIns: ReadonlyMap<string, StandIn>,
): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://sandbox');
  const json = (status: number, body: unknown): void => {
    response
      .writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
      .end(JSON.stringify(body));
  };
  if (pathname === '/') {
    response
      .writeHead(200, {
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy':
          "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'",
      })
      .end(sandboxPage);
    return;
  }
  if (pathname === '/sandbox.json') return json(200, describe(standIns));
  const [, kind, what] = pathname.match(/^\/([a-z]+)\/(fault|received)$/) ?? [];
  const standIn = standIns.get(kind ?? '');
  if (!standIn) return json(404, { detail: 'Known paths: /, /sandbox.json, /{kind}/received, /{kind}/fault' });
  if (what === 'received')
    return json(200, {
      items: standIn
        .received()
        .slice(-Number(searchParams.get('limit') ?? 50))
        .reverse(),
    });
  // A page of another origin may send simple requests here: only those with a JSON content type change anything.
  if (request.headers['content-type'] !== 'application/json') return json(415, { detail: 'send application/json' });
  let body = '';
  for await (const piece of request) {
    body += piece;
    if (body.length > 10_000) return json(413, { detail: 'too long' });
  }
  standIn.setFault(request.method === 'DELETE' ? null : (JSON.parse(body) as Fault));
  json(200, describe(standIns));
}

function describe(standIns: ReadonlyMap<string, StandIn>, page?: string, caCertificate?: string): unknown {
  return {
    ...(page ? { page } : {}),
    ...(caCertificate ? { caCertificate } : {}),
    standIns: [...standIns].map(([kind, s]) => ({
      kind,
      title: destinationKinds.find((known) => known.kind === kind)?.title ?? kind,
      url: s.url,
      settings: s.settings,
      fault: s.fault(),
      counts: s.counts(),
    })),
  };
}

/** A certificate of its own authority for `host` and localhost, PEM. */
export async function certificate(host: string): Promise<{ cert: string; private: string }> {
  return generate([{ name: 'commonName', value: 'Trailproof sandbox' }], {
    keyType: 'ec',
    extensions: [
      { name: 'basicConstraints', cA: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 7, ip: host },
          { type: 2, value: 'localhost' },
        ],
      },
    ],
  });
}

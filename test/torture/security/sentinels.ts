import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Servers on this machine that nobody may reach: they count who connects, and answer with a text to look for. */
export interface Sentinels {
  readonly port: number;
  readonly text: string;
  connections(): number;
  /** What they answer instead of their text: a redirect. */
  redirect(to: { readonly status: number; readonly location: string } | null): void;
  close(): Promise<void>;
}

const HOSTS = ['127.0.0.1', '127.0.0.2', '127.255.255.254', '::1'];

export async function startSentinels(text: string): Promise<Sentinels> {
  let connections = 0;
  let redirect: { readonly status: number; readonly location: string } | null = null;
  const servers: Server[] = [];
  const close = async (): Promise<void> => {
    for (const server of servers.splice(0)) {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    }
  };
  const listen = async (host: string, port: number): Promise<number> => {
    const server = createServer((_request, response) => {
      if (redirect) response.writeHead(redirect.status, { location: redirect.location, connection: 'close' }).end(text);
      else
        response
          .writeHead(200, { 'content-type': 'application/json', connection: 'close' })
          .end(JSON.stringify({ text, items: [] }));
    });
    server.on('connection', () => {
      connections += 1;
    });
    server.listen(port, host);
    await once(server, 'listening');
    servers.push(server);
    return (server.address() as AddressInfo).port;
  };
  for (let attempt = 0; ; attempt++) {
    try {
      const port = await listen(HOSTS[0]!, 0);
      for (const host of HOSTS.slice(1)) await listen(host, port);
      return {
        ...{ port, text, close },
        connections: () => connections,
        redirect: (to) => {
          redirect = to;
        },
      };
    } catch (error) {
      // The port is taken on one of the other addresses.
      await close();
      if (attempt === 20) throw error;
    }
  }
}

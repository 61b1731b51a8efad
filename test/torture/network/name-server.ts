import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import type { Lookup } from '../../../src/outbound/connect.ts';

/** What the server says of every name: addresses, an error, or nothing at all. */
export type Says = readonly string[] | 'NXDOMAIN' | 'SERVFAIL' | 'silence' | 'garbage';

/** A DNS server of our own (RFC 1035, A records over UDP), and a lookup that asks it and nobody else. */
export interface NameServer {
  says: Says;
  readonly lookup: Lookup;
  /** Questions so far. */
  asked(): number;
  close(): Promise<void>;
}

const CODES = { NXDOMAIN: 3, SERVFAIL: 2 } as const;
/** As the system's resolver words what c-ares words otherwise. */
const AS_SYSTEM: Readonly<Record<string, string>> = {
  ESERVFAIL: 'EAI_AGAIN',
  ETIMEOUT: 'EAI_AGAIN',
  EBADRESP: 'EAI_AGAIN',
};

export async function openNameServer(says: Says): Promise<NameServer> {
  const socket = createSocket('udp4');
  let asked = 0;
  const server: NameServer = {
    says,
    asked: () => asked,
    async lookup(host) {
      const resolver = new Resolver({ timeout: 600, tries: 1 });
      resolver.setServers([`127.0.0.1:${socket.address().port}`]);
      try {
        return (await resolver.resolve4(host)).map((address) => ({ address, family: 4 }));
      } catch (error) {
        const code = error instanceof Error && 'code' in error ? String(error.code) : '';
        throw Object.assign(new Error(code), { code: AS_SYSTEM[code] ?? code });
      }
    },
    async close() {
      const closed = once(socket, 'close');
      socket.close();
      await closed;
    },
  };
  socket.on('message', (question, from) => {
    asked += 1;
    if (server.says === 'silence') return;
    socket.send(
      server.says === 'garbage' ? question.subarray(0, 5) : replyTo(question, server.says),
      from.port,
      from.address,
    );
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return server;
}

function replyTo(question: Buffer, says: readonly string[] | keyof typeof CODES): Buffer {
  const addresses = typeof says === 'string' ? [] : says;
  const code = typeof says === 'string' ? CODES[says] : 0;
  // The question ends with the name's zero, a type and a class; what follows (EDNS) is not repeated.
  const asked = question.subarray(12, question.indexOf(0, 12) + 5);
  const head = Buffer.from(question.subarray(0, 12));
  head.writeUInt16BE(0x8180 | code, 2);
  for (const [at, count] of [
    [4, 1],
    [6, addresses.length],
    [8, 0],
    [10, 0],
  ] as const)
    head.writeUInt16BE(count, at);
  const records = addresses.map((address) => {
    const record = Buffer.from('c00c000100010000000000040000000000', 'hex').subarray(0, 16);
    Buffer.from(address.split('.').map(Number)).copy(record, 12);
    return record;
  });
  return Buffer.concat([head, asked, ...records]);
}

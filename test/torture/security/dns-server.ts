import { createSocket } from 'node:dgram';
import { promises as dns } from 'node:dns';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import type { Lookup } from '../../../src/outbound/connect.ts';

/** A DNS server of the bench's own, which may say something else each time it is asked. */
export interface DnsServer {
  /** Resolves by asking this server over UDP. */
  readonly lookup: Lookup;
  /** What it says of a name, one answer after the other; the last one stays. */
  say(name: string, ...answers: readonly (readonly string[])[]): void;
  /** How often a name was looked up. */
  asked(name: string): number;
  close(): Promise<void>;
}

const A = 1;
const AAAA = 28;

export async function startDnsServer(): Promise<DnsServer> {
  const answers = new Map<string, (readonly string[])[]>();
  const asked = new Map<string, number>();
  const socket = createSocket('udp4');
  socket.on('message', (query, { port, address }) => {
    const { name, type, end } = questionOf(query);
    const all = answers.get(name);
    // The question for IPv4 comes first and counts; the one for IPv6 gets its half of the same answer.
    if (type === A) asked.set(name, (asked.get(name) ?? 0) + 1);
    const said = all?.[Math.min((asked.get(name) ?? 1) - 1, all.length - 1)] ?? [];
    const fitting = said.filter((text) => isIPv6(text) === (type === AAAA));
    socket.send(answerTo(query, end, type, fitting, all === undefined), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const resolver = new dns.Resolver({ timeout: 2_000, tries: 1 });
  resolver.setServers([`127.0.0.1:${socket.address().port}`]);
  const none = (): string[] => [];
  return {
    lookup: async (host) => {
      const v4 = await resolver.resolve4(host).catch(none);
      const v6 = await resolver.resolve6(host).catch(none);
      if (v4.length + v6.length === 0) throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
      return [...v4.map((address) => ({ address, family: 4 })), ...v6.map((address) => ({ address, family: 6 }))];
    },
    say: (name, ...said) => {
      answers.set(name, [...said]);
      asked.delete(name);
    },
    asked: (name) => asked.get(name) ?? 0,
    close: async () => {
      resolver.cancel();
      const closed = once(socket, 'close');
      socket.close();
      await closed;
    },
  };
}

/** RFC 1035 §4.1.2. */
function questionOf(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at]!; length > 0; length = query[at]!) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

function answerTo(query: Buffer, end: number, type: number, addresses: readonly string[], isUnknown: boolean): Buffer {
  const head = Buffer.from(query.subarray(0, end));
  // A response, authoritative; code 3: no such name.
  head.writeUInt16BE(0x8400 | (isUnknown ? 3 : 0), 2);
  head.writeUInt16BE(addresses.length, 6);
  head.writeUInt32BE(0, 8);
  const records = addresses.map((text) => {
    const data = bytesOf(text);
    const record = Buffer.alloc(12);
    record.writeUInt16BE(0xc00c, 0);
    record.writeUInt16BE(type, 2);
    record.writeUInt16BE(1, 4);
    record.writeUInt32BE(0, 6);
    record.writeUInt16BE(data.length, 10);
    return Buffer.concat([record, data]);
  });
  return Buffer.concat([head, ...records]);
}

function bytesOf(text: string): Buffer {
  if (!isIPv6(text)) return Buffer.from(text.split('.').map(Number));
  const hex = new URL(`http://[${text}]`).hostname.slice(1, -1);
  const [before = '', after] = hex.split('::');
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'));
  const [head, tail] = [groups(before), groups(after ?? '')];
  const all = [...head, ...Array<string>(8 - head.length - tail.length).fill('0'), ...tail];
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex');
}

import type { Api } from '../../src/cli/api.ts';

/** An event of about 600 bytes as a producer sends it; its id says which it is. */
export function producerEvent(n: number, prefix = 'evt'): object {
  return {
    id: `${prefix}-${String(n).padStart(8, '0')}`,
    timestamp: new Date().toISOString(),
    eventType: n % 3 === 0 ? 'apikey.used' : n % 3 === 1 ? 'auth.login.success' : 'user.role_changed',
    description: 'An event of the load',
    status: 'success',
    actor: { id: `usr_${n % 500}`, email: `user${n % 500}@acme.example`, name: `User ${n % 500}`, type: 'user' },
    target: { type: 'user', id: `usr_${n % 77}`, name: 'Équipe Sécurité' },
    context: {
      ipAddress: `203.0.113.${n % 250}`,
      userAgent: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64)',
      requestId: `req_${n}`,
    },
    metadata: { region: 'eu-west-1', tags: ['edge', 'prod'], attempt: n % 5 },
  };
}

/** The whole log of the key's team, oldest first, read through the API: id and sequence of each event. */
export async function exportLog(api: Api): Promise<{ id: string; sequence: number; eventType: string }[]> {
  const events = [];
  for await (const line of lines(await api.stream('/v1/events/export?format=ndjson&order=asc'))) {
    const { id, sequence, eventType } = JSON.parse(line) as { id: string; sequence: number; eventType: string };
    events.push({ id, sequence, eventType });
  }
  return events;
}

/** Only a line feed ends a line of NDJSON: readline of Node also ends it at U+2028, which may stand within a text. */
async function* lines(stream: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let rest: Buffer[] = [];
  for await (const chunk of stream) {
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      yield Buffer.concat([...rest, chunk.subarray(start, end)]).toString();
      rest = [];
      start = end + 1;
    }
    rest.push(chunk.subarray(start));
  }
}

/** Calls `check` until it holds; the last failure is the error after `withinMs`. */
export async function eventually<T>(check: () => Promise<T> | T, withinMs: number, everyMs = 50): Promise<T> {
  const until = performance.now() + withinMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  }
}

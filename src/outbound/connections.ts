import type { Client } from 'undici';
import UndiciClient from 'undici/lib/dispatcher/client.js';

/** One connection, opened anew whenever it is needed, and how many requests wait for it or are on it. */
export interface Connection {
  readonly client: Client;
  requests: number;
}

/** As many as a lane may have requests in flight. */
const MOST = 8;

/**
 * The connections of one Outbound to the origins it talks to. undici's own pool takes 17 KiB for a queue; of thousands
 * of Outbounds hardly one has a request that waits.
 */
export class Connections {
  readonly #options: Client.Options;
  readonly #origins = new Map<string, Connection[]>();
  #isClosed = false;

  constructor(options: Client.Options) {
    this.#options = options;
  }

  /** The connection for one request; whoever takes it counts its `requests` down when that has ended, however it did. */
  take(origin: string): Connection {
    const all = this.#origins.get(origin) ?? [];
    if (all.length === 0) this.#origins.set(origin, all);
    let least = all[0];
    for (const connection of all) if (connection.requests < least!.requests) least = connection;
    if (!least || (least.requests > 0 && all.length < MOST)) {
      least = { client: new UndiciClient(origin, this.#options), requests: 0 };
      all.push(least);
      if (this.#isClosed) void least.client.destroy();
    }
    least.requests += 1;
    return least;
  }

  /** Ends what is under way; requests that come later fail. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#origins.values()].flat().map(({ client }) => client.destroy()));
  }
}

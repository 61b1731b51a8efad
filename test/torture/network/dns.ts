import assert from 'node:assert/strict';
import type { ScenarioContext } from '../scenario.ts';
import { unreachable } from './connect.ts';
import { type Front, openFront, relayTo } from './hostile-server.ts';
import { type NameServer, openNameServer, type Says } from './name-server.ts';
import { type Row, type Shown, scenarioOf } from './rows.ts';
import { type Peer, startPeer } from './stopped.ts';

const HOST = 'siem.example';
const HERE = ['127.0.0.1'];

const NAME = 'Check the host name in the endpoint URL of Splunk, and that the DNS server of this service knows it.';
const SERVER = 'Check that the DNS server of this service runs and can be reached from it.';

function unresolved(cause: string, fix: string): Shown {
  return { ...unreachable(cause), fix };
}

const FORBIDDEN: Shown = {
  state: 'disconnected',
  cause: `${HOST} resolves to 0.0.0.0, which is an address that destinations may not have`,
  fix: 'Correct the endpoint URL of Splunk, or ask the operator to allow this address (DESTINATION_NETWORK, ALLOW_HTTP_DESTINATIONS).',
};

async function rows(servers: NameServer[]): Promise<readonly Row[]> {
  /** From the fault on the server says something else, and no connection is open that would hide it. */
  const row = async (name: string, says: Says, shown?: Shown, more: Partial<Row> = {}): Promise<Row> => {
    const server = await openNameServer(HERE);
    servers.push(server);
    return {
      ...{ name, host: HOST, lookup: server.lookup, ...(shown && { shown }) },
      begin: async ({ front }) => {
        server.says = says;
        await front.honest();
      },
      end: async ({ front }) => {
        server.says = HERE;
        await front.honest();
      },
      ...more,
    };
  };
  const silent = unresolved(`the host name of {target} could not be resolved: the DNS server did not answer`, SERVER);

  return [
    await row('the name is gone', 'NXDOMAIN', unresolved('the host name of {target} does not exist', NAME)),
    await row('the name has no address', [], unresolved('the host name of {target} does not exist', NAME)),
    await row('the DNS server fails', 'SERVFAIL', silent),
    await row('the DNS server is silent', 'silence', silent),
    await row(
      'the DNS server is silent for longer than connecting may take',
      'silence',
      unresolved('{target} could not be resolved within 80 ms', SERVER),
      { connectTimeoutMs: 80 },
    ),
    await row('the DNS server sends garbage', 'garbage', silent),
    // 0.0.0.0 stands for every forbidden address: no policy allows it, and it leads to this machine alone.
    await row('the name leads where no destination may be', ['0.0.0.0'], FORBIDDEN),
    await row('the first of its addresses is forbidden', ['0.0.0.0', '127.0.0.1'], FORBIDDEN),
    await row('the last of its addresses is forbidden', ['127.0.0.1', '127.0.0.2', '0.0.0.0'], FORBIDDEN),
    await row('one of its addresses refuses', ['127.0.0.3', '127.0.0.1']),
    await moved(servers),
    await silentAddress(servers),
  ];
}

/** The old address dies, and the name leads to a new one. */
async function moved(servers: NameServer[]): Promise<Row> {
  const server = await openNameServer(HERE);
  servers.push(server);
  const fronts: Front[] = [];
  return {
    name: 'the name leads to another address than before',
    ...{ host: HOST, lookup: server.lookup },
    begin: ({ front }) => front.refuse(),
    shown: unreachable('{target} refused the connection'),
    end: async ({ front, standInPort }) => {
      fronts.push(await openFront(relayTo(standInPort), front.port, '127.0.0.2'));
      server.says = ['127.0.0.2'];
    },
    after: async () => {
      assert.ok(
        fronts.every((front) => front.open() > 0),
        'the new address is not used',
      );
      await Promise.all(fronts.splice(0).map((front) => front.close()));
    },
  };
}

/** One address does not even refuse: the other must be used before the time is up. */
async function silentAddress(servers: NameServer[]): Promise<Row> {
  const server = await openNameServer(HERE);
  servers.push(server);
  let hole: Peer | undefined;
  return {
    name: 'one of its addresses is a black hole',
    ...{ host: HOST, lookup: server.lookup },
    begin: async ({ front }) => {
      hole = await startPeer(front.port, '127.0.0.3', front.port);
      await hole.stopAndFill();
      server.says = ['127.0.0.3', '127.0.0.1'];
      await front.honest();
    },
    end: async ({ front }) => {
      server.says = HERE;
      await hole?.end();
      await front.honest();
    },
  };
}

const servers: NameServer[] = [];
const table = scenarioOf({ name: 'network/dns', inShort: true }, () => rows(servers));

export const dns = {
  ...table,
  async run(context: ScenarioContext) {
    try {
      return await table.run(context);
    } finally {
      await Promise.all(servers.splice(0).map((server) => server.close()));
    }
  },
};

import { type Row, scenarioOf } from './rows.ts';

export const FIREWALL = 'Check that it is running and that your firewall allows our IP addresses.';

/** A reset may be seen while connecting or by the first write. */
const CLOSED = /^127\.0\.0\.1:\d+ closed the connection (before it was open|without an answer)$/;

const rows: readonly Row[] = [
  {
    name: 'refused',
    begin: ({ front }) => front.refuse(),
    state: 'disconnected',
    cause: '{target} refused the connection',
    fix: FIREWALL,
  },
  {
    name: 'reset as soon as it is open',
    begin: ({ front }) => front.hostile((socket) => socket.resetAndDestroy()),
    state: 'disconnected',
    cause: CLOSED,
    fix: FIREWALL,
  },
];

export const connect = scenarioOf({ name: 'network/connect', inShort: true }, () => rows);

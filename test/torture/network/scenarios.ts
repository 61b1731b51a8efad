import type { PlantedDefect, Scenario } from '../scenario.ts';
import { answers } from './answer.ts';
import { body } from './body.ts';
import { connect } from './connect.ts';
import { dns } from './dns.ts';
import { keepAlive } from './keep-alive.ts';
import { proxy } from './proxy.ts';
import { tls } from './tls.ts';

export const scenarios: readonly Scenario[] = [connect, dns, body, answers, tls, keepAlive, proxy];

export const planted: readonly PlantedDefect[] = [
  {
    name: 'addresses that a name resolves to are not checked',
    file: 'src/outbound/connect.ts',
    find: 'if (refused.length > 0) {',
    replace: 'if (refused.length > 99) {',
    caughtBy: 'network/dns',
  },
  {
    name: 'an answer may have any length',
    file: 'src/outbound/open-outbound.ts',
    find: 'const MOST_READ = 2 * LONGEST_ANSWER;',
    replace: 'const MOST_READ = 2 ** 40;',
    caughtBy: 'network/answer',
  },
  {
    name: 'an answer is not cut',
    file: 'src/outbound/open-outbound.ts',
    find: 'if (received.length <= longestAnswer) return;',
    replace: 'return;',
    caughtBy: 'network/answer',
  },
  {
    name: 'a request that broke off counts as delivered',
    file: 'src/destinations/failure-outcome.ts',
    find: "return { kind: 'retry', cause: 'unreachable', reason: failure.reason, ...(fix && { fix }), ...uncertain };",
    replace:
      "return failure.uncertain ? { kind: 'delivered' } : { kind: 'retry', cause: 'unreachable', reason: failure.reason };",
    caughtBy: 'network/body',
  },
  {
    name: 'any certificate will do',
    file: 'src/outbound/connect.ts',
    find: "ALPNProtocols: ['http/1.1'],",
    replace: "ALPNProtocols: ['http/1.1'], rejectUnauthorized: false,",
    caughtBy: 'network/tls',
  },
  {
    name: 'a broken connection is not destroyed',
    file: 'src/outbound/connect.ts',
    find: '    socket?.destroy();\n    if (error instanceof ConnectFailure) throw error;',
    replace: '    if (error instanceof ConnectFailure) throw error;',
    caughtBy: 'network/tls',
  },
  {
    name: 'a proxy is asked for the name instead of the checked address',
    file: 'src/outbound/connect.ts',
    find: 'await openTunnel(socket, proxy, { address: address!, port }, signal);',
    replace: "await openTunnel(socket, proxy, { address: 'siem.example', port }, signal);",
    caughtBy: 'network/proxy',
  },
  {
    name: 'a web page is taken for an answer',
    file: 'src/destinations/splunk/classify.ts',
    find: 'const hec = isHtml(answer) ? undefined : readJson(HecAnswer, answer);',
    replace: 'const hec = readJson(HecAnswer, answer);',
    caughtBy: 'network/answer',
  },
  {
    name: 'a request that was sent is told as one that never was',
    file: 'src/outbound/open-outbound.ts',
    find: "        stage = 'send';\n",
    replace: '',
    caughtBy: 'network/connect',
  },
  {
    name: 'a request whose connection closes goes again, untold',
    file: 'src/outbound/open-outbound.ts',
    find: '        else fail(codeOf(error));',
    replace:
      "        else if (stage === 'send' && !stopped)\n" +
      '          void exchange(agent, { url, target, timeoutMs }, { method, headers, body, longestAnswer }, signal, alertOf).then(end);\n' +
      '        else fail(codeOf(error));',
    caughtBy: 'network/keep-alive',
  },
  {
    name: 'no connection is kept',
    file: 'src/outbound/open-outbound.ts',
    find: '    pipelining: 1,\n',
    replace: '    pipelining: 0,\n',
    caughtBy: 'network/keep-alive',
  },
];

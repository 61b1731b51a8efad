import type { PlantedDefect, Scenario } from '../scenario.ts';
import { addressGuard } from './address-guard.ts';
import { hostileRequests } from './hostile-requests.ts';
import { injection } from './injection.ts';
import { keyRotation } from './key-rotation.ts';
import { secrets } from './secrets.ts';
import { sessions } from './sessions.ts';
import { supplyChain } from './supply-chain.ts';
import { teams } from './teams.ts';

export const scenarios: readonly Scenario[] = [
  ...[addressGuard, secrets, keyRotation, teams, sessions, injection, hostileRequests, supplyChain],
];

export const planted: readonly PlantedDefect[] = [
  {
    name: 'the address guard knows no NAT64',
    file: 'src/outbound/address-guard.ts',
    find: 'if (!RANGES[network].includes(range)) return false;',
    replace: "if (!RANGES[network].includes(range) && range !== 'rfc6052') return false;",
    caughtBy: 'security/address-guard',
  },
  {
    name: 'one good address of a name excuses the others',
    file: 'src/outbound/connect.ts',
    find: 'if (refused.length > 0) {',
    replace: 'if (refused.length === addresses.length) {',
    caughtBy: 'security/address-guard',
  },
  {
    name: 'an excerpt of an answer hides a credential only in its usual forms',
    file: 'src/destinations/redact.ts',
    find: 'if (found.length === 0) return text;',
    replace: 'if (found.length >= 0) return text;',
    caughtBy: 'security/secrets',
  },
  {
    name: 'a revoked key is remembered as good',
    file: 'src/auth/api-keys.ts',
    find: `      ]);
      forget();
      return revoked;`,
    replace: `      ]);
      return revoked;`,
    caughtBy: 'security/key-rotation',
  },
  {
    name: 'a destination is found whosever it is',
    file: 'src/http/destination-access.ts',
    find: '(team !== null && stored.team !== team)',
    replace: '(team !== null && stored.team === undefined)',
    caughtBy: 'security/teams',
  },
  {
    name: 'a form of another site is let through',
    file: 'src/http/access.ts',
    find: "    throw problem('cross_origin');",
    replace: "    if (request.headers['content-type'] === 'application/json') throw problem('cross_origin');",
    caughtBy: 'security/sessions',
  },
  {
    name: 'a table keeps cells that begin with blanks and a formula',
    file: 'src/formats/csv.ts',
    find: String.raw`[\s\p{Cc}\p{Cf}]*[=+`,
    replace: '[=+',
    caughtBy: 'security/injection',
  },
  {
    name: 'a LEEF value may hold a line feed',
    file: 'src/formats/leef.ts',
    find: "String(value).replace(UNSAFE, ' ');",
    replace: 'String(value);',
    caughtBy: 'security/injection',
  },
  {
    name: 'a time is looked at as often as it has digits',
    file: 'src/event/timestamp.ts',
    find: 'const form = FORM.exec(text);',
    replace: 'const form = /\\d+\\d{0,9}x/.test(text) ? null : FORM.exec(text);',
    caughtBy: 'security/hostile-requests',
  },
  {
    name: 'a package may come in another version',
    file: 'package.json',
    find: '"fastify": "',
    replace: '"fastify": "^',
    caughtBy: 'security/supply-chain',
  },
  {
    name: 'a credential is recognised with its own capitals only',
    file: 'src/destinations/redact.ts',
    find: 'letters: letters.toLowerCase(), places',
    replace: 'letters, places',
    caughtBy: 'security/secrets',
  },
];

import type { PlantedDefect, Scenario } from '../scenario.ts';
import { addressGuard } from './address-guard.ts';
import { hostileRequests } from './hostile-requests.ts';
import { injection } from './injection.ts';
import { keyRotation } from './key-rotation.ts';
import { secrets } from './secrets.ts';
import { sessions } from './sessions.ts';
import { teams } from './teams.ts';

export const scenarios: readonly Scenario[] = [
  addressGuard,
  secrets,
  keyRotation,
  teams,
  injection,
  hostileRequests,
  sessions,
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
    name: 'an excerpt of an answer keeps the credentials that it repeats',
    file: 'src/destinations/redact.ts',
    find: "return pattern ? rest.replace(pattern, '[secret]') : rest;",
    replace: "return rest.replaceAll(secret.reveal(), '[secret]');",
    caughtBy: 'security/secrets',
  },
];

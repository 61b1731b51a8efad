import { hash } from 'node:crypto';
import { benchEvent, seeded } from './load.ts';

const EVENTS = 20_000;
const ROUNDS = 3;

/**
 * CPU seconds this machine takes at this moment to parse, serialise and hash a million events of the bench: machines, and
 * what else they do, change a service's cost by factors, but hardly how many times this it is.
 */
export function yardstick(): number {
  const random = seeded(3);
  const texts = Array.from({ length: EVENTS }, (_, n) => JSON.stringify(benchEvent(n, 'acme', random)));
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage();
    let bytes = 0;
    for (const text of texts) bytes += hash('sha256', JSON.stringify(JSON.parse(text)), 'base64url').length;
    const { user, system } = process.cpuUsage(before);
    if (bytes > 0) least = Math.min(least, (user + system) / EVENTS);
  }
  return least;
}

import { hash } from 'node:crypto';
import type { TeamId } from '../event/logged-event.ts';

/** How often each line without id was met in one run of an import, by a part of its hash. */
export type Occurrences = Map<number, number>;

/**
 * The id of an imported line that has none: from its team, its bytes and how often this run met it before, so that
 * importing the same file again finds the same ids. 128 bits, base64url. Counts the occurrence.
 */
export function deriveId(team: TeamId, line: string, occurrences: Occurrences): string {
  const content = hash('sha256', JSON.stringify([team, line]), 'buffer');
  // 48 bits as key keep the map small. Lines that share them only count each other, the same way in every run.
  const key = content.readUIntBE(0, 6);
  const occurrence = (occurrences.get(key) ?? 0) + 1;
  occurrences.set(key, occurrence);
  const digest = hash('sha256', `${content.toString('hex')} ${occurrence}`, 'buffer');
  return digest.subarray(0, 16).toString('base64url');
}

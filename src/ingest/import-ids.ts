import { hash } from 'node:crypto';

/**
 * Gives the lines of an import that carry no id one that follows from team, bytes and occurrence number, so that
 * importing the same file again adds nothing, while two equal lines in one file stay two events.
 */
export function createImporter(team: string | undefined): (line: string) => string {
  const occurrences = new Map<string, number>();
  return (line) => {
    if (!lacksId(line)) return line;
    const digest = hash('sha256', `${team ?? ''}\n${line.trim()}`, 'base64url').slice(0, 32);
    const occurrence = (occurrences.get(digest) ?? 0) + 1;
    occurrences.set(digest, occurrence);
    // Written last: the last of two equal keys counts, so it also replaces an empty id. Nothing is re-serialised.
    return line.replace(/\}\s*$/, `,"id":"imp-${digest}-${occurrence}"}`);
  };
}

function lacksId(line: string): boolean {
  try {
    const event: unknown = JSON.parse(line);
    if (typeof event !== 'object' || event === null || Array.isArray(event) || Object.keys(event).length === 0)
      return false;
    return !('id' in event) || event.id === null || event.id === '';
  } catch {
    // Not JSON: sent as it is, and rejected by the service with its line number.
    return false;
  }
}

import { ownEvent } from '../event/own-event.ts';
import type { Logger } from '../telemetry/logger.ts';
import { forgetBackupNote, readBackupNote } from './backup-note.ts';
import type { EventLog } from './event-log.ts';
import type { TeamStore } from './teams.ts';

/**
 * A backup was put back: what was accepted after it is absent, and its sequences are about to be given again. Each team's
 * log says so before anything else is appended, once; SIEMs that have the absent events learn it with it.
 */
export async function announceRestore(
  folder: string,
  {
    log,
    teams,
    now,
    logger,
  }: {
    readonly log: Pick<EventLog, 'append' | 'bounds'>;
    readonly teams: Pick<TeamStore, 'list'>;
    readonly now: number;
    readonly logger: Logger;
  },
): Promise<void> {
  const note = readBackupNote(folder);
  if (!note) return;
  const backupAt = new Date(note.at).toISOString();
  logger.warn(
    { backupAt },
    'the data folder is a restored backup: events accepted after it are absent, what was revoked or deleted after it is valid again, and SIEMs get events delivered after it once more',
  );
  for (const { id: team } of await teams.list()) {
    const { last } = await log.bounds(team);
    if (last === 0) continue;
    await log.append([
      ownEvent({
        team,
        // Announced again when a crash kept the note from being forgotten, it is a duplicate.
        id: `restored-${note.id}`,
        eventType: 'audit.restored',
        actor: { id: 'trailproof', type: 'system' },
        description: `The log was restored from a backup of ${backupAt}. Events accepted after it are absent; sequences from ${last + 1} on are given again.`,
        metadata: { backupAt, lastSequence: last },
        at: now,
      }),
    ]);
  }
  forgetBackupNote(folder);
}

import type { Sequence, TeamId } from '../../../src/event/logged-event.ts';
import { openSqliteStore } from '../../../src/store/sqlite/store.ts';
import { DEFAULT_ALERTS } from '../../../src/store/teams.ts';
import { crashEvent, promisedTo, type Site } from './site.ts';
export const DAY_MS = 86_400_000;

/** Between two lives of a victim: a team whose events arrived `daysAgo` days ago, and the places they were given. */
export async function oldTeam(
  site: Site,
  { team, count, daysAgo }: { team: TeamId; count: number; daysAgo: number },
): Promise<ReadonlyMap<string, Sequence>> {
  const clock = { now: () => Date.now() - daysAgo * DAY_MS };
  const store = openSqliteStore({ folder: site.folder, clock, defaultRetentionDays: 365 });
  const places = new Map<string, Sequence>();
  try {
    const about = { id: team, name: team, retentionDays: 30, createdAt: clock.now(), alerts: DEFAULT_ALERTS };
    await store.teams.create(about, []);
    for (let n = 0; n < count; n += 100) {
      const events = Array.from({ length: Math.min(100, count - n) }, (_, i) =>
        crashEvent(team, `old-${n + i}`, site.random),
      );
      for (const [i, result] of (await store.log.append(events)).entries())
        if (result.kind === 'appended') places.set(events[i]!.id, result.sequence);
    }
  } finally {
    await store.close();
  }
  promisedTo(site, team);
  return places;
}

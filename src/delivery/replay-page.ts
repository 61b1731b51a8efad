import type { Replay } from '../store/destinations.ts';
import type { Lane } from './lane.ts';

/**
 * Some events of the replay's page are settled. When all are, its cursor moves and its counts with it, so that a crash
 * sends at most this page again and never counts it twice. Returns the replay when there is something to write down.
 */
export function pageSettled(
  lane: Lane,
  delivered: number,
  rejected: number,
  now: number,
): { lane: Lane; replay: Replay | null } {
  const { replay, replayPage } = lane;
  // Cancelled meanwhile: what was in flight is nobody's any more.
  if (!replay || !replayPage) return { lane, replay: null };
  const page = {
    ...replayPage,
    open: replayPage.open - delivered - rejected,
    delivered: replayPage.delivered + delivered,
    rejected: replayPage.rejected + rejected,
  };
  if (page.open > 0) return { lane: { ...lane, replayPage: page }, replay: null };
  const isDone = page.through >= replay.through;
  const moved: Replay = {
    ...replay,
    cursor: page.through,
    delivered: replay.delivered + page.delivered,
    rejected: replay.rejected + page.rejected,
    ...(isDone ? { status: 'done', endedAt: now } : {}),
  };
  return { lane: { ...lane, replay: isDone ? null : moved, replayPage: null }, replay: moved };
}

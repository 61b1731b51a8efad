import { randomFillSync } from 'node:crypto';
import { existsSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Clock } from '../../clock.ts';

export const RESERVE_BYTES = 16 * 1024 * 1024;
/** Free space at which appends are taken (again) and the reserve is made: its own size, and as much to work with. */
const ROOM_BYTES = 2 * RESERVE_BYTES;
const LOOK_AGAIN_AFTER_MS = 1_000;

/**
 * A file that holds disk space back. It is given up when the disk is full, so that cursors and dead letters can still
 * be written while appends are refused; it is made again once there is room.
 */
export class DiskReserve {
  readonly #path: string;
  readonly #clock: Pick<Clock, 'now'>;
  #held = false;
  #hasRoom = false;
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(path: string, clock: Pick<Clock, 'now'>) {
    this.#path = path;
    this.#clock = clock;
    this.#held = existsSync(path) && statSync(path).size === RESERVE_BYTES;
  }

  /** Whether appends may be tried. `reusableBytes`: free pages inside the database; looks at most once a second. */
  hasRoom(reusableBytes: () => number): boolean {
    if (this.#held) return true;
    const sinceMs = this.#clock.now() - this.#lookedAt;
    if (sinceMs >= 0 && sinceMs < LOOK_AGAIN_AFTER_MS) return this.#hasRoom;
    this.#lookedAt = this.#clock.now();
    const { bavail, bsize } = statfsSync(dirname(this.#path));
    this.#held = bavail * bsize >= ROOM_BYTES && this.#take();
    this.#hasRoom = this.#held || bavail * bsize + reusableBytes() >= ROOM_BYTES;
    return this.#hasRoom;
  }

  /** Gives the space up; from now on appends wait for room. False when there was none to give. */
  release(): boolean {
    const wasHeld = this.#held;
    rmSync(this.#path, { force: true });
    this.#held = false;
    this.#hasRoom = false;
    this.#lookedAt = this.#clock.now();
    return wasHeld;
  }

  #take(): boolean {
    try {
      // Random, because a file system that compresses or skips zeros would reserve nothing.
      writeFileSync(this.#path, randomFillSync(Buffer.alloc(RESERVE_BYTES)), { mode: 0o600 });
      return true;
    } catch {
      // Another process took the space meanwhile.
      rmSync(this.#path, { force: true });
      return false;
    }
  }
}

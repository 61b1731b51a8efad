import { randomFillSync } from 'node:crypto';
import { closeSync, existsSync, openSync, rmSync, statfsSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Clock } from '../../clock.ts';

/** Held back: this, or on a small disk an eighth of it. */
const RESERVE_BYTES = 32 * 1024 * 1024;
const SHARE_OF_DISK = 8;
const BLOCK_BYTES = 256 * 1024;
const LOOK_AGAIN_AFTER_MS = 1_000;

/**
 * A file that holds disk space back. It is given up when the disk is full, so that cursors and dead letters can still
 * be written while appends are refused; it is made again once there is room.
 */
export class DiskReserve {
  readonly #path: string;
  readonly #clock: Pick<Clock, 'now'>;
  /** What is held back, or is to be. */
  readonly bytes: number;
  #held = false;
  #hasRoom = false;
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(path: string, clock: Pick<Clock, 'now'>) {
    this.#path = path;
    this.#clock = clock;
    const { blocks, bsize } = statfsSync(dirname(path));
    this.bytes = Math.min(RESERVE_BYTES, Math.floor((blocks * bsize) / SHARE_OF_DISK));
    this.#held = existsSync(path) && statSync(path).size === this.bytes;
  }

  /** Whether appends may be tried. `reusableBytes`: free pages inside the database; looks at most once a second. */
  hasRoom(reusableBytes: () => number): boolean {
    if (this.#held) return true;
    const sinceMs = this.#clock.now() - this.#lookedAt;
    if (sinceMs >= 0 && sinceMs < LOOK_AGAIN_AFTER_MS) return this.#hasRoom;
    this.#lookedAt = this.#clock.now();
    const { bavail, bsize } = statfsSync(dirname(this.#path));
    // Room is the reserve's own size and as much again to work with.
    const enough = 2 * this.bytes;
    this.#held = bavail * bsize >= enough && this.#take();
    this.#hasRoom = this.#held || bavail * bsize + reusableBytes() >= enough;
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
    // Random, because a file system that compresses or skips zeros would reserve nothing.
    const block = randomFillSync(Buffer.alloc(BLOCK_BYTES));
    const file = openSync(this.#path, 'w', 0o600);
    try {
      for (let size = 0; size < this.bytes; size += BLOCK_BYTES)
        writeSync(file, block, 0, Math.min(BLOCK_BYTES, this.bytes - size));
      return true;
    } catch {
      // Another process took the space meanwhile.
      rmSync(this.#path);
      return false;
    } finally {
      closeSync(file);
    }
  }
}

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Acknowledgement } from './cuts.ts';
import type { FaultyDisk } from './faulty-disk.ts';

const WITHIN_MS = 60_000;

/**
 * Runs a program of this folder on the disk to its end, with the disk's folder as first argument; returns what it said,
 * a line of JSON each. Its first line says that it is ready: then `ready` is called, and a line of input lets it go on.
 */
export async function runOnDisk<Line>(
  disk: FaultyDisk,
  program: string,
  options: readonly string[],
  ready = async (): Promise<void> => {},
): Promise<Line[]> {
  const path = join(import.meta.dirname, program);
  const [command, ...args] = [...disk.enter, process.execPath, path, disk.folder, ...options];
  const child = spawn(command!, args, { stdio: ['pipe', 'pipe', 'pipe'], timeout: WITHIN_MS, killSignal: 'SIGKILL' });
  const lines: Line[] = [];
  let isReady = false;
  let errors = '';
  child.stderr.on('data', (text) => {
    errors += text;
  });
  // Whether it ended early, its exit says.
  child.stdin.on('error', () => {});
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) =>
      code === 0 ? resolve() : reject(new Error(`${program} ended with ${code ?? signal}: ${errors}`)),
    );
  });
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      if (isReady) lines.push(JSON.parse(line) as Line);
      else {
        isReady = true;
        await ready();
        child.stdin.write('go\n');
      }
    }
    await ended;
    return lines;
  } finally {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  }
}

/** The store alone under load: `appends` appends of several callers. */
export function runStore(
  disk: FaultyDisk,
  seed: string,
  appends: number,
  ready?: () => Promise<void>,
): Promise<Acknowledgement[]> {
  return runOnDisk<Acknowledgement>(disk, 'bare-store.ts', [seed, `${appends}`], ready);
}

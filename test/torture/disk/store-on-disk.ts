import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Acknowledgement } from './cuts.ts';
import type { FaultyDisk } from './faulty-disk.ts';

const PROGRAM = join(import.meta.dirname, 'bare-store.ts');
const WITHIN_MS = 60_000;

export interface StoreRun {
  readonly acknowledged: readonly Acknowledgement[];
  /** Appends that the store refused. */
  readonly refused: number;
}

/** Runs `bare-store.ts` on the disk to its end; `ready` is called when the store is open and before the load begins. */
export async function runStore(
  disk: FaultyDisk,
  seed: string,
  appends: number,
  ready = async (): Promise<void> => {},
): Promise<StoreRun> {
  const [command, ...args] = [...disk.enter, process.execPath, PROGRAM, disk.folder, seed, `${appends}`];
  const child = spawn(command!, args, { stdio: ['pipe', 'pipe', 'pipe'], timeout: WITHIN_MS, killSignal: 'SIGKILL' });
  const acknowledged: Acknowledgement[] = [];
  let refused = 0;
  let errors = '';
  child.stderr.on('data', (text) => {
    errors += text;
  });
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) =>
      code === 0 ? resolve() : reject(new Error(`the store ended with ${code ?? signal}: ${errors}`)),
    );
  });
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const said = JSON.parse(line) as Acknowledgement | { refused: number } | { ready: true };
      if ('at' in said) acknowledged.push(said);
      else if ('ready' in said) {
        await ready();
        child.stdin.write('go\n');
      } else refused = said.refused;
    }
    await ended;
    return { acknowledged, refused };
  } finally {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  }
}

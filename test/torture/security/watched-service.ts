import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { eventually } from '../../rig/events.ts';

/** The real service in a process of its own, with every byte it says kept. */
export interface WatchedService {
  readonly url: string;
  readonly pid: number;
  readonly setupUrl: string | null;
  /** Standard output and standard error so far. */
  output(): string;
  /** Ends it and waits; the exit code, null after a signal. */
  end(signal?: NodeJS.Signals): Promise<number | null>;
}

const MAIN = join(import.meta.dirname, '../../../src/main.ts');
const STARTS_WITHIN_MS = 60_000;

export async function watchService(
  folder: string,
  env: Readonly<Record<string, string>> = {},
): Promise<WatchedService> {
  const child = spawn(process.execPath, [MAIN, 'serve'], {
    env: { PATH: process.env['PATH'] ?? '', DATA_DIR: folder, PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  try {
    const serving = await eventually(() => {
      if (hasEnded(child)) return null;
      const lines = linesOf(output);
      const line = lines.find(({ msg }) => msg === 'serving');
      if (!line?.url) throw new Error(`it does not serve: ${output}`);
      return { url: line.url, setupUrl: lines.find(({ url }) => url?.includes('/setup#'))?.url ?? null };
    }, STARTS_WITHIN_MS);
    if (!serving) throw new Error(`it ended before it served: ${output}`);
    return { ...serving, pid: child.pid!, output: () => output, end: (signal = 'SIGTERM') => end(child, signal) };
  } catch (error) {
    await end(child, 'SIGKILL');
    throw error;
  }
}

/** The lines of a log that are JSON; the last may be half written. */
function linesOf(output: string): readonly { readonly msg?: string; readonly url?: string }[] {
  return output.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line) as { msg?: string; url?: string }];
    } catch {
      return [];
    }
  });
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (hasEnded(child)) return child.exitCode;
  const closed = once(child, 'close');
  child.kill(signal);
  await closed;
  return child.exitCode;
}

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type ServiceProcess, serviceEnv } from '../../rig/service.ts';
import { compileCache } from '../crash/child.ts';

/** The program in a process of its own, with everything it said and how it ended. */
export interface Ran {
  readonly pid: number;
  /** Where it serves; null when it ended before. */
  readonly url: Promise<string | null>;
  /** Resolves with the exit code; null: by a signal. */
  readonly ended: Promise<number | null>;
  /** Both outputs so far. */
  said(): string;
  signal(signal: NodeJS.Signals): void;
  /** SIGKILL, to one that is stopped as well; resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
}

export interface Serving extends ServiceProcess {
  said(): string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** A command that becomes the one it is given (setpriv). */
  readonly through?: readonly string[];
}

const MAIN = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));

export function run(folder: string, args: readonly string[], { env = {}, through = [] }: RunOptions = {}): Ran {
  const [program, ...rest] = [...through, process.execPath, MAIN, ...args];
  const child = spawn(program!, rest, {
    env: {
      ...serviceEnv(folder),
      NODE_COMPILE_CACHE: compileCache(),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  let code: number | null = null;
  const serving = Promise.withResolvers<string | null>();
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text) => {
      said += text;
      const url = /"url":"(http:[^"]+)"[^\n]*"msg":"serving"/.exec(said)?.[1];
      if (url) serving.resolve(url);
    });
  const ended = new Promise<number | null>((resolve) => {
    child.once('exit', (status) => {
      code = status;
    });
    child.once('close', () => {
      serving.resolve(null);
      resolve(code);
    });
  });
  return {
    ...{ pid: child.pid!, url: serving.promise, ended, said: () => said },
    signal: (signal) => void child.kill(signal),
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
    stop: () => {
      child.kill('SIGTERM');
      return ended;
    },
  };
}

/** Runs a command to its end; a service that serves is ended. */
export async function command(
  folder: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<{ code: number | null; said: string }> {
  const ran = run(folder, args, options);
  const code = (await ran.url) === null ? await ran.ended : await ran.stop();
  return { code, said: ran.said() };
}

/** Does `work` with the service, and kills it whatever happens. */
export async function withService<T>(
  folder: string,
  work: (service: Serving) => Promise<T>,
  options: RunOptions = {},
): Promise<T> {
  const service = run(folder, ['serve'], options);
  try {
    const url = await service.url;
    if (url === null) throw new Error(`serve did not start: ${service.said()}`);
    return await work({ ...service, url, setupUrl: null });
  } finally {
    await service.kill();
  }
}

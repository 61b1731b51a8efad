import { InvalidArgumentError } from 'commander';
import type { Config } from '../config/config.ts';
import type { DataFolder } from '../store/data-folder.ts';
import type { Api } from './api.ts';
import type { Terminal } from './terminal.ts';

/** Exit codes, documented in the help and in docs/guide/command-line.md. */
export const EXIT = { done: 0, failed: 1, usage: 2, config: 3, partly: 4 } as const;

/** What every command is given. */
export interface Cli {
  readonly terminal: Terminal;
  readonly env: NodeJS.ProcessEnv;
  /** The checked configuration; prints all mistakes and exits with 3 when there are any. */
  config(): Config;
  /** Runs work with the API of the service on this data folder, running or not. */
  operator<T>(work: (api: Api) => Promise<T>): Promise<T>;
  /** The files of a data folder, whether a service runs on it or not. */
  readonly dataFolder: DataFolder;
  /** Prints a result: `human` on a terminal, `data` with --json. */
  print(data: unknown, human: () => string): void;
  /** Ends the command with this exit code once it has printed what it has to. */
  exit(code: number): void;
}

export function positiveInteger(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('It is not a whole number.');
  return Number(text);
}

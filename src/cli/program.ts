import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { type Config, readConfig } from '../config/config.ts';
import type { DataFolder } from '../store/data-folder.ts';
import { ApiError } from './api.ts';
import { addBackup } from './backup.ts';
import { type Cli, EXIT, positiveInteger } from './cli.ts';
import { addDestinations } from './destinations.ts';
import { addEvents } from './events.ts';
import { addKeys } from './keys.ts';
import { addMaintenance } from './maintenance.ts';
import { type Core, withOperator } from './session.ts';
import { explainSystemError } from './system-error.ts';
import { addTeams } from './teams.ts';
import type { Terminal } from './terminal.ts';
import { addUsers } from './users.ts';

/** What only the composition root can provide. */
export interface Entry extends Core {
  readonly terminal: Terminal;
  readonly env: NodeJS.ProcessEnv;
  readonly version: string;
  readonly dataFolder: DataFolder;
  serve(config: Config): Promise<number>;
  demo(options: { once: boolean; events: number; json: boolean }): Promise<number>;
  sandbox(options: { port: number; host: string; tls: boolean; json: boolean }): Promise<number>;
}

/** Runs one command line and says the exit code. */
export async function runCli(args: readonly string[], entry: Entry): Promise<number> {
  const { terminal, env } = entry;
  const program = new Command('trailproof');
  let code: number = EXIT.done;
  const json = (): boolean => program.opts<{ json?: boolean }>().json === true;
  const config = (): Config => {
    const read = readConfig(env);
    if (read.ok) return read.config;
    throw new ConfigMistakes(read.problems);
  };
  const cli: Cli = {
    terminal,
    env,
    config,
    dataFolder: entry.dataFolder,
    operator: (work) => withOperator(config(), entry, work),
    print: (data, human) => void terminal.out.write(`${json() ? JSON.stringify(data) : human()}\n`),
    exit: (value) => {
      code = value;
    },
  };

  // Whoever read the results may leave (`| head -1`): they had enough, and nothing failed.
  for (const stream of [terminal.out, terminal.err])
    stream.on('error', (error) => {
      if (!isClosedPipe(error)) throw error;
    });

  program
    .description('The audit log that proves it arrived.')
    .option('--json', 'print results as JSON')
    .version(entry.version)
    .exitOverride()
    .showHelpAfterError('(add --help for the options)')
    .configureOutput({ writeOut: (text) => terminal.out.write(text), writeErr: (text) => terminal.err.write(text) })
    .addHelpText(
      'after',
      '\nSettings come from the environment (docs/reference/configuration.md). Administrative commands work while the\nservice runs and while it does not.\n\nExit codes: 0 done · 1 failed · 2 wrong usage · 3 wrong configuration · 4 partly done (some events were rejected)',
    );
  program
    .command('serve')
    .description('run the service: HTTP API, durable log, delivery (also without any command)')
    .action(async () => cli.exit(await entry.serve(config())));
  program
    .command('demo')
    .description('run the service with stand-ins for every SIEM and the events of a day, and show where each arrived')
    .option('--once', 'end when every event has arrived everywhere (exit 0), or cannot (exit 1)', false)
    .option('--events <n>', 'how many events to send', positiveInteger, 2000)
    .action(async (o: { once: boolean; events: number }) => cli.exit(await entry.demo({ ...o, json: json() })));
  program
    .command('sandbox')
    .description('run only the stand-ins for the SIEMs, with a page that shows what each received')
    .option(
      '--port <n>',
      'port of the page; the stand-ins take the ports after it (0: any free ports)',
      sandboxPort,
      4100,
    )
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--tls', 'serve https with a certificate made at start', false)
    .action(async (o: { port: number; host: string; tls: boolean }) =>
      cli.exit(await entry.sandbox({ ...o, json: json() })),
    );
  addTeams(program, cli);
  addKeys(program, cli);
  addUsers(program, cli);
  addEvents(program, cli);
  addDestinations(program, cli);
  addBackup(program, cli);
  addMaintenance(program, cli);
  // `--json` may stand before or behind the command.
  for (const command of allCommands(program))
    command.option('--json', 'print results as JSON').hook('preAction', raiseJson);

  try {
    await program.parseAsync(args.length > 0 ? [...args] : ['serve'], { from: 'user' });
    return code;
  } catch (error) {
    return explain(error, terminal, json());
  }

  function raiseJson(command: Command): void {
    if (command.opts<{ json?: boolean }>().json) program.setOptionValue('json', true);
  }
}

class ConfigMistakes extends Error {
  readonly problems: readonly { variable: string; problem: string; remedy: string }[];
  constructor(problems: readonly { variable: string; problem: string; remedy: string }[]) {
    super(problems.map((p) => `${p.variable}: ${p.problem}\n  → ${p.remedy}`).join('\n'));
    this.problems = problems;
  }
}

function explain(error: unknown, terminal: Terminal, json: boolean): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (isClosedPipe(error)) return EXIT.done;
  const message = explainSystemError(error) ?? (error instanceof Error ? error.message : String(error));
  const code = error instanceof ConfigMistakes ? EXIT.config : EXIT.failed;
  if (json) {
    const problem =
      error instanceof ApiError
        ? error.problem
        : error instanceof ConfigMistakes
          ? error.problems
          : { detail: message };
    terminal.out.write(`${JSON.stringify({ error: problem })}\n`);
  } else terminal.err.write(`${message}\n`);
  return code;
}

function isClosedPipe(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EPIPE';
}

function sandboxPort(text: string): number {
  const port = positiveInteger(text);
  if (port > 65_530) throw new InvalidArgumentError('It is at most 65530: the stand-ins take the ports after it.');
  return port;
}

function allCommands(command: Command): Command[] {
  return command.commands.flatMap((c) => [c, ...allCommands(c)]);
}

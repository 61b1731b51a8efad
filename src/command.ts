import manifest from '../package.json' with { type: 'json' };
import { runCli } from './cli/program.ts';
import type { Config } from './config/config.ts';
import { sqliteDataFolder } from './store/sqlite/data-folder.ts';
import { FolderLocked } from './store/sqlite/folder-lock.ts';
import { createLogger } from './telemetry/logger.ts';

/** Hands the command line to the CLI and turns its result into the exit code. */

/** How long a stop may take before the process ends anyway; everything acknowledged is durable long before. */
const STOP_WITHIN_MS = 20_000;

async function serve(config: Config): Promise<number> {
  const { start } = await import('./start.ts');
  const logger = createLogger({ level: config.logLevel, thread: 'main' });
  const stopped = stopSignal();
  try {
    const running = await start(config, logger, { serve: true });
    logger.info({ url: running.url, dataDir: config.dataDir }, 'serving');
    const died = await Promise.race([stopped.then(() => null), running.died]);
    if (died) {
      logger.error({ err: died }, 'a part of the service failed; ending so that a supervisor starts it afresh');
      return 1;
    }
    logger.info({}, 'stopping: finishing requests and deliveries in flight');
    setTimeout(() => process.exit(1), STOP_WITHIN_MS).unref();
    await running.stop();
    logger.info({}, 'stopped');
    return 0;
  } catch (error) {
    if (!(error instanceof FolderLocked)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 1;
  }
}

/** Resolves at the first SIGTERM or SIGINT; a second one ends the process at once. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    let asked = false;
    for (const signal of ['SIGTERM', 'SIGINT'] as const)
      process.on(signal, () => {
        if (asked) process.exit(130);
        asked = true;
        resolve();
      });
  });
}

// What this process writes is for its owner alone: the database holds audit events, sealed credentials and key hashes.
process.umask(0o077);
process.exitCode = await runCli(process.argv.slice(2), {
  terminal: { out: process.stdout, err: process.stderr },
  env: process.env,
  version: manifest.version,
  dataFolder: sqliteDataFolder,
  startCore: async (config) => {
    const { start } = await import('./start.ts');
    return start(config, createLogger({ level: 'error', thread: 'main' }), { serve: false });
  },
  isFolderTaken: (error) => error instanceof FolderLocked,
  serve,
  demo: async (options) => (await import('./demo.ts')).runDemo(options, stopSignal()),
  sandbox: async (options) => (await import('./sandbox.ts')).runSandbox(options, stopSignal()),
});
// Anything still open now (a keep-alive socket, say) must not keep a finished command alive.
process.exit();

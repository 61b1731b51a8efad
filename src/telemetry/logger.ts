import { destination, pino } from 'pino';

/** What the rest of the service needs of a logger. Fields first, then a sentence for people. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** A logger that adds `fields` to each of its lines. */
  child(fields: Record<string, unknown>): Logger;
}

/**
 * One JSON object a line, for machines to collect; an error goes under `err`. `thread` tells lines of the process's
 * threads apart. Values under names of credentials are replaced: the second fence behind `Secret`, not the first.
 */
export function createLogger(options: {
  readonly level: string;
  readonly thread?: string;
  /** Default stdout; commands whose stdout is their answer log to stderr. */
  readonly stream?: 'stdout' | 'stderr';
}): Logger {
  // Written synchronously: the line that says why the process died must not be lost with it.
  const out = destination({ dest: options.stream === 'stderr' ? 2 : 1, sync: true });
  const base = options.thread === undefined ? null : { thread: options.thread };
  return pino({ level: options.level, base, redact: { paths: REDACTED, censor: '[secret]' } }, out);
}

const CREDENTIALS = [
  'authorization',
  'cookie',
  'password',
  'secret',
  'token',
  'apiKey',
  'secToken',
  'clientSecret',
  'clientKey',
];
const REDACTED = CREDENTIALS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);

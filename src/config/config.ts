import ipaddr from 'ipaddr.js';
import { Secret } from '../secrets.ts';
import { parseMasterKey } from './master-key.ts';

/** What the process is started with. Read once from the environment; nothing else in the service looks there. */
export interface Config {
  readonly port: number;
  readonly host: string;
  /** Without a slash at the end; null: people reach the service at host and port. */
  readonly publicUrl: string | null;
  readonly dataDir: string;
  /** 32 bytes as base64 or hex, checked; null: `masterKeyFile`, or the key kept in `dataDir`. */
  readonly masterKey: Secret | null;
  readonly masterKeyFile: string | null;
  readonly destinationNetwork: 'public' | 'private' | 'any';
  readonly allowHttpDestinations: boolean;
  readonly egressAddresses: readonly string[];
  /** http:// or https://, checked; may hold user and password. null: https:// destinations are reached directly. */
  readonly httpsProxy: Secret | null;
  /** The same for http:// destinations. */
  readonly httpProxy: Secret | null;
  readonly noProxy: readonly string[];
  readonly brandName: string;
  readonly autoCreateTeams: boolean;
  readonly trustedProxies: readonly string[];
  readonly logLevel: LogLevel;
  readonly retentionDays: number;
  readonly metricsToken: Secret | null;
  readonly rateLimitPerMinute: number;
  /** smtp:// or smtps://, checked; null: no mail is sent. */
  readonly smtpUrl: Secret | null;
  /** Sender of mail: `Name <address>` or an address. */
  readonly smtpFrom: string;
}

type LogLevel = (typeof LOG_LEVELS)[number];

/** One mistake in the environment: which variable, what is wrong with it, what to write instead. */
interface ConfigProblem {
  readonly variable: string;
  readonly problem: string;
  readonly remedy: string;
}

export type ReadConfig =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

type Environment = Readonly<Record<string, string | undefined>>;

/** The configuration, or every mistake in it at once. A variable set to nothing counts as absent. */
export function readConfig(env: Environment): ReadConfig {
  const problems: ConfigProblem[] = [];
  const read = <T>(option: Option<T>): T => {
    const text = env[option.variable]?.trim() || (option.isEitherCase && env[option.variable.toLowerCase()]?.trim());
    if (!text) return option.fallback;
    const value = option.parse(text);
    if (value !== undefined) return value;
    // A credential mistyped is still a credential: it is not repeated.
    const shown = option.isSecret ? 'its value cannot be used' : `"${text}" cannot be used`;
    problems.push({ variable: option.variable, problem: shown, remedy: option.remedy });
    return option.fallback;
  };
  const publicUrl = read(OPTIONS.publicUrl);
  const config: Config = {
    port: read(OPTIONS.port),
    host: read(OPTIONS.host),
    publicUrl,
    dataDir: read(OPTIONS.dataDir),
    masterKey: read(OPTIONS.masterKey),
    masterKeyFile: read(OPTIONS.masterKeyFile),
    destinationNetwork: read(OPTIONS.destinationNetwork),
    allowHttpDestinations: read(OPTIONS.allowHttpDestinations),
    egressAddresses: read(OPTIONS.egressAddresses),
    httpsProxy: read(OPTIONS.httpsProxy),
    httpProxy: read(OPTIONS.httpProxy),
    noProxy: read(OPTIONS.noProxy),
    brandName: read(OPTIONS.brandName),
    autoCreateTeams: read(OPTIONS.autoCreateTeams),
    trustedProxies: read(OPTIONS.trustedProxies),
    logLevel: read(OPTIONS.logLevel),
    retentionDays: read(OPTIONS.retentionDays),
    metricsToken: read(OPTIONS.metricsToken),
    rateLimitPerMinute: read(OPTIONS.rateLimitPerMinute),
    smtpUrl: read(OPTIONS.smtpUrl),
    smtpFrom:
      read(OPTIONS.smtpFrom) || `Trailproof <trailproof@${publicUrl ? new URL(publicUrl).hostname : 'localhost'}>`,
  };
  read(OPTIONS.databaseUrl);
  if (env['MASTER_KEY'] && env['MASTER_KEY_FILE'])
    problems.push({
      variable: 'MASTER_KEY_FILE',
      problem: 'MASTER_KEY is set too',
      remedy: 'Set one of the two.',
    });
  return problems.length === 0 ? { ok: true, config } : { ok: false, problems };
}

/** Every option as Markdown, for docs/reference/configuration.md. */
export function configReference(): string {
  const rows = Object.values(OPTIONS).map((o) => `| \`${o.variable}\` | ${o.default} | ${o.meaning} ${o.remedy} |`);
  return [
    '# Configuration',
    '',
    'Read from the environment at start; every option has a default. Mistakes are reported all at once, each with its remedy.',
    '',
    '| Variable | Default | Meaning |',
    '| --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

/** An example environment file: every option commented out, with its meaning above it. */
export function exampleEnv(): string {
  return Object.values(OPTIONS)
    .map((o) => `# ${o.meaning} ${o.remedy}\n# ${o.variable}=${o.example}\n`.replaceAll('`', ''))
    .join('\n');
}

interface Option<T> {
  readonly variable: string;
  readonly fallback: T;
  /** The default as the reference shows it. */
  readonly default: string;
  readonly example: string;
  readonly meaning: string;
  /** What may be written: shown in the reference, and as the remedy of a mistake. */
  readonly remedy: string;
  readonly isSecret?: true;
  /** Read in lower case where the upper case is absent, as other programs do. */
  readonly isEitherCase?: true;
  /** undefined: the text cannot be used. */
  readonly parse: (text: string) => T | undefined;
}

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;
const NETWORKS = ['public', 'private', 'any'] as const;

const OPTIONS = {
  port: wholeNumber('PORT', 3000, 0, 65_535, 'Port of the HTTP API; 0 takes any free one.'),
  host: {
    ...text('HOST', '127.0.0.1', 'Address the HTTP API listens on.'),
    remedy: 'An IP address or a host name; `0.0.0.0` listens on every IPv4 address.',
    parse: (value) => (/^[A-Za-z0-9._:-]+$/.test(value) ? value : undefined),
  },
  publicUrl: {
    variable: 'PUBLIC_URL',
    fallback: null,
    default: 'host and port',
    example: 'https://audit.example.com',
    meaning: 'Where people and programs reach the service.',
    remedy: 'An http or https URL without query.',
    parse: parseUrl,
  },
  dataDir: {
    ...text('DATA_DIR', './data', 'Folder of the database, the master key and the control socket.'),
    remedy: 'A path the service may write to.',
  },
  databaseUrl: {
    variable: 'DATABASE_URL',
    fallback: null,
    default: 'absent',
    example: '',
    meaning: 'Reserved.',
    remedy: 'Leave it out: SQLite in `DATA_DIR` is the only backend so far.',
    isSecret: true,
    parse: () => undefined,
  },
  masterKey: {
    variable: 'MASTER_KEY',
    fallback: null,
    default: 'made in `DATA_DIR/master.key`',
    example: '',
    meaning: 'Encrypts the credentials of destinations at rest.',
    remedy: '32 random bytes as base64 or hex, for example from `openssl rand -base64 32`.',
    isSecret: true,
    parse: (value) => (parseMasterKey(value) ? new Secret(value) : undefined),
  },
  masterKeyFile: {
    variable: 'MASTER_KEY_FILE',
    fallback: null,
    default: 'absent',
    example: '/run/secrets/master-key',
    meaning: 'File that holds the master key, instead of `MASTER_KEY`.',
    remedy: 'A path only its owner may write.',
    parse: (value) => value,
  },
  destinationNetwork: choice(
    'DESTINATION_NETWORK',
    'public',
    NETWORKS,
    'Addresses destinations may have: `private` adds RFC 1918 and ULA, `any` also loopback. Link-local and metadata addresses are always refused.',
  ),
  allowHttpDestinations: flag('ALLOW_HTTP_DESTINATIONS', false, 'Lets destinations use plain http.'),
  egressAddresses: {
    ...addresses('EGRESS_ADDRESSES', 'Addresses this service connects from, shown to users for their firewall.'),
    example: '192.0.2.10,192.0.2.11',
  },
  httpsProxy: proxy(
    'HTTPS_PROXY',
    'HTTP proxy for deliveries and webhooks to `https://` addresses; also read as `https_proxy`.',
  ),
  httpProxy: proxy(
    'HTTP_PROXY',
    'The same for `http://` addresses, where they are allowed; also read as `http_proxy`.',
  ),
  noProxy: {
    variable: 'NO_PROXY',
    fallback: [],
    default: 'none',
    example: '.corp.example.com,10.0.0.0/8',
    meaning: 'Destinations reached without the proxy; also read as `no_proxy`. Loopback always is.',
    remedy:
      'Host names (with all below them), IP addresses or CIDR ranges, each with a port or without, separated by commas; or `*`.',
    isEitherCase: true,
    parse: (value) => {
      const items = value.split(/[\s,]+/).filter(Boolean);
      return items.every((item) => /^[A-Za-z0-9.*_:[\]/-]+$/.test(item)) ? items : undefined;
    },
  },
  brandName: {
    ...text('BRAND_NAME', 'NeuralTrust', 'Whose audit log this is: the vendor that SIEMs show.'),
    remedy: '1 to 64 characters without control characters.',
    parse: (value) => (/^[^\p{Cc}]{1,64}$/u.test(value) ? value : undefined),
  },
  autoCreateTeams: flag('AUTO_CREATE_TEAMS', true, 'Creates a team when an installation key first names it.'),
  trustedProxies: {
    ...addresses('TRUSTED_PROXIES', 'Reverse proxies whose `X-Forwarded-*` headers are believed.'),
    example: '10.0.0.0/8',
  },
  logLevel: choice('LOG_LEVEL', 'info', LOG_LEVELS, 'Least severe log line that is written.'),
  retentionDays: wholeNumber('RETENTION_DAYS', 365, 1, 36_500, 'Days a new team keeps its events.'),
  metricsToken: {
    variable: 'METRICS_TOKEN',
    fallback: null,
    default: 'absent: loopback only',
    example: '',
    meaning: 'Bearer token that opens `/metrics` to other machines.',
    remedy: 'At least 16 characters without spaces.',
    isSecret: true,
    parse: (value) => (/^[\x21-\x7e]{16,}$/.test(value) ? new Secret(value) : undefined),
  },
  rateLimitPerMinute: wholeNumber(
    'RATE_LIMIT_PER_MINUTE',
    1_500_000,
    1,
    1_000_000_000,
    'Requests one API key may make in a minute; beyond, they are answered 429 with `Retry-After`.',
  ),
  smtpUrl: {
    variable: 'SMTP_URL',
    fallback: null,
    default: 'absent: no mail',
    example: 'smtp://user:password@mail.example.com:587',
    meaning: 'Mail server for invitations, new passwords and alerts.',
    remedy: '`smtp://` (STARTTLS) or `smtps://`, with user and password, percent-encoded, if the server asks for them.',
    isSecret: true,
    parse: (value) => (isServerUrl(value, /^smtps?:$/) ? new Secret(value) : undefined),
  },
  smtpFrom: {
    variable: 'SMTP_FROM',
    fallback: '',
    default: '`Trailproof <trailproof@…>` at the host of `PUBLIC_URL`, else `localhost`',
    example: 'Trailproof <audit@example.com>',
    meaning: 'Sender of mail.',
    remedy: 'An address, or a name and the address in angle brackets.',
    parse: (value) => (/^(?:[^<>\p{Cc}]*<[^\s<>@]+@[^\s<>@]+>|[^\s<>@]+@[^\s<>@]+)$/u.test(value) ? value : undefined),
  },
} satisfies { [K in keyof Config]: Option<Config[K]> } & { databaseUrl: Option<null> };

function text(variable: string, fallback: string, meaning: string): Option<string> {
  const shown = { default: `\`${fallback}\``, example: fallback };
  return { variable, fallback, ...shown, meaning, remedy: '', parse: (value) => value };
}

function wholeNumber(variable: string, fallback: number, least: number, most: number, meaning: string): Option<number> {
  return {
    variable,
    fallback,
    default: `\`${fallback}\``,
    example: String(fallback),
    meaning,
    remedy: `A whole number from ${least} to ${most}.`,
    parse: (value) =>
      /^\d{1,10}$/.test(value) && Number(value) >= least && Number(value) <= most ? Number(value) : undefined,
  };
}

function flag(variable: string, fallback: boolean, meaning: string): Option<boolean> {
  const values = new Map([
    ['true', true],
    ['false', false],
    ['1', true],
    ['0', false],
  ]);
  return {
    variable,
    fallback,
    default: `\`${fallback}\``,
    example: String(fallback),
    meaning,
    remedy: '`true` or `false`.',
    parse: (value) => values.get(value.toLowerCase()),
  };
}

function choice<const T extends string>(
  variable: string,
  fallback: NoInfer<T>,
  values: readonly T[],
  meaning: string,
): Option<T> {
  return {
    variable,
    fallback,
    default: `\`${fallback}\``,
    example: fallback,
    meaning,
    remedy: `One of ${values.map((v) => `\`${v}\``).join(', ')}.`,
    parse: (value) => values.find((v) => v === value.toLowerCase()),
  };
}

function addresses(variable: string, meaning: string): Option<readonly string[]> {
  return {
    variable,
    fallback: [],
    default: 'none',
    example: '',
    meaning,
    remedy: 'IP addresses or CIDR ranges, separated by commas.',
    parse: (value) => {
      const items = value.split(',').map((item) => item.trim());
      return items.every((item) => ipaddr.isValid(item) || ipaddr.isValidCIDR(item)) ? items : undefined;
    },
  };
}

function proxy(variable: string, meaning: string): Option<Secret | null> {
  return {
    variable,
    fallback: null,
    default: 'absent: directly',
    example: 'http://user:password@proxy.example.com:3128',
    meaning,
    remedy:
      '`http://` or `https://`, host and port, with user and password, percent-encoded, if the proxy asks for them.',
    isSecret: true,
    isEitherCase: true,
    parse: (value) => {
      const given = value.includes('://') ? value : `http://${value}`;
      return isServerUrl(given, /^https?:$/) ? new Secret(given) : undefined;
    },
  };
}

function parseUrl(value: string): string | undefined {
  const url = URL.parse(value);
  if (!url || !/^https?:$/.test(url.protocol) || url.search || url.hash || url.username) return undefined;
  return url.href.replace(/\/+$/, '');
}

/** A server with or without credentials, and nothing else. */
function isServerUrl(value: string, protocol: RegExp): boolean {
  const url = URL.parse(value);
  if (!url || !protocol.test(url.protocol) || !url.hostname || url.search || url.hash) return false;
  if (!/^\/?$/.test(url.pathname)) return false;
  try {
    decodeURIComponent(url.username + url.password);
    return true;
  } catch {
    return false; // A password with a bare percent sign: found out here rather than by the first use.
  }
}

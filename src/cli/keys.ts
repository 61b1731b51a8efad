import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Cli, positiveInteger } from './cli.ts';
import { table } from './terminal.ts';

const SCOPES = ['events:write', 'events:read', 'destinations:read', 'destinations:write', 'team:admin'];

interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly team: string | null;
  readonly scopes: readonly string[];
  readonly status: string;
  readonly expiresAt: string | null;
  readonly lastUsedAt: string | null;
  /** Only in the answer to its creation. */
  readonly key?: string;
}

export function addKeys(program: Command, cli: Cli): void {
  const keys = program.command('keys').description('API keys: what programs sign their requests with');
  keys
    .command('create')
    .description('create a key and print it; it is shown this once')
    .option('--team <id>', 'the team the key belongs to')
    .option('--all-teams', 'a key of the installation: every event names its team')
    .addOption(
      new Option('--scope <scope...>', `what the key may do: ${SCOPES.join(', ')}`)
        .argParser(scopes)
        .makeOptionMandatory(),
    )
    .option('--name <name>', 'name shown to people', 'command line')
    .option('--expires-in-days <n>', 'days until the key stops working (default: never)', positiveInteger)
    .option('--quiet', 'print the key alone')
    .action(
      async (o: {
        team?: string;
        allTeams?: boolean;
        scope: readonly string[];
        name: string;
        expiresInDays?: number;
        quiet?: boolean;
      }) => {
        if ((o.team === undefined) === !o.allTeams) return keysError('name either --team or --all-teams');
        const body = {
          team: o.team ?? null,
          scopes: o.scope,
          name: o.name,
          ...(o.expiresInDays === undefined
            ? {}
            : { expiresAt: new Date(Date.now() + o.expiresInDays * 86_400_000).toISOString() }),
        };
        const key = await cli.operator((api) => api.json<ApiKey>('POST', '/v1/api-keys', body));
        if (o.quiet) return void cli.terminal.out.write(`${key.key}\n`);
        cli.print(
          key,
          () =>
            `${key.key}\n\nKey ${key.id} for ${key.team ?? 'all teams'}: ${key.scopes.join(', ')}. It is not shown again.`,
        );
      },
    );
  const keysError = (message: string): never => keys.error(`error: ${message}`);
  keys
    .command('list')
    .description('list the keys')
    .option('--team <id>', 'only keys of this team')
    .action(async (o: { team?: string }) => {
      const query = o.team === undefined ? '' : `?team=${encodeURIComponent(o.team)}`;
      const { items } = await cli.operator((api) => api.json<{ items: ApiKey[] }>('GET', `/v1/api-keys${query}`));
      cli.print(items, () =>
        items.length === 0
          ? 'No key yet. Create one: trailproof keys create --team acme --scope events:write'
          : table([
              ['ID', 'NAME', 'TEAM', 'SCOPES', 'STATUS', 'EXPIRES', 'LAST USED'],
              ...items.map((k) => [
                k.id,
                k.name,
                k.team ?? 'all',
                k.scopes.join(','),
                k.status,
                k.expiresAt ?? 'never',
                k.lastUsedAt ?? 'never',
              ]),
            ]),
      );
    });
  keys
    .command('revoke')
    .description('revoke a key; it stops working at once')
    .argument('<id>', 'id of the key, as in the list')
    .action(async (id: string) => {
      await cli.operator((api) => api.json('DELETE', `/v1/api-keys/${encodeURIComponent(id)}`));
      cli.print({ id, revoked: true }, () => `Revoked ${id}.`);
    });
}

/** Scopes may be given one by one, several behind the option, or with commas. */
function scopes(text: string, others: readonly string[] | undefined): readonly string[] {
  const given = text.split(',').map((scope) => scope.trim());
  if (!given.every((scope) => SCOPES.includes(scope)))
    throw new InvalidArgumentError(`Allowed choices are ${SCOPES.join(', ')}.`);
  return [...new Set([...(others ?? []), ...given])];
}

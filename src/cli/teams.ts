import type { Command } from 'commander';
import type { Cli } from './cli.ts';
import { table } from './terminal.ts';

interface Team {
  readonly id: string;
  readonly name: string;
  readonly retentionDays: number;
  readonly createdAt: string;
}

export function addTeams(program: Command, cli: Cli): void {
  const teams = program.command('teams').description('teams: whose events are kept apart');
  teams
    .command('create')
    .description('create a team')
    .requiredOption('--id <id>', "the platform's own id of the team, up to 128 characters")
    .requiredOption('--name <name>', 'name shown to people')
    .action(async (options: { id: string; name: string }) => {
      const team = await cli.operator((api) => api.json<Team>('POST', '/v1/teams', options));
      cli.print(
        team,
        () => `Created team ${team.id} (${team.name}); its events are kept for ${team.retentionDays} days.`,
      );
    });
  teams
    .command('list')
    .description('list the teams')
    .action(async () => {
      const { items } = await cli.operator((api) => api.json<{ items: Team[] }>('GET', '/v1/teams'));
      cli.print(items, () =>
        items.length === 0
          ? 'No team yet. Create one: trailproof teams create --id acme --name Acme'
          : table([
              ['ID', 'NAME', 'KEPT (DAYS)', 'CREATED'],
              ...items.map((t) => [t.id, t.name, t.retentionDays, t.createdAt]),
            ]),
      );
    });
}

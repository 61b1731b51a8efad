import { type Command, Option } from 'commander';
import { type Cli, EXIT } from './cli.ts';
import { isServing } from './session.ts';
import { table } from './terminal.ts';

const ROLES = ['owner', 'admin', 'member', 'auditor'];

interface Member {
  readonly email: string;
  readonly name: string;
  readonly role: string;
  readonly status: string;
  readonly twoFactor: boolean;
  readonly lastSeenAt: string | null;
}

export function addUsers(program: Command, cli: Cli): void {
  const users = program.command('users').description('people: who may use the console');
  users
    .command('create')
    .description('let a person into a team and print the link by which they join')
    .requiredOption('--email <address>', 'their e-mail address')
    .requiredOption('--team <id>', 'the team')
    .addOption(new Option('--role <role>', 'what they may do there').choices(ROLES).makeOptionMandatory())
    .action(async ({ team, ...invitation }: { email: string; team: string; role: string }) => {
      const path = `/v1/invitations?team=${encodeURIComponent(team)}`;
      const made = await cli.operator((api) =>
        api.json<{ email: string; link: string; expiresAt: string }>('POST', path, invitation),
      );
      cli.print(made, () => `${made.link}\n\nFor ${made.email}, once, until ${made.expiresAt}. It is not shown again.`);
    });
  users
    .command('list')
    .description('list the people of a team')
    .requiredOption('--team <id>', 'the team')
    .action(async ({ team }: { team: string }) => {
      const { items } = await cli.operator((api) =>
        api.json<{ items: Member[] }>('GET', `/v1/members?team=${encodeURIComponent(team)}`),
      );
      cli.print(items, () =>
        items.length === 0
          ? `Nobody yet. Let somebody in: trailproof users create --email ana@example.com --team ${team} --role owner`
          : table([
              ['E-MAIL', 'NAME', 'ROLE', 'STATUS', 'SECOND FACTOR', 'LAST SEEN'],
              ...items.map((m) => [
                m.email,
                m.name,
                m.role,
                m.status,
                m.twoFactor ? 'yes' : 'no',
                m.lastSeenAt ?? 'never',
              ]),
            ]),
      );
    });
  addLink(users, cli, 'sign-in-link', 'sign-in', 'print a link that signs a person in once, within an hour');
  addLink(users, cli, 'reset-password', 'reset', 'print a link by which a person sets a new password, within an hour');
}

function addLink(users: Command, cli: Cli, name: string, kind: 'sign-in' | 'reset', description: string): void {
  users
    .command(name)
    .description(description)
    .requiredOption('--email <address>', 'their e-mail address')
    .action(async ({ email }: { email: string }) => {
      if (!(await isServing(cli.config()))) {
        cli.terminal.err.write('The service does not run. It keeps such links in memory: start it, then ask again.\n');
        return cli.exit(EXIT.failed);
      }
      const link = await cli.operator((api) =>
        api.json<{ url: string; expiresAt: string }>('POST', '/v1/links', { kind, email }),
      );
      cli.print(link, () => `${link.url}\n\nFor ${email}, once, until ${link.expiresAt}.`);
    });
}

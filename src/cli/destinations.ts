import { readFileSync } from 'node:fs';
import { type Command, InvalidArgumentError } from 'commander';
import type { Destination, Health } from '../contract/destinations.ts';
import { type Cli, EXIT } from './cli.ts';
import { explainSystemError } from './system-error.ts';
import { count, table } from './terminal.ts';

export function addDestinations(program: Command, cli: Cli): void {
  const destinations = program.command('destinations').description('destinations: the SIEMs a team forwards to');
  const command = (name: string, description: string): Command =>
    destinations.command(name).description(description).requiredOption('--team <id>', 'the team');
  const query = (team: string): string => `?team=${encodeURIComponent(team)}`;
  const at = (id: string, action: string, team: string): string =>
    `/v1/destinations/${encodeURIComponent(id)}${action}${query(team)}`;

  command('list', 'list them with state and counts').action(async ({ team }: { team: string }) => {
    const rows = await cli.operator(async (api) => {
      const { items } = await api.json<{ items: Destination[] }>('GET', `/v1/destinations${query(team)}`);
      return Promise.all(
        items.map(async (d) => ({ ...d, health: await api.json<Health>('GET', at(d.id, '/health', team)) })),
      );
    });
    cli.print(rows, () =>
      rows.length === 0
        ? `Team ${team} forwards to no SIEM yet.`
        : table([
            ['ID', 'KIND', 'NAME', 'STATE', 'MATCHED', 'DELIVERED', 'DEAD LETTERS', 'WAITING'],
            ...rows.map(({ id, kind, name, health: { state, counts } }) => [
              id,
              kind,
              name,
              state,
              counts.matched,
              counts.delivered,
              counts.deadLettered,
              counts.pending,
            ]),
          ]) +
          rows
            .filter((r) => r.health.cause)
            .map((r) => `\n${r.name}: ${r.health.cause}\n  → ${r.health.fix ?? 'nothing to do'}`)
            .join(''),
    );
  });

  command('create', 'connect a SIEM')
    .requiredOption(
      '--kind <kind>',
      'which SIEM: splunk, elastic … (each kind has a page in docs/reference/destinations.md)',
    )
    .requiredOption('--name <name>', 'name shown to people')
    .option(
      '--set <name=value...>',
      'a setting; @FILE reads the value from a file, which keeps secrets out of the process list',
      setting,
      {},
    )
    .option('--categories <category...>', 'only these categories (default: all)')
    .option('--start-at <when>', 'now, beginning, or a time (ISO 8601)', 'now')
    .action(
      async (o: {
        team: string;
        kind: string;
        name: string;
        set: Settings;
        categories?: string[];
        startAt: string;
      }) => {
        const body = {
          kind: o.kind,
          name: o.name,
          settings: o.set,
          startAt: o.startAt,
          ...(o.categories ? { filter: { categories: o.categories } } : {}),
        };
        const made = await cli.operator((api) =>
          api.json<Destination>('POST', `/v1/destinations${query(o.team)}`, body),
        );
        cli.print(
          made,
          () =>
            `Created ${made.kind} destination ${made.id} (${made.name}). Test it: trailproof destinations test ${made.id} --team ${o.team}`,
        );
      },
    );

  command('test', 'test the connection, step by step, with a marked test event')
    .argument('<id>')
    .action(async (id: string, { team }: { team: string }) => {
      const result = await cli.operator((api) =>
        api.json<{ ok: boolean; steps: { name: string; ok: boolean; detail: string; fix?: string; ms: number }[] }>(
          'POST',
          at(id, '/test', team),
          {},
        ),
      );
      cli.print(result, () =>
        result.steps
          .map(
            (s) =>
              `${s.ok ? '✓' : '✕'} ${s.name.padEnd(12)} ${s.detail}  (${Math.round(s.ms)} ms)${s.fix ? `\n  → ${s.fix}` : ''}`,
          )
          .join('\n'),
      );
      if (!result.ok) cli.exit(EXIT.failed);
    });

  for (const action of ['pause', 'resume'] as const)
    command(action, action === 'pause' ? 'stop sending; events wait, none is lost' : 'send what waited and go on')
      .argument('<id>')
      .action(async (id: string, { team }: { team: string }) => {
        await cli.operator((api) => api.json('POST', at(id, `/${action}`, team), {}));
        cli.print({ id, action }, () =>
          action === 'pause' ? `Paused ${id}. Events wait until you resume.` : `Resumed ${id}.`,
        );
      });

  command('replay', 'send the events of a time range again')
    .argument('<id>')
    .requiredOption('--from <time>', 'received at or after (ISO 8601)')
    .requiredOption('--to <time>', 'received before (ISO 8601)')
    .option('--dry-run', 'only count', false)
    .action(async (id: string, o: { team: string; from: string; to: string; dryRun: boolean }) => {
      const { from, to, dryRun } = o;
      const replay = await cli.operator((api) =>
        api.json<{ id: string | null; events: number; bytes: number }>('POST', at(id, '/replay', o.team), {
          from,
          to,
          dryRun,
        }),
      );
      cli.print(
        replay,
        () =>
          `${dryRun ? 'Would send' : `Replay ${replay.id}: sending`} ${count(replay.events)} events (${count(replay.bytes)} bytes) again.`,
      );
    });

  command('redrive', 'send dead letters again')
    .argument('<id>')
    .option('--id <event...>', 'only these event ids (default: all)')
    .action(async (id: string, o: { team: string; id?: string[] }) => {
      const result = await cli.operator((api) =>
        api.json<{ redriven: number }>('POST', at(id, '/dead-letters/redrive', o.team), o.id ? { ids: o.id } : {}),
      );
      cli.print(result, () => `Sending ${count(result.redriven)} dead letters again.`);
    });
}

/** `name=value`; `name=@file` reads the file, without the line end editors add. */
function setting(text: string, others: Settings): Settings {
  const split = text.indexOf('=');
  if (split < 1) throw new InvalidArgumentError('Write name=value.');
  const name = text.slice(0, split);
  const value = text.slice(split + 1);
  if (value.startsWith('@')) return { ...others, [name]: contentOf(value.slice(1)) };
  return { ...others, [name]: value === 'true' ? true : value === 'false' ? false : value };
}

function contentOf(file: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    throw new InvalidArgumentError(explainSystemError(error) ?? `${file} cannot be read.`);
  }
}

type Settings = Readonly<Record<string, unknown>>;

import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StoredDestination } from '../../../src/store/destinations.ts';
import { Connection } from '../../../src/store/sqlite/connection.ts';
import { LogReader } from '../../../src/store/sqlite/log-reader.ts';

/** What is configured, as a copy of the files has it. */
export interface Configuration {
  readonly destinations: readonly StoredDestination[];
  readonly keys: readonly { readonly id: string; readonly name: string; readonly revokedAt: number | null }[];
  readonly teams: readonly { readonly id: string; readonly name: string }[];
  readonly invitations: readonly { readonly id: string; readonly email: string }[];
  readonly members: readonly { readonly user: string; readonly email: string; readonly role: string }[];
  /** Types of the audit events about what has this name (or, with a number behind it, had it later), oldest first. */
  trail(name: string): readonly string[];
}

/** Changes that the scenario makes; other events (uses of keys, states) come as they come. */
const CHANGES = new Set([
  ...['siem.destination.created', 'siem.destination.updated', 'siem.destination.deleted', 'siem.categories.updated'],
  ...['siem.destination.paused', 'siem.destination.resumed', 'apikey.created', 'apikey.revoked'],
  ...['team.created', 'team.settings.updated', 'user.invited', 'user.invitation_revoked'],
  ...['user.joined_team', 'user.role_changed', 'user.removed'],
]);

export function readConfiguration(folder: string): Configuration {
  const copy = mkdtempSync(join(tmpdir(), 'trailproof-configuration-'));
  try {
    for (const file of ['trailproof.db', 'trailproof.db-wal', 'accounts.db', 'accounts.db-wal'])
      if (existsSync(join(folder, file))) cpSync(join(folder, file), join(copy, file));
    const emails = emailsIn(join(copy, 'accounts.db'));
    const connection = new Connection(join(copy, 'trailproof.db'), 1_000);
    try {
      return configurationIn(connection, emails);
    } finally {
      connection.close();
    }
  } finally {
    rmSync(copy, { recursive: true });
  }
}

const EVERYTHING = { events: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY };

function configurationIn(connection: Connection, emails: ReadonlyMap<string, string>): Configuration {
  const teams = connection.all<{ no: number; id: string; name: string }>('SELECT no, id, name FROM team');
  const trails = new Map<string, string[]>();
  const reader = new LogReader(connection);
  for (const { id } of teams)
    for (const { eventType, json } of reader.read(id, 0, EVERYTHING)) {
      if (!CHANGES.has(eventType)) continue;
      const { target }: { target?: { type: string; id: string; name?: string } } = JSON.parse(json);
      const name = target?.type === 'team' ? target.id : (target?.name ?? '');
      const known = target?.type === 'siem_destination' ? name.split('.')[0]! : name;
      trails.set(known, [...(trails.get(known) ?? []), eventType]);
    }
  const members = connection.all<{ user: string; role: string }>("SELECT user, role FROM member WHERE team = 'acme'");
  return {
    destinations: connection
      .all<{ body: string }>('SELECT body FROM destination ORDER BY no')
      .map(({ body }): StoredDestination => JSON.parse(body)),
    keys: connection.all('SELECT id, name, revoked_at AS revokedAt FROM api_key ORDER BY no'),
    teams,
    invitations: connection.all("SELECT id, email FROM invitation WHERE team = 'acme'"),
    members: members.map(({ user, role }) => ({ user, role, email: emails.get(user) ?? 'nobody' })),
    trail: (name) => trails.get(name) ?? [],
  };
}

function emailsIn(file: string): ReadonlyMap<string, string> {
  if (!existsSync(file)) return new Map();
  const connection = new Connection(file, 1_000);
  try {
    if (!connection.get("SELECT 1 FROM sqlite_schema WHERE name = 'user'")) return new Map();
    return new Map(
      connection.all<{ id: string; email: string }>('SELECT id, email FROM user').map(({ id, email }) => [id, email]),
    );
  } finally {
    connection.close();
  }
}

import type { ApiKey, ApiKeyStore } from '../api-keys.ts';
import type { CommitQueue } from './commit-queue.ts';
import type { Connection } from './connection.ts';
import { readScopes } from './stored-json.ts';

type Row = Omit<ApiKey, 'scopes'> & { readonly scopes: string };

const SELECT = `SELECT id, name, team, scopes, hash, created_at AS createdAt, expires_at AS expiresAt,
  revoked_at AS revokedAt, last_used_at AS lastUsedAt FROM api_key`;

export function apiKeyStore(queue: CommitQueue, read: Connection): ApiKeyStore {
  return {
    findByHash: async (hash) => {
      const row = read.get<Row>(`${SELECT} WHERE hash = ?`, hash);
      return row && toKey(row);
    },
    list: async (team) =>
      (team === undefined
        ? read.all<Row>(`${SELECT} ORDER BY no DESC`)
        : read.all<Row>(`${SELECT} WHERE team = ? ORDER BY no DESC`, team)
      ).map(toKey),
    create: (key, audit) =>
      queue.commit('change', ({ connection, log }) => {
        connection.run(
          `INSERT INTO api_key (id, name, team, scopes, hash, created_at, expires_at, revoked_at, last_used_at)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
          key.id,
          key.name,
          key.team,
          JSON.stringify(key.scopes),
          key.hash,
          key.createdAt,
          key.expiresAt,
          key.revokedAt,
          key.lastUsedAt,
        );
        log.append(audit);
      }),
    revoke: (id, at, audit) =>
      queue.commit('change', ({ connection, log }) => {
        const sql = 'UPDATE api_key SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL';
        const isRevoked = connection.run(sql, at, id) > 0;
        if (isRevoked) log.append(audit);
        return isRevoked;
      }),
    touch: (lastUsedAt) =>
      queue.commit('change', ({ connection }) => {
        for (const [id, at] of lastUsedAt)
          connection.run('UPDATE api_key SET last_used_at = max(coalesce(last_used_at, 0), ?) WHERE id = ?', at, id);
      }),
  };
}

function toKey(row: Row): ApiKey {
  return { ...row, scopes: readScopes(row.scopes) };
}

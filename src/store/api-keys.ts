import type { NewEvent, TeamId } from '../event/logged-event.ts';

/** An API key as kept: its secret only as a hash. */
export interface ApiKey {
  readonly id: string;
  readonly name: string;
  /** null: the key belongs to the installation (`--all-teams`). */
  readonly team: TeamId | null;
  readonly scopes: readonly string[];
  /** SHA-256 of the whole key, hex. The key has 256 random bits, so a plain hash cannot be guessed back. */
  readonly hash: string;
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly revokedAt: number | null;
  readonly lastUsedAt: number | null;
}

export interface ApiKeyStore {
  findByHash(hash: string): Promise<ApiKey | undefined>;
  /** All keys, or those of one team; newest first; revoked and expired ones included. */
  list(team?: TeamId): Promise<readonly ApiKey[]>;
  /** Keeps the key and appends `audit` in the same transaction. */
  create(key: ApiKey, audit: readonly NewEvent[]): Promise<void>;
  /** Revokes and appends `audit` in the same transaction. False when there is no such unrevoked key. */
  revoke(id: string, at: number, audit: readonly NewEvent[]): Promise<boolean>;
  /** Batched "last used" marks, milliseconds by key id. */
  touch(lastUsedAt: ReadonlyMap<string, number>): Promise<void>;
}

import { useQuery } from '@tanstack/react-query';
import { createContext, useContext } from 'react';
import { isAllowed, type Permission, type Role } from '../../src/contract/roles.ts';
import type { Session } from '../../src/contract/session.ts';
import { api, type Call } from '../api/api.ts';

/** Who is here. Asked once and after what changes it (`queryClient.invalidateQueries({ queryKey: ['session'] })`). */
export const sessionQuery = {
  queryKey: ['session'],
  queryFn: ({ signal }: { signal: AbortSignal }) => api<Session>('GET', '/v1/session', { signal }),
  staleTime: 60_000,
};

export function useSession(): Session {
  const { data } = useQuery(sessionQuery);
  if (!data) throw new Error('the session is loaded before any page is shown');
  return data;
}

export interface CurrentTeam {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  can(permission: Permission): boolean;
  /** Calls the API about this team. */
  api<T>(method: string, path: string, call?: Call): Promise<T>;
}

/** The team of the address (`?team=`), else the one used last, else the first; undefined: the person is in none of them. */
export function teamOf({ teams }: Session, asked: string | undefined): Session['teams'][number] | undefined {
  if (asked !== undefined) return teams.find(({ id }) => id === asked);
  return teams.find(({ id }) => id === lastTeam()) ?? teams[0];
}

const ShownTeam = createContext<Session['teams'][number] | undefined>(undefined);
/** What is inside is about one team: also at the moment in which somebody leaves it, until something else is shown. */
export const TeamProvider = ShownTeam.Provider;

export function useTeam(): CurrentTeam {
  const team = useContext(ShownTeam);
  if (!team) throw new Error('pages about a team are shown to people in one');
  return {
    ...team,
    can: (permission) => isAllowed(team.role, permission),
    api: (method, path, call) => api(method, path, { ...call, query: { ...call?.query, team: team.id } }),
  };
}

const LAST_TEAM = 'trailproof.team';
export function rememberTeam(id: string): void {
  localStorage.setItem(LAST_TEAM, id);
}
function lastTeam(): string | null {
  return localStorage.getItem(LAST_TEAM);
}

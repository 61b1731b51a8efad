import type { Destination } from '../../src/contract/destinations.ts';
import type { Role } from '../../src/contract/roles.ts';

/** Words and marks shown for wire values. Colour never says anything alone: each state has its mark and its word. */
export const ROLE_NAMES: Readonly<Record<Role, string>> = {
  owner: 'Owner',
  admin: 'Admin',
  member: 'Member',
  auditor: 'Auditor',
};

export type State = Destination['state'];
export type Mood = 'good' | 'patient' | 'bad' | 'quiet';
export const STATES: Readonly<Record<State, { readonly word: string; readonly mark: string; readonly mood: Mood }>> = {
  pending: { word: 'Waiting for its first event', mark: '○', mood: 'quiet' },
  connected: { word: 'Connected', mark: '●', mood: 'good' },
  retrying: { word: 'Retrying', mark: '↻', mood: 'patient' },
  throttled: { word: 'Slowed down', mark: '◔', mood: 'patient' },
  disconnected: { word: 'Disconnected', mark: '▲', mood: 'bad' },
  authentication_failed: { word: 'Authentication failed', mark: '▲', mood: 'bad' },
  misconfigured: { word: 'Needs a correction', mark: '▲', mood: 'bad' },
  paused: { word: 'Paused', mark: '❚❚', mood: 'quiet' },
};
/** Mantine colour of a mood. */
export const MOOD_COLORS: Readonly<Record<Mood, string>> = {
  good: 'green',
  patient: 'yellow',
  bad: 'red',
  quiet: 'gray',
};

const NUMBER = new Intl.NumberFormat('en');
export function count(n: number, one?: string, many = `${one}s`): string {
  return one === undefined ? NUMBER.format(n) : `${NUMBER.format(n)} ${n === 1 ? one : many}`;
}

export function bytes(n: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = n < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(n) / 3));
  return `${(n / 1000 ** power).toFixed(power === 0 || n / 1000 ** power >= 100 ? 0 : 1)} ${units[power]}`;
}

/** 45 s, 12 min, 3 h, 4 d: the largest unit alone, as one says it. */
export function duration(seconds: number): string {
  if (seconds < 1) return 'under 1 s';
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

/** The API says "must be in the future"; standing alone, that is a sentence. A host name it begins with stays as it is. */
export function sentence(message: string): string {
  const begun = /^[a-z]+ /.test(message) ? `${message.charAt(0).toUpperCase()}${message.slice(1)}` : message;
  return /[.?]$/.test(begun) ? begun : `${begun}.`;
}

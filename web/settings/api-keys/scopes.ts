import type { Scope } from '../../../src/contract/scopes.ts';

/** What a key may do, in words of who makes one. */
export const SCOPE_WORDS: Readonly<Record<Scope, { readonly title: string; readonly text: string }>> = {
  'events:write': { title: 'Send events', text: 'What a producer needs, and nothing more.' },
  'events:read': { title: 'Read and export events', text: 'Search, export, live tail, and where each event arrived.' },
  'destinations:read': { title: 'See SIEMs and how they do', text: 'States, counts and attempts; never a credential.' },
  'destinations:write': { title: 'Change SIEMs', text: 'Connect, edit, pause, test, replay and send again.' },
  'team:admin': {
    title: 'Administer the team',
    text: 'Members, API keys and settings. For automation you trust fully.',
  },
};

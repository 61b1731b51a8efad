import type { SandboxFault } from '../../src/contract/sandbox.ts';

/** The switches of the page. */
export const SWITCHES = [
  { kind: 'busy', button: 'Busy' },
  { kind: 'unauthorized', button: 'Reject credentials' },
  { kind: 'hang', button: 'Hang' },
  { kind: 'reset', button: 'Reset connections' },
] as const satisfies readonly { kind: SandboxFault['kind']; button: string }[];

/** How a stand-in misbehaves, and for those with a switch what to watch. */
const BEHAVIOURS: Readonly<Record<SandboxFault['kind'], string>> = {
  busy: 'Says that it is busy: events wait, and go on by themselves when it is back',
  unauthorized: 'Refuses the credential: its destination holds everything and says what to correct',
  hang: 'Never answers: its destination gives up after a while, and tries again',
  reset: 'Cuts connections: events wait, none is lost',
  throttle: 'Asks to slow down',
  error: 'Answers 500',
  forbidden: 'Says that the credential may not do this',
  too_large: 'Finds everything too large',
  refuse: 'Refuses whole requests',
  reject_items: 'Refuses some events',
  reset_after: 'Takes events, then cuts the connection',
  drip: 'Answers very slowly',
  html: 'Answers with a web page',
  redirect: 'Sends everybody to a sign-in page',
};

export function behaviour(fault: SandboxFault | null): string {
  return fault === null ? 'Answers as it should' : BEHAVIOURS[fault.kind];
}

import type { SandboxFault } from '../../src/contract/sandbox.ts';

/** How a stand-in can be made to misbehave, and what one then sees. */
export const FAULTS = [
  { kind: 'busy', button: 'Busy', says: 'Says that it is busy', watch: 'events wait, and go on by themselves' },
  {
    kind: 'unauthorized',
    button: 'Reject credentials',
    says: 'Refuses the credential',
    watch: 'its destination holds everything and says what to correct',
  },
  {
    kind: 'hang',
    button: 'Hang',
    says: 'Never answers',
    watch: 'its destination gives up after a while and tries again',
  },
  { kind: 'reset', button: 'Reset connections', says: 'Cuts connections', watch: 'events wait, none is lost' },
] as const satisfies readonly { kind: SandboxFault['kind']; button: string; says: string; watch: string }[];

/** How a stand-in behaves, in a sentence. */
export function behaviour(fault: SandboxFault | null): string {
  if (fault === null) return 'Answers as it should';
  const known = FAULTS.find(({ kind }) => kind === fault.kind);
  return known ? `${known.says}: ${known.watch}` : `Misbehaves (${fault.kind})`;
}

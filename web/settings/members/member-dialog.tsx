import { Text } from '@mantine/core';
import { useRef } from 'react';
import type { Role } from '../../../src/contract/roles.ts';
import { type CurrentTeam, useTeam } from '../../app/session.tsx';
import { Confirm } from '../../ui/confirm.tsx';
import { ROLE_DUTIES } from '../../ui/roles.ts';
import { ROLE_NAMES } from '../../ui/words.ts';
import { useLeave } from './leave.ts';
import { type Member, useRefreshPeople } from './queries.ts';

/** What is about to be done to a member. */
export type MemberStep =
  | { readonly kind: 'deactivate' | 'reactivate' | 'remove' | 'leave'; readonly member: Member }
  | { readonly kind: 'role'; readonly member: Member; readonly role: Role };

/** Says what a step does to the person's sessions and to the events that name them, and does it. */
export function MemberDialog({ step, onClose }: { step: MemberStep | undefined; onClose: () => void }) {
  const team = useTeam();
  const leave = useLeave();
  const refresh = useRefreshPeople();
  // While the dialog fades it says what it said.
  const last = useRef(step);
  if (step) last.current = step;
  if (!last.current) return null;
  const shown = last.current;
  const { title, action, says, color } = wordsOf(shown, team);
  return (
    <Confirm
      opened={step !== undefined}
      onClose={onClose}
      title={title}
      action={action}
      {...(color && { color })}
      run={async () => {
        if (shown.kind === 'leave') return leave();
        await carryOut(shown, team);
        await refresh();
      }}
    >
      {says.map((text) => (
        <Text key={text} size="sm">
          {text}
        </Text>
      ))}
    </Confirm>
  );
}

function carryOut(step: MemberStep, team: CurrentTeam): Promise<unknown> {
  const path = `/v1/members/${encodeURIComponent(step.member.id)}`;
  switch (step.kind) {
    case 'role':
      return team.api('PATCH', path, { body: { role: step.role } });
    case 'deactivate':
      return team.api('PATCH', path, { body: { status: 'deactivated' } });
    case 'reactivate':
      return team.api('PATCH', path, { body: { status: 'active' } });
    case 'remove':
    case 'leave':
      return team.api('DELETE', path);
    default:
      return step satisfies never;
  }
}

const PAST = 'Events of what they did stay in the audit log, with their name and e-mail.';

interface Words {
  readonly title: string;
  readonly action: string;
  readonly says: readonly string[];
  readonly color?: string;
}

function wordsOf(step: MemberStep, team: CurrentTeam): Words {
  const { email } = step.member;
  switch (step.kind) {
    case 'deactivate':
      return {
        title: `Deactivate ${email}`,
        action: 'Deactivate',
        says: [`Their sessions end at once, and ${team.name} is closed to them until somebody reactivates them.`, PAST],
      };
    case 'reactivate':
      return {
        title: `Reactivate ${email}`,
        action: 'Reactivate',
        color: 'indigo',
        says: [`They can open ${team.name} again, as ${ROLE_NAMES[step.member.role]}, with the password they had.`],
      };
    case 'remove':
      return {
        title: `Remove ${email}`,
        action: 'Remove',
        says: [`Their sessions end at once. To come back they need a new invitation to ${team.name}.`, PAST],
      };
    case 'leave':
      return {
        title: `Leave ${team.name}`,
        action: 'Leave',
        says: [
          'The team is closed to you at once; to come back you need an invitation.',
          'Events of what you did stay in its audit log, with your name and e-mail.',
        ],
      };
    case 'role':
      return {
        title: `Make ${email} ${ROLE_NAMES[step.role]}`,
        action: `Make ${ROLE_NAMES[step.role]}`,
        color: step.role === 'owner' ? 'indigo' : 'red',
        says:
          step.role === 'owner'
            ? [ROLE_DUTIES.owner, 'Only an Owner can take that back from them.']
            : [ROLE_DUTIES[step.role], 'This is your own role: you cannot give it back to yourself.'],
      };
    default:
      return step satisfies never;
  }
}

import { Button, Group, Modal, Radio, Stack, Text, TextInput } from '@mantine/core';
import { isEmail, useForm } from '@mantine/form';
import { useState } from 'react';
import type { Role } from '../../../src/contract/roles.ts';
import { useSession, useTeam } from '../../app/session.tsx';
import { useSubmission } from '../../ui/form.tsx';
import { ROLE_DUTIES } from '../../ui/roles.ts';
import { SecretOnce } from '../../ui/secret-once.tsx';
import { ROLE_NAMES } from '../../ui/words.ts';
import { type NewInvitation, useRefreshPeople } from './queries.ts';
import { rolesGivenBy } from './rules.ts';

/** Who and as what; then the link, on its one appearance. */
export function InviteDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const [made, setMade] = useState<NewInvitation>();
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      onExitTransitionEnd={() => setMade(undefined)}
      title={made ? `${made.email} is invited` : 'Invite to the team'}
      size={520}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {made ? (
        <InvitationMade invitation={made} onClose={onClose} another={() => setMade(undefined)} />
      ) : (
        <InviteForm done={setMade} />
      )}
    </Modal>
  );
}

function InviteForm({ done }: { done: (made: NewInvitation) => void }) {
  const team = useTeam();
  const { sendsMail } = useSession().installation;
  const refresh = useRefreshPeople();
  const form = useForm<{ email: string; role: Role }>({
    initialValues: { email: '', role: 'admin' },
    validate: { email: isEmail('Type the e-mail address of whom to invite.') },
  });
  const { onSubmit, busy, problem } = useSubmission(
    form,
    (values) => team.api<NewInvitation>('POST', '/v1/invitations', { body: { ...values, email: values.email.trim() } }),
    (made) => {
      done(made);
      return refresh();
    },
  );
  return (
    <form onSubmit={onSubmit} noValidate>
      <Stack gap="md">
        <TextInput
          label="E-mail"
          type="email"
          autoComplete="off"
          data-autofocus
          description={sendsMail ? 'The invitation is mailed to this address.' : 'You get a link to pass on.'}
          {...form.getInputProps('email')}
        />
        <Radio.Group label="Role" {...form.getInputProps('role')}>
          <Stack gap="xs" mt={6}>
            {rolesGivenBy(team.role).map((role) => (
              <Radio key={role} value={role} label={ROLE_NAMES[role]} description={ROLE_DUTIES[role]} />
            ))}
          </Stack>
        </Radio.Group>
        {problem}
        <Group justify="flex-end">
          <Button type="submit" loading={busy}>
            Invite
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

export function InvitationMade({
  invitation: { email, role, expiresAt, link, mailed, mailProblem },
  onClose,
  another,
}: {
  invitation: NewInvitation;
  onClose: () => void;
  another?: () => void;
}) {
  const { sendsMail } = useSession().installation;
  const mail = mailed
    ? `The link was mailed to ${email}.`
    : sendsMail
      ? `The mail could not be sent (${mailProblem ?? 'no reason was given'}): pass the link on yourself.`
      : 'This installation sends no mail: pass the link on yourself.';
  return (
    <Stack gap="md">
      <Text size="sm">
        {mail} It makes {email} {ROLE_NAMES[role]} of the team, works once, and is good until {expiresAt.slice(0, 10)}.
      </Text>
      <SecretOnce value={link} what="the link" />
      <Group justify="flex-end" gap="xs">
        {another && (
          <Button variant="default" onClick={another}>
            Invite another
          </Button>
        )}
        <Button onClick={onClose}>Done</Button>
      </Group>
    </Stack>
  );
}

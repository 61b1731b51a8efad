import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import type { SecondFactor } from '../../../src/contract/account.ts';
import { auth } from '../../api/auth.ts';
import { sessionQuery } from '../../app/session.tsx';
import { CodeInput } from '../../ui/code-input.tsx';
import { CopyText } from '../../ui/copy-text.tsx';
import { useSubmission } from '../../ui/form.tsx';
import { BackupCodes } from './backup-codes.tsx';
import { PasswordStep } from './password-step.tsx';
import { QrCode } from './qr-code.tsx';

export type SecondFactorTask = 'on' | 'codes' | 'off';

const TITLES: Readonly<Record<SecondFactorTask, string>> = {
  on: 'Set up a second factor',
  codes: 'New backup codes',
  off: 'Turn the second factor off',
};

/** Each task begins with the password: whoever finds an open laptop cannot change the second factor. */
export function SecondFactorDialog({ task, onClose }: { task: SecondFactorTask | undefined; onClose: () => void }) {
  // While the dialog fades it shows what it showed.
  const last = useRef(task);
  if (task) last.current = task;
  const shown = last.current;
  const [round, setRound] = useState(0);
  return (
    <Modal
      opened={task !== undefined}
      onClose={onClose}
      onExitTransitionEnd={() => setRound((n) => n + 1)}
      closeOnClickOutside={false}
      title={shown && TITLES[shown]}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {shown === 'on' && <TurnOn key={round} onClose={onClose} />}
      {shown === 'codes' && <NewCodes key={round} onClose={onClose} />}
      {shown === 'off' && <TurnOff key={round} onClose={onClose} />}
    </Modal>
  );
}

function TurnOn({ onClose }: { onClose: () => void }) {
  const [factor, setFactor] = useState<SecondFactor>();
  const [isOn, setOn] = useState(false);
  if (!factor)
    return (
      <PasswordStep
        says="First your password, so that nobody else sets this up for you."
        action="Continue"
        run={async (password) => setFactor(await auth<SecondFactor>('two-factor/enable', { password }))}
      />
    );
  if (!isOn) return <Enrol uri={factor.totpURI} done={() => setOn(true)} />;
  return (
    <BackupCodes
      codes={factor.backupCodes}
      says="The second factor is on. Keep these codes where your phone is not: each signs you in once without it."
      onClose={onClose}
    />
  );
}

function Enrol({ uri, done }: { uri: string; done: () => void }) {
  const queryClient = useQueryClient();
  const secret = new URL(uri).searchParams.get('secret') ?? '';
  const form = useForm({
    initialValues: { code: '' },
    validate: { code: (code) => (code.length === 6 ? null : 'Six digits.') },
  });
  const { onSubmit, busy, problem } = useSubmission(
    form,
    async ({ code }) => {
      try {
        await auth('two-factor/verify-totp', { code });
      } catch (error) {
        form.setFieldValue('code', '');
        throw error;
      }
    },
    () => {
      done();
      return queryClient.invalidateQueries(sessionQuery);
    },
  );
  return (
    <form onSubmit={onSubmit} noValidate>
      <Stack gap="md">
        <Text size="sm">
          Scan this with an authenticator app, such as Aegis, 1Password or Google Authenticator, then type the six
          digits it shows.
        </Text>
        <Stack gap="xs" align="center">
          <QrCode text={uri} label="QR code for the authenticator app; the same secret stands below as text" />
          <Text size="xs" c="dimmed" component="div" ta="center">
            No camera? Type this secret: <CopyText value={secret} shown={inFours(secret)} label="Copy the secret" />
          </Text>
        </Stack>
        <CodeInput label="Code" data-autofocus {...form.getInputProps('code')} onComplete={onSubmit} />
        {problem}
        <Group justify="flex-end">
          <Button type="submit" loading={busy}>
            Turn on
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function NewCodes({ onClose }: { onClose: () => void }) {
  const [codes, setCodes] = useState<readonly string[]>();
  if (codes)
    return (
      <BackupCodes codes={codes} says="The codes you had before are void. Keep these instead." onClose={onClose} />
    );
  return (
    <PasswordStep
      says="The codes you have now stop working."
      action="Make new codes"
      run={async (password) => {
        const { backupCodes } = await auth<Pick<SecondFactor, 'backupCodes'>>('two-factor/generate-backup-codes', {
          password,
        });
        setCodes(backupCodes);
      }}
    />
  );
}

function TurnOff({ onClose }: { onClose: () => void }) {
  const queryClient = useQueryClient();
  return (
    <PasswordStep
      says="Your password alone signs you in then, and the backup codes are void. This is recorded in the audit log."
      action="Turn off"
      color="red"
      run={async (password) => {
        await auth('two-factor/disable', { password });
        onClose();
        await queryClient.invalidateQueries(sessionQuery);
      }}
    />
  );
}

/** Read out or typed, four at a time are kept in mind. */
function inFours(secret: string): string {
  return secret.replace(/(.{4})(?=.)/g, '$1 ');
}

import { Button, Checkbox, Group, Modal, Select, Stack, Text, TextInput } from '@mantine/core';
import { isNotEmpty, useForm } from '@mantine/form';
import { useState } from 'react';
import { SCOPES, type Scope } from '../../../src/contract/scopes.ts';
import { useTeam } from '../../app/session.tsx';
import { useSubmission } from '../../ui/form.tsx';
import { SecretOnce } from '../../ui/secret-once.tsx';
import { Example } from './example.tsx';
import { type NewApiKey, useRefreshApiKeys } from './queries.ts';
import { SCOPE_WORDS } from './scopes.ts';

/** What the key may do and for how long; then the key, on its one appearance. */
export function CreateDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const [made, setMade] = useState<NewApiKey>();
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      onExitTransitionEnd={() => setMade(undefined)}
      // A stray click must not lose what is shown once.
      closeOnClickOutside={made === undefined}
      title={made ? `The key “${made.name}”` : 'Create an API key'}
      size={580}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {made ? <KeyMade apiKey={made} onClose={onClose} /> : <CreateForm done={setMade} />}
    </Modal>
  );
}

const EXPIRIES = [
  { value: '30', label: '30 days' },
  { value: '90', label: '90 days' },
  { value: '180', label: '180 days' },
  { value: '365', label: '365 days' },
  { value: 'never', label: 'Never' },
];
const DAY_MS = 86_400_000;

function CreateForm({ done }: { done: (made: NewApiKey) => void }) {
  const team = useTeam();
  const refresh = useRefreshApiKeys();
  const form = useForm({
    initialValues: { name: '', scopes: ['events:write'] as Scope[], expiry: '365' },
    validate: {
      name: isNotEmpty('Name it after the program that will use it.'),
      scopes: (scopes) => (scopes.length > 0 ? null : 'Choose at least one: a key that may do nothing is of no use.'),
    },
  });
  const { onSubmit, busy, problem } = useSubmission(
    form,
    ({ name, scopes, expiry }) => {
      const expiresAt = endOf(expiry);
      return team.api<NewApiKey>('POST', '/v1/api-keys', {
        body: { name: name.trim(), scopes, team: team.id, ...(expiresAt && { expiresAt: expiresAt.toISOString() }) },
      });
    },
    (made) => {
      done(made);
      return refresh();
    },
  );
  const ends = endOf(form.values.expiry);
  return (
    <form onSubmit={onSubmit} noValidate>
      <Stack gap="lg">
        <TextInput
          label="Name"
          placeholder="gateway, production"
          autoComplete="off"
          maxLength={128}
          data-autofocus
          {...form.getInputProps('name')}
        />
        <Checkbox.Group label="What it may do" {...form.getInputProps('scopes')}>
          <Stack gap="xs" mt={6}>
            {SCOPES.map((scope) => (
              <Checkbox
                key={scope}
                value={scope}
                label={SCOPE_WORDS[scope].title}
                description={
                  <>
                    {SCOPE_WORDS[scope].text}{' '}
                    <Text span inherit ff="monospace">
                      {scope}
                    </Text>
                  </>
                }
              />
            ))}
          </Stack>
        </Checkbox.Group>
        <Select
          label="Expires after"
          data={EXPIRIES}
          allowDeselect={false}
          description={
            ends
              ? `Refused from ${ends.toISOString().slice(0, 10)} on; this page says so two weeks before.`
              : 'Good until somebody revokes it.'
          }
          {...form.getInputProps('expiry')}
        />
        {problem}
        <Group justify="flex-end">
          <Button type="submit" loading={busy}>
            Create key
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function KeyMade({ apiKey: { key, scopes }, onClose }: { apiKey: NewApiKey; onClose: () => void }) {
  return (
    <Stack gap="md">
      <SecretOnce value={key} what="the key" />
      <Text size="sm">{scopes.includes('events:write') ? 'Send a first event with it:' : 'Try it:'}</Text>
      <Example apiKey={key} scopes={scopes} />
      <Group justify="flex-end">
        <Button onClick={onClose}>Done</Button>
      </Group>
    </Stack>
  );
}

function endOf(expiry: string): Date | null {
  return expiry === 'never' ? null : new Date(Date.now() + Number(expiry) * DAY_MS);
}

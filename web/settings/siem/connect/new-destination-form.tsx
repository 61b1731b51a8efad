import { Button, Group, Stack, Text, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import type { Destination } from '../../../../src/contract/destinations.ts';
import { ApiProblem } from '../../../api/problem.ts';
import { useTeam } from '../../../app/session.tsx';
import { FormProblem } from '../../../ui/form.tsx';
import { LinkButton } from '../../../ui/link.tsx';
import type { Kind } from '../model.ts';
import { useRefresh } from '../queries.ts';
import { ConnectionTestPanel } from './connection-test.tsx';
import { Guide } from './guide.tsx';
import { SettingsFields } from './settings-fields.tsx';
import { type Start, StartPosition, startAt } from './start-position.tsx';
import classes from './two-columns.module.css';
import { useConnectionTest } from './use-connection-test.ts';
import { useSettingsForm } from './use-settings-form.ts';

/** Setting up a destination: the form, its test, and beside it where each value is found. */
export function NewDestinationForm({ kind, suggestedName }: { kind: Kind; suggestedName: string }) {
  const team = useTeam();
  const navigate = useNavigate();
  const refresh = useRefresh();
  const form = useSettingsForm(kind.settings);
  const test = useConnectionTest(kind.kind, form);
  const [name, setName] = useState(suggestedName);
  const [start, setStart] = useState<Start>({ kind: 'now' });
  const save = useMutation({
    mutationFn: () =>
      team.api<Destination>('POST', '/v1/destinations', {
        body: { kind: kind.kind, name: name.trim() || suggestedName, settings: form.sent(), startAt: startAt(start) },
      }),
    onSuccess: async ({ id }) => {
      await refresh();
      await navigate({ to: '/settings/siem/$id', params: { id }, replace: true });
    },
    onError: (error) => void form.showProblem(error),
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (form.check() && !save.isPending) save.mutate();
  };
  const hasFailed = test.status === 'failed' && !test.isOutdated;

  return (
    <div className={classes['columns']}>
      <form onSubmit={submit} noValidate className={classes['form']} aria-label={`Connect ${kind.title}`}>
        <Stack gap="lg">
          <SettingsFields form={form} onBlur={test.onBlur} />
          <ConnectionTestPanel test={test} settings={kind.settings} focus={form.focus} />
          <StartPosition start={start} onChange={setStart} error={problemOf(save.error, 'startAt')} />
          <TextInput
            label="Name"
            description="How it is called in this console."
            inputWrapperOrder={['label', 'input', 'error', 'description']}
            value={name}
            maxLength={128}
            error={problemOf(save.error, 'name')}
            onChange={({ currentTarget }) => setName(currentTarget.value)}
          />
          {save.error && !isShown(save.error) && <FormProblem error={save.error} />}
          <Group gap="sm">
            <Button type="submit" loading={save.isPending}>
              {hasFailed ? 'Save anyway' : 'Save'}
            </Button>
            <LinkButton to="/settings/siem" variant="default">
              Cancel
            </LinkButton>
            {hasFailed && (
              <Text size="sm" c="dimmed">
                Events wait until the connection works; none is lost.
              </Text>
            )}
          </Group>
        </Stack>
      </form>
      <aside className={classes['guide']} aria-label="Guide">
        <Guide kind={kind} form={form} />
      </aside>
    </div>
  );
}

function problemOf(error: unknown, path: string): string | undefined {
  const message = error instanceof ApiProblem ? error.errors.find((e) => e.path === path)?.message : undefined;
  return message && `It ${message}.`;
}

/** Everything that is wrong stands beside a field. */
function isShown(error: unknown): boolean {
  return error instanceof ApiProblem && error.errors.length > 0;
}

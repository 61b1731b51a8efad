import { Button, Group, Stack, Text, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useEffect, useState } from 'react';
import type { ChangeDestination, Destination } from '../../../../src/contract/destinations.ts';
import { ApiProblem } from '../../../api/problem.ts';
import { useTeam } from '../../../app/session.tsx';
import { FormProblem } from '../../../ui/form.tsx';
import { ConnectionTestPanel } from '../connect/connection-test.tsx';
import { Guide } from '../connect/guide.tsx';
import { SettingsFields } from '../connect/settings-fields.tsx';
import classes from '../connect/two-columns.module.css';
import { useConnectionTest } from '../connect/use-connection-test.ts';
import { useSettingsForm } from '../connect/use-settings-form.ts';
import { type Kind, type Standing, siemName } from '../model.ts';
import { useRefresh } from '../queries.ts';
import { STATE_ID } from '../state-report.tsx';
import { Lifecycle } from './lifecycle.tsx';

/** The same form as when it was connected, secrets only as set; pause and deletion below. */
export function SettingsTab({
  standing,
  kind,
  mend,
}: {
  standing: Standing;
  kind: Kind;
  /** The field to begin with, for who came to put something right. */
  mend: string | undefined;
}) {
  const readOnly = !useTeam().can('destinations:write');
  const { destination } = standing;
  const [saves, setSaves] = useState(0);
  return (
    <Stack gap={40}>
      {/* Begins anew when somebody has saved: what is stored is what the form stands on. */}
      <EditForm
        key={`${destination.updatedAt} ${saves}`}
        destination={destination}
        kind={kind}
        readOnly={readOnly}
        mend={readOnly || saves > 0 ? undefined : mend}
        isSaved={saves > 0}
        onSaved={() => setSaves((n) => n + 1)}
      />
      {!readOnly && <Lifecycle standing={standing} siem={siemName(kind)} />}
    </Stack>
  );
}

function EditForm({
  destination,
  kind,
  readOnly,
  mend,
  isSaved,
  onSaved,
}: {
  destination: Destination;
  kind: Kind;
  readOnly: boolean;
  mend: string | undefined;
  isSaved: boolean;
  onSaved: () => void;
}) {
  const team = useTeam();
  const refresh = useRefresh();
  const form = useSettingsForm(kind.settings, destination);
  const test = useConnectionTest(kind.kind, form);
  const [name, setName] = useState(destination.name);
  const save = useMutation({
    mutationFn: async (change: ChangeDestination) => {
      const { id, updatedAt } = destination;
      const saved = await team.api<Destination>('PATCH', `/v1/destinations/${id}`, { body: change });
      // The same token again changes nothing, but may have been mended over there: a test lets deliveries go on at once.
      if (saved.updatedAt === updatedAt) await team.api<unknown>('POST', `/v1/destinations/${id}/test`);
    },
    onSuccess: async () => {
      onSaved();
      await refresh();
      // Whoever mended something wants to see that it goes on.
      document.getElementById(STATE_ID)?.scrollIntoView({ block: 'center' });
    },
    onError: (error) => void form.showProblem(error),
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when the form opens or another field is to be mended
  useEffect(() => {
    if (mend !== undefined) form.focus(mend);
  }, [mend]);
  const settings = form.sent();
  const isRenamed = name.trim() !== '' && name.trim() !== destination.name;
  const isChanged = isRenamed || Object.keys(settings).length > 0;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!isChanged || save.isPending || !form.check()) return;
    save.mutate({
      ...(isRenamed && { name: name.trim() }),
      ...(Object.keys(settings).length > 0 && { settings }),
    });
  };
  const hasFailed = test.status === 'failed' && !test.isOutdated;
  const hasOtherProblem = save.error && !(save.error instanceof ApiProblem && save.error.errors.length > 0);

  return (
    <div className={classes['columns']}>
      <form onSubmit={submit} noValidate className={classes['form']} aria-label={`Settings of ${destination.name}`}>
        <Stack gap="lg">
          <TextInput
            label="Name"
            value={name}
            maxLength={128}
            readOnly={readOnly}
            onChange={({ currentTarget }) => setName(currentTarget.value)}
          />
          <SettingsFields form={form} readOnly={readOnly} onBlur={test.onBlur} />
          {!readOnly && (
            <>
              <ConnectionTestPanel test={test} settings={kind.settings} focus={form.focus} />
              {hasOtherProblem && <FormProblem error={save.error} />}
              <Group gap="sm">
                <Button type="submit" loading={save.isPending} variant={isChanged ? 'filled' : 'default'}>
                  {isChanged && hasFailed ? 'Save anyway' : 'Save'}
                </Button>
                <Text size="sm" c="dimmed" role="status">
                  {saveHint(isChanged, hasFailed, isSaved)}
                </Text>
              </Group>
            </>
          )}
        </Stack>
      </form>
      <aside className={classes['guide']} aria-label="Guide">
        <Guide kind={kind} form={form} />
      </aside>
    </div>
  );
}

function saveHint(isChanged: boolean, hasFailed: boolean, isSaved: boolean): string {
  if (!isChanged) return isSaved ? 'Saved. It is in use from now on.' : 'Nothing is changed.';
  return hasFailed
    ? 'Events wait until the connection works; none is lost.'
    : 'Takes effect at once, also for the events that wait.';
}

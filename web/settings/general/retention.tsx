import { NumberInput, Stack, Text } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useState } from 'react';
import type { TeamSettings } from '../../../src/contract/administration.ts';
import { useTeam } from '../../app/session.tsx';
import { Confirm } from '../../ui/confirm.tsx';
import { useSubmission } from '../../ui/form.tsx';
import { SaveRow, useSaved } from '../../ui/saved.tsx';
import { Section } from '../../ui/section.tsx';
import { count } from '../../ui/words.ts';
import { useChangeTeam } from './queries.ts';

const MOST_DAYS = 36_500;

/** A shorter time deletes events, so it is asked for twice; a longer one only keeps more. */
export function Retention({ settings }: { settings: TeamSettings }) {
  const isReadOnly = !useTeam().can('team:admin');
  const change = useChangeTeam();
  const [saved, noteSaved] = useSaved();
  const [shorter, setShorter] = useState<number>();
  const form = useForm<{ retentionDays: number | string }>({
    initialValues: { retentionDays: settings.retentionDays },
    validate: {
      retentionDays: (days) =>
        Number.isInteger(days) && Number(days) >= 1 && Number(days) <= MOST_DAYS
          ? null
          : `A whole number of days, 1 to ${count(MOST_DAYS)}.`,
    },
  });
  const { onSubmit, busy, problem } = useSubmission(
    form,
    async ({ retentionDays }) => {
      const days = Number(retentionDays);
      if (days < settings.retentionDays) setShorter(days);
      else await change({ retentionDays: days }).then(noteSaved);
    },
    () => undefined,
  );
  return (
    <Section title="Retention" lead="How long an event can be found here.">
      <form onSubmit={onSubmit} noValidate>
        <Stack gap="md">
          <NumberInput
            label="Days"
            maw={200}
            min={1}
            max={MOST_DAYS}
            allowDecimal={false}
            clampBehavior="none"
            thousandSeparator=","
            suffix=" days"
            readOnly={isReadOnly}
            variant={isReadOnly ? 'unstyled' : 'default'}
            hideControls={isReadOnly}
            {...form.getInputProps('retentionDays')}
          />
          <Text size="sm" c="dimmed">
            An event is deleted once it is older than this and every SIEM that is to have it has it. While a SIEM is
            away or paused, what waits for it stays, however old.
          </Text>
          {problem}
          {!isReadOnly && <SaveRow action="Save retention" busy={busy} saved={saved} />}
        </Stack>
      </form>
      <Confirm
        opened={shorter !== undefined}
        onClose={() => setShorter(undefined)}
        title="Keep events for a shorter time"
        action={`Keep ${count(shorter ?? 0, 'day')}`}
        run={async () => {
          await change({ retentionDays: shorter ?? settings.retentionDays });
          noteSaved();
        }}
      >
        <Text size="sm">
          Events received more than {count(shorter ?? 0, 'day')} ago are deleted here within the hour, unless they still
          wait for a SIEM. This cannot be undone. What your SIEMs hold stays there.
        </Text>
      </Confirm>
    </Section>
  );
}

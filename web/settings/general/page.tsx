import { Alert, Skeleton, Stack } from '@mantine/core';
import { Fragment } from 'react';
import { useTeam } from '../../app/session.tsx';
import { ErrorState } from '../../ui/error-state.tsx';
import { PageHeader } from '../../ui/page-header.tsx';
import { Section } from '../../ui/section.tsx';
import { ROLE_NAMES } from '../../ui/words.ts';
import { Alerting } from './alerting.tsx';
import { Ending } from './ending.tsx';
import { useTeamSettings } from './queries.ts';
import { Retention } from './retention.tsx';
import { TeamName } from './team-name.tsx';

export function GeneralPage() {
  const team = useTeam();
  const { data: settings, error, refetch } = useTeamSettings();
  return (
    <>
      <PageHeader title="General" lead="What holds for everybody in the team" />
      {!team.can('team:admin') && (
        <Alert color="gray" variant="light" py="xs" mb="md">
          You see this as {ROLE_NAMES[team.role]}; Owners and Admins can change it.
        </Alert>
      )}
      {settings ? (
        // Forms begin with what is saved; those of another team are other forms.
        <Fragment key={settings.id}>
          <TeamName settings={settings} />
          <Retention settings={settings} />
          <Alerting settings={settings} />
        </Fragment>
      ) : error ? (
        <ErrorState error={error} retry={() => void refetch()} />
      ) : (
        <Loading />
      )}
      <Ending />
    </>
  );
}

function Loading() {
  return (
    <>
      {['Team', 'Retention', 'Alerts'].map((title) => (
        <Section key={title} title={title}>
          <Stack gap="md" aria-busy="true">
            <Skeleton height={14} width={80} />
            <Skeleton height={36} />
            <Skeleton height={36} width={90} />
          </Stack>
        </Section>
      ))}
    </>
  );
}

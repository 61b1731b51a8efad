import { Skeleton, Stack } from '@mantine/core';
import { useParams } from '@tanstack/react-router';
import { NotFound } from '../../app/not-found.tsx';
import { useTeam } from '../../app/session.tsx';
import { ErrorState } from '../../ui/error-state.tsx';
import { NoPermission } from '../../ui/no-permission.tsx';
import { NewDestinationForm } from './connect/new-destination-form.tsx';
import { freeName } from './connect/settings-values.ts';
import { siemName } from './model.ts';
import { useKinds, useStandings } from './queries.ts';
import { SiemHeader } from './siem-header.tsx';

/** Settings → SIEM → new: one SIEM is set up. */
export function NewDestinationPage() {
  const may = useTeam().can('destinations:write');
  return may ? <Connect /> : <NoPermission permission="destinations:write" what="how a SIEM is connected" />;
}

function Connect() {
  const { kind: wanted } = useParams({ strict: false });
  const [kinds, standings] = [useKinds(), useStandings()];
  const kind = kinds.data?.find((known) => known.kind === wanted);
  if (kinds.error) return <ErrorState error={kinds.error} retry={() => void kinds.refetch()} />;
  if (kinds.data && !kind) return <NotFound />;
  return (
    <>
      {/* The name suggested depends on those there are: it is not put into a field that somebody may have touched. */}
      {kind && !standings.isPending ? (
        <>
          <SiemHeader kind={kind.kind} title={`Connect ${kind.title}`} lead={kind.needs} />
          <NewDestinationForm
            key={kind.kind}
            kind={kind}
            suggestedName={freeName(
              siemName(kind),
              (standings.data ?? []).map(({ destination }) => destination.name),
            )}
          />
        </>
      ) : (
        <Stack gap="md" maw={600} mt={4} aria-busy="true" role="status" aria-label="Loading">
          <Skeleton height={36} width={280} />
          {[0, 1, 2].map((field) => (
            <Skeleton key={field} height={66} />
          ))}
        </Stack>
      )}
    </>
  );
}

import { Badge, Button, Group, Skeleton, Stack, Text } from '@mantine/core';
import { IconDeviceDesktop, IconDeviceMobile } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { OwnSession } from '../../../src/contract/account.ts';
import { auth } from '../../api/auth.ts';
import { Confirm } from '../../ui/confirm.tsx';
import { ErrorState } from '../../ui/error-state.tsx';
import { Section } from '../../ui/section.tsx';
import { Time } from '../../ui/time.tsx';
import { count } from '../../ui/words.ts';
import { SESSIONS_KEY, useOwnSessions } from './queries.ts';
import classes from './sessions.module.css';

export function Sessions() {
  const { data: sessions, error, refetch } = useOwnSessions();
  const queryClient = useQueryClient();
  const [endingAll, setEndingAll] = useState(false);
  const others = sessions?.filter(({ current }) => !current).length ?? 0;
  return (
    <Section title="Sessions" lead="Where you are signed in. One you do not know: end it, then change your password.">
      {sessions ? (
        <Stack gap="md" align="flex-start">
          <ul className={classes['list']}>
            {sessions.map((session) => (
              <SessionRow key={session.id} session={session} />
            ))}
          </ul>
          {others > 0 && (
            <Button variant="default" onClick={() => setEndingAll(true)}>
              End all others
            </Button>
          )}
          <Confirm
            opened={endingAll}
            onClose={() => setEndingAll(false)}
            title="End all other sessions"
            action={`End ${count(others, 'session')}`}
            run={async () => {
              await auth('revoke-other-sessions');
              await queryClient.invalidateQueries({ queryKey: SESSIONS_KEY });
            }}
          >
            <Text size="sm">Every device but this one has to sign in again.</Text>
          </Confirm>
        </Stack>
      ) : error ? (
        <ErrorState error={error} title="Your sessions could not be loaded" retry={() => void refetch()} />
      ) : (
        <Stack gap="xs" aria-busy="true" aria-label="Loading">
          <Skeleton height={48} />
          <Skeleton height={48} />
        </Stack>
      )}
    </Section>
  );
}

function SessionRow({ session: { id, current, device, ipAddress, createdAt, userAgent } }: { session: OwnSession }) {
  const queryClient = useQueryClient();
  const { mutate, isPending, error } = useMutation({
    mutationFn: () => auth('revoke-session', { id }),
    onSettled: () => queryClient.invalidateQueries({ queryKey: SESSIONS_KEY }),
  });
  const Icon = /Android|iPhone/.test(device) ? IconDeviceMobile : IconDeviceDesktop;
  return (
    <li className={classes['row']}>
      <Icon size={20} stroke={1.4} aria-hidden color="var(--mantine-color-dimmed)" />
      <div className={classes['words']}>
        <Group gap={6}>
          <Text size="sm" fw={500} title={userAgent ?? undefined}>
            {device}
          </Text>
          {current && (
            <Badge variant="light" color="green" radius="sm" size="sm" tt="none" fw={500}>
              this one
            </Badge>
          )}
        </Group>
        <Text size="xs" c="dimmed" component="div">
          {ipAddress ?? 'unknown address'}, since <Time at={createdAt} />
        </Text>
        {error && (
          <Text size="xs" c="red" role="alert">
            {error.message}
          </Text>
        )}
      </div>
      {!current && (
        <Button
          variant="subtle"
          color="red"
          size="compact-sm"
          loading={isPending}
          onClick={() => mutate()}
          aria-label={`End the session of ${device}, ${ipAddress ?? 'unknown address'}`}
        >
          End
        </Button>
      )}
    </li>
  );
}

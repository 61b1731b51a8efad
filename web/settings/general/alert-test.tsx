import { Button, Group, Stack, Text } from '@mantine/core';
import { IconCheck, IconX } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { Static } from 'typebox';
import type { TestedAlert } from '../../../src/contract/administration.ts';
import { useTeam } from '../../app/session.tsx';
import { FormProblem } from '../../ui/form.tsx';
import { sentence } from '../../ui/words.ts';

/** Sends a test, and says beside the button what was measured. */
export function AlertTest({
  channel,
  action,
  children,
}: {
  channel: 'mail' | 'webhook';
  action: string;
  /** Further buttons beside it. */
  children?: ReactNode;
}) {
  const team = useTeam();
  const { mutate, isPending, data, error } = useMutation({
    mutationFn: () => team.api<Static<typeof TestedAlert>>('POST', '/v1/team/alert-test', { body: { channel } }),
  });
  return (
    <Stack gap="xs" align="flex-start">
      <Group gap="xs">
        <Button variant="default" size="xs" loading={isPending} onClick={() => mutate()}>
          {action}
        </Button>
        {children}
      </Group>
      <div role="status">
        {data && !isPending && (
          <Group gap={8} wrap="nowrap" align="flex-start">
            {data.ok ? (
              <IconCheck
                size={16}
                color="var(--trail-success)"
                style={{ flexShrink: 0, marginTop: 2 }}
                aria-label="Sent:"
              />
            ) : (
              <IconX
                size={16}
                color="var(--trail-failure)"
                style={{ flexShrink: 0, marginTop: 2 }}
                aria-label="Not sent:"
              />
            )}
            <div>
              <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
                {sentence(data.detail)}
              </Text>
              {data.fix && (
                <Text size="sm" c="dimmed">
                  {data.fix}
                </Text>
              )}
            </div>
          </Group>
        )}
      </div>
      {error && <FormProblem error={error} />}
    </Stack>
  );
}

import { Badge, Button, Group, Stack, Text } from '@mantine/core';
import { IconShieldCheck } from '@tabler/icons-react';
import { useState } from 'react';
import { useSession } from '../../app/session.tsx';
import { Section } from '../../ui/section.tsx';
import { SecondFactorDialog, type SecondFactorTask } from './second-factor-dialog.tsx';

export function SecondFactor() {
  const { twoFactor } = useSession().user!;
  const [task, setTask] = useState<SecondFactorTask>();
  return (
    <Section
      title="Second factor"
      lead="Signing in then takes a code of an authenticator app too, so that a stolen password is not enough."
    >
      <Stack gap="md" align="flex-start">
        {twoFactor ? (
          <>
            <Badge
              variant="light"
              color="green"
              radius="sm"
              tt="none"
              fw={500}
              size="lg"
              leftSection={<IconShieldCheck size={15} aria-hidden />}
            >
              On, with an authenticator app
            </Badge>
            <Group gap="xs">
              <Button variant="default" onClick={() => setTask('codes')}>
                New backup codes
              </Button>
              <Button variant="default" onClick={() => setTask('off')}>
                Turn off
              </Button>
            </Group>
          </>
        ) : (
          <>
            <Text size="sm">Off: your password alone opens the audit log.</Text>
            <Button onClick={() => setTask('on')}>Set up</Button>
          </>
        )}
      </Stack>
      <SecondFactorDialog task={task} onClose={() => setTask(undefined)} />
    </Section>
  );
}

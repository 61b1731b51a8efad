import { Stack, Switch, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import type { TeamSettings } from '../../../src/contract/administration.ts';
import { useSession, useTeam } from '../../app/session.tsx';
import { FormProblem } from '../../ui/form.tsx';
import { AlertTest } from './alert-test.tsx';
import { useChangeTeam } from './queries.ts';

export function MailAlerts({ settings: { alerts } }: { settings: TeamSettings }) {
  const isReadOnly = !useTeam().can('team:admin');
  const { sendsMail } = useSession().installation;
  const change = useChangeTeam();
  const { mutate, isPending, error, variables } = useMutation({
    mutationFn: (mail: boolean) => change({ alerts: { mail } }),
  });
  if (isReadOnly)
    return <Text size="sm">{alerts.mail && sendsMail ? 'Owners and Admins get mail.' : 'Nobody gets mail.'}</Text>;
  return (
    <Stack gap="sm" align="flex-start">
      <Switch
        label="Mail to Owners and Admins"
        description={
          sendsMail
            ? 'Each of them at the address they sign in with.'
            : 'This installation sends no mail until whoever runs it sets SMTP_URL. The switch holds from then on.'
        }
        // What was asked for shows at once; if it is refused, the switch goes back and says why.
        checked={isPending ? variables : alerts.mail}
        onChange={(event) => isPending || mutate(event.currentTarget.checked)}
      />
      {error && <FormProblem error={error} />}
      {alerts.mail && sendsMail && <AlertTest channel="mail" action="Send a test mail" />}
    </Stack>
  );
}

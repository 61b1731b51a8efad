import { Anchor, Button, Code, Stack, Text, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useState } from 'react';
import type { Static } from 'typebox';
import type { TeamSettings, WebhookSecret } from '../../../src/contract/administration.ts';
import { useTeam } from '../../app/session.tsx';
import { Confirm } from '../../ui/confirm.tsx';
import { useSubmission } from '../../ui/form.tsx';
import { SaveRow, useSaved } from '../../ui/saved.tsx';
import { SecretOnce } from '../../ui/secret-once.tsx';
import { AlertTest } from './alert-test.tsx';
import { useChangeTeam } from './queries.ts';

export function WebhookAlerts({ settings: { alerts } }: { settings: TeamSettings }) {
  const team = useTeam();
  const change = useChangeTeam();
  const [secret, setSecret] = useState<string>();
  const [renewing, setRenewing] = useState(false);
  const [saved, noteSaved] = useSaved();
  const renew = async () => {
    const made = await team.api<Static<typeof WebhookSecret>>('POST', '/v1/team/webhook-secret');
    setSecret(made.secret);
  };
  // The field has the path the service complains about.
  const form = useForm({ initialValues: { alerts: { webhookUrl: alerts.webhookUrl ?? '' } } });
  const { onSubmit, busy, problem } = useSubmission(
    form,
    async (values) => {
      const webhookUrl = values.alerts.webhookUrl.trim() || null;
      const now = await change({ alerts: { webhookUrl } });
      if (webhookUrl === null) setSecret(undefined);
      else if (alerts.webhookUrl === null) await renew();
      return now;
    },
    (now) => {
      form.setValues({ alerts: { webhookUrl: now.alerts.webhookUrl ?? '' } });
      noteSaved();
    },
  );
  if (!team.can('team:admin'))
    return (
      <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
        {alerts.webhookUrl ? `Alerts are posted to ${alerts.webhookUrl}` : 'No webhook is set.'}
      </Text>
    );
  return (
    <Stack gap="md">
      <form onSubmit={onSubmit} noValidate>
        <Stack gap="sm">
          <TextInput
            label="Webhook"
            type="url"
            placeholder="https://hooks.example.com/trailproof"
            description={
              <>
                Each alert is posted here as JSON, signed as{' '}
                <Anchor
                  href="https://www.standardwebhooks.com"
                  target="_blank"
                  rel="noreferrer"
                  size="xs"
                  underline="always"
                >
                  Standard Webhooks
                </Anchor>{' '}
                says. Empty: no webhook.
              </>
            }
            autoComplete="off"
            spellCheck={false}
            {...form.getInputProps('alerts.webhookUrl')}
          />
          {problem}
          <SaveRow action="Save webhook" busy={busy} saved={saved} />
        </Stack>
      </form>
      {secret && (
        <SecretOnce value={secret} what="the signing secret">
          <Text size="xs" c="dimmed">
            Your receiver checks the header <Code>webhook-signature</Code> with it.
          </Text>
        </SecretOnce>
      )}
      {alerts.webhookUrl && (
        <AlertTest channel="webhook" action="Post a test">
          <Button variant="default" size="xs" onClick={() => setRenewing(true)}>
            New signing secret
          </Button>
        </AlertTest>
      )}
      <Confirm
        opened={renewing}
        onClose={() => setRenewing(false)}
        title="Make a new signing secret"
        action="Make a new one"
        run={renew}
      >
        <Text size="sm">
          The present secret stops signing at once: your receiver refuses alerts until it has the new one. Events are
          not touched by this.
        </Text>
      </Confirm>
    </Stack>
  );
}

import { Stack, Text } from '@mantine/core';
import type { TeamSettings } from '../../../src/contract/administration.ts';
import { Section } from '../../ui/section.tsx';
import { MailAlerts } from './mail-alerts.tsx';
import { WebhookAlerts } from './webhook-alerts.tsx';

export function Alerting({ settings }: { settings: TeamSettings }) {
  return (
    <Section
      title="Alerts"
      lead="Who is told when a SIEM stops accepting events, and when it is well again: what happened, what waits, what to do."
    >
      <Stack gap="xl">
        <MailAlerts settings={settings} />
        <WebhookAlerts settings={settings} />
        <Text size="xs" c="dimmed">
          At most once per state and quarter of an hour. Short slowdowns and retries are told only when they last five
          minutes.
        </Text>
      </Stack>
    </Section>
  );
}

import type { GuideStep } from '../destination.ts';

/** What is needed, and who has it. */
export const needs =
  'An app registration and a data collection rule; needs an Entra ID admin and an owner of the Azure resource group.';

export const guide: readonly GuideStep[] = [
  {
    text: 'Entra ID → App registrations → New registration. Copy Directory (tenant) ID …',
    setting: 'tenantId',
    who: 'Entra ID admin',
  },
  { text: '… and Application (client) ID.', setting: 'clientId' },
  {
    text: 'Certificates & secrets → New client secret. Copy its Value at once; the Secret ID beside it does not work.',
    setting: 'clientSecret',
  },
  {
    text: 'Azure Monitor → Data Collection Rules → create a rule for a custom table, or deploy azure-template.json, which comes with Trailproof and makes table, rule and role in one step. Copy the rule’s Immutable Id; its name does not work.',
    setting: 'dcrImmutableId',
    who: 'Azure admin',
  },
  {
    text: 'From the rule’s Overview, copy the Logs ingestion endpoint, or that of its data collection endpoint.',
    setting: 'ingestionEndpoint',
  },
  {
    text: 'From the rule’s Data sources, copy the stream name, which begins with Custom-. Upper and lower case count.',
    setting: 'streamName',
  },
  {
    text: 'On the rule: Access control (IAM) → Add role assignment → Monitoring Metrics Publisher, to the app. It belongs on the rule, not on the workspace, and takes up to 30 minutes to act.',
  },
  { text: 'Only in the clouds for the US Government or China: where the app signs in.', setting: 'authorityHost' },
];

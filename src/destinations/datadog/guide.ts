import type { GuideStep } from '../destination.ts';

/** What is needed, and who has it. */
export const needs = 'An API key and the name of your Datadog site; any Datadog admin has both.';

export const guide: readonly GuideStep[] = [
  {
    text: 'Look at your browser’s address bar: app.datadoghq.com, us5.datadoghq.com, app.datadoghq.eu … is your site. A key works on its own site only.',
    setting: 'endpointUrl',
  },
  {
    text: 'Organization Settings → API Keys → create or copy a key. An application key does not work.',
    setting: 'apiKey',
    who: 'Datadog admin',
  },
  {
    text: 'Choose the service under which Datadog files the events, and see in Logs → Configuration → Indexes that an index takes it.',
    setting: 'service',
  },
];

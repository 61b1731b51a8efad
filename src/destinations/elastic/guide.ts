import type { GuideStep } from '../destination.ts';

/** What is needed, and who has it. */
export const needs =
  'An API key that may add documents to one index or data stream; whoever administers Kibana makes it.';

export const guide: readonly GuideStep[] = [
  {
    text: 'Kibana → Stack Management → API Keys → Create API Key. Under Control security privileges allow create_doc and auto_configure on the index below; more is not needed.',
    setting: 'apiKey',
    who: 'Kibana admin',
  },
  { text: 'Copy the key, encoded or as id:key. Kibana shows it once.', setting: 'apiKey' },
  {
    text: 'Note the Elasticsearch endpoint, not Kibana’s address: Elastic Cloud → your deployment → Copy endpoint, or the Cloud ID. Self-managed: https://<host>:9200.',
    setting: 'endpointUrl',
  },
  {
    text: 'Choose the index or data stream. logs-trailproof.audit-default becomes a data stream with the first event.',
    setting: 'index',
  },
  { text: 'Only if an ingest pipeline is to change the events on their way: its name.', setting: 'pipeline' },
  {
    text: 'If an authority of your own signed the certificate, paste config/certs/http_ca.crt.',
    setting: 'caCertificate',
  },
];

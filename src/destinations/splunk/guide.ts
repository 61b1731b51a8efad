import type { GuideStep } from '../destination.ts';

/** What is needed, and who has it. */
export const needs = 'An HTTP Event Collector token and an index; your Splunk admin can make both.';

export const guide: readonly GuideStep[] = [
  {
    text: 'Settings → Data Inputs → HTTP Event Collector → Global Settings: see that All Tokens is Enabled.',
    who: 'Splunk admin',
  },
  { text: 'New Token: name it, choose Automatic as source type, and copy the token value.', setting: 'token' },
  {
    text: 'In the token’s Selected Indexes choose the index, and enter its name here. Without selected indexes the token takes any name, and events for an index that does not exist are lost without an error.',
    setting: 'index',
  },
  {
    text: 'Copy the HEC endpoint URL: https://<host>:8088, on Splunk Cloud https://http-inputs-<stack>.splunkcloud.com:443.',
    setting: 'endpointUrl',
  },
  {
    text: 'If the token has Enable indexer acknowledgement, turn it on here too: an event then counts as delivered once it is on Splunk’s disk.',
    setting: 'acknowledge',
  },
  { text: 'If Splunk’s certificate is its own, paste $SPLUNK_HOME/etc/auth/cacert.pem.', setting: 'caCertificate' },
];

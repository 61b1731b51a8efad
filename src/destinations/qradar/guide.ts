import type { GuideStep } from '../destination.ts';

/** What is needed, and who has it. */
export const needs =
  'A log source with the HTTP Receiver protocol (QRadar 7.5 or newer) and its SEC token; your QRadar admin makes both.';

export const guide: readonly GuideStep[] = [
  {
    text: 'Admin → Authorized Services → create a service → copy the SEC token. A long random text of your own works as well, and opens nothing else.',
    setting: 'secToken',
    who: 'QRadar admin',
  },
  {
    text: 'Admin → Log Sources → Add: type Universal DSM for JSON, Universal LEEF for LEEF 2.0; protocol HTTP Receiver; its Log Source Identifier is the Log Source here.',
    setting: 'logSource',
  },
  {
    text: 'Communication Type HTTPs, Listen Port 12469 or another free one, not 514. The address is the event collector’s, not the console’s.',
    setting: 'endpointUrl',
  },
  { text: 'Use HTTP Authentication Token Header: on; header name SEC; value: the SEC token.', setting: 'headerName' },
  {
    text: 'Event Parsing Method: Event Per Line, else QRadar takes a whole batch for one event. Coalescing Events: off, else it keeps one payload of several.',
    setting: 'payload',
  },
  { text: 'Max Payload Length: 32767; choose the same here.', setting: 'maxPayloadLength' },
  { text: 'Deploy Changes: nothing listens before.' },
  {
    text: 'With a server certificate of your own authority, paste that authority’s certificate.',
    setting: 'caCertificate',
  },
  { text: 'With HTTPs with Mutual TLS, paste the client certificate and its key.', setting: 'clientCertificate' },
];

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { Type } from 'typebox';
import { Secret } from '../../secrets.ts';
import { checkStep } from '../check-step.ts';
import type { Outcome } from '../destination.ts';
import { outcomeOfFailure } from '../failure-outcome.ts';
import {
  certificateSetting,
  choiceSetting,
  defineDestination,
  endpointBase,
  privateKeySetting,
  secretSetting,
  secretsOf,
  textSetting,
  urlSetting,
} from '../settings.ts';
import { sendFitting } from '../unfit.ts';
import { classifyPost } from './classify.ts';
import { encodeLines, overheadBytes } from './encode.ts';
import { guide, needs } from './guide.ts';

const settings = Type.Object({
  endpointUrl: urlSetting({
    title: 'Endpoint URL',
    description:
      'Address of the log source’s HTTP Receiver, with its port. It listens on the event collector, not on the console.',
    placeholder: 'https://qradar-collector.example.com:12469',
  }),
  secToken: secretSetting({
    title: 'SEC Token',
    description: 'Value of the log source’s HTTP authentication token header. It is sent exactly as entered.',
    pattern: '^[ -~]+$',
    rule: 'printable ASCII characters',
  }),
  logSource: textSetting({
    title: 'Log Source',
    description: 'The log source identifier. JSON events end with it ("logSource"), LEEF events name it as their host.',
    placeholder: 'trailproof',
    maxLength: 255,
  }),
  headerName: Type.Optional(
    textSetting({
      title: 'Header name',
      description: 'Name of the log source’s HTTP authentication token header.',
      default: 'SEC',
      maxLength: 100,
      // RFC 9110 §5.6.2, token.
      pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$",
      rule: 'the name of an HTTP header',
    }),
  ),
  payload: Type.Optional(
    choiceSetting({
      title: 'Payload',
      description: 'What the log source’s type reads: JSON with a Universal DSM, LEEF with Universal LEEF.',
      choices: { json: 'JSON lines', leef: 'LEEF 2.0' },
      default: 'json',
    }),
  ),
  maxPayloadLength: Type.Optional(
    choiceSetting({
      title: 'Max Payload Length',
      description:
        'As set in the log source. Longer events are cut and marked here, because QRadar would cut them anywhere.',
      choices: {
        '8192': '8,192 bytes (QRadar’s default)',
        '16384': '16,384 bytes',
        '32767': '32,767 bytes (recommended)',
      },
      default: '8192',
    }),
  ),
  caCertificate: Type.Optional(
    certificateSetting({
      title: 'CA certificate',
      description: 'PEM; when an authority of your own signed the receiver’s certificate.',
    }),
  ),
  clientCertificate: Type.Optional(
    certificateSetting({
      title: 'Client certificate',
      description: 'PEM; when the log source asks for one (mutual TLS).',
    }),
  ),
  clientKey: Type.Optional(
    privateKeySetting({
      title: 'Client key',
      description: 'PEM, without passphrase; belongs to the client certificate.',
    }),
  ),
});

/** Headers that the connection itself needs. */
const TAKEN_HEADERS = /^(host|connection|content-.*|transfer-encoding|expect|upgrade|te|trailer|keep-alive|proxy-.*)$/i;

function belongTogether(certificate: string, key: Secret): boolean {
  return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key.reveal()));
}

function tooLong(bytes: string): string {
  return `What identifies the event is longer than Max Payload Length, ${bytes} bytes: QRadar would cut it into pieces`;
}

const UNPROVED = 'QRadar says whether the token is right only when an event is written';

/** IBM QRadar by the HTTP Receiver protocol (QRadar 7.5 and newer). Never compressed: the receiver does not unpack. */
export const qradar = defineDestination({
  kind: 'qradar',
  title: 'IBM QRadar',
  needs,
  guide,
  settings,
  limits: ({ payload = 'json', logSource, maxPayloadLength = '8192' }) => ({
    batchEvents: 200,
    batchBytes: 1_000_000,
    eventBytes: Number(maxPayloadLength),
    overheadBytes: overheadBytes({ payload, logSource }),
  }),

  refine(given) {
    const problems = [];
    if (given.headerName && TAKEN_HEADERS.test(given.headerName))
      problems.push({ field: 'headerName', message: 'must not be a header of HTTP itself' });
    if (given.clientCertificate && !given.clientKey)
      problems.push({ field: 'clientKey', message: 'is required with a client certificate' });
    if (given.clientKey && !given.clientCertificate)
      problems.push({ field: 'clientCertificate', message: 'is required with a client key' });
    if (given.clientKey && given.clientCertificate && !belongTogether(given.clientCertificate, given.clientKey))
      problems.push({ field: 'clientKey', message: 'must belong to the client certificate' });
    // The value is compared literally: nothing comes off but the header's own name, pasted with it.
    const token = given.secToken.reveal();
    const name = `${given.headerName ?? 'SEC'}:`.toLowerCase();
    const secToken = token.toLowerCase().startsWith(name)
      ? new Secret(token.slice(name.length).trim())
      : given.secToken;
    return { settings: { ...given, secToken, endpointUrl: endpointBase(given.endpointUrl) }, problems };
  },

  open(given, { openOutbound, clock, brand }) {
    const { endpointUrl, secToken, logSource, headerName = 'SEC', payload = 'json', maxPayloadLength = '8192' } = given;
    const outbound = openOutbound({
      caCertificate: given.caCertificate,
      clientCertificate: given.clientCertificate,
      clientKey: given.clientKey?.reveal(),
    });
    const framing = { payload, logSource, vendor: brand, maxPayloadLength: Number(maxPayloadLength) };
    const secrets = secretsOf(given);
    const headers = {
      [headerName]: secToken.reveal(),
      'content-type': payload === 'json' ? 'application/x-ndjson' : 'text/plain; charset=utf-8',
    };
    return {
      endpoint: endpointUrl,
      async prepare(batch) {
        const { body, unfit } = await encodeLines(batch, framing);
        const post = async (signal: AbortSignal): Promise<Outcome> => {
          const answer = await outbound.request({ method: 'POST', url: endpointUrl, headers, body }, signal);
          return answer.kind === 'failure'
            ? outcomeOfFailure(answer, 'QRadar')
            : classifyPost(answer, { siem: 'QRadar', now: clock.now(), secrets });
        };
        return {
          bytes: body.length,
          send: (signal) => sendFitting(unfit, batch.length, tooLong(maxPayloadLength), () => post(signal)),
        };
      },
      // Whatever is posted becomes an event, so the check proves the connection only.
      check: (signal, report) =>
        checkStep({ name: 'credential', detail: UNPROVED, clock, report }, async () => {
          const probe = await outbound.probe(endpointUrl, signal);
          return 'kind' in probe ? outcomeOfFailure(probe, 'QRadar') : { kind: 'delivered' };
        }),
      close: () => outbound.close(),
    };
  },

  standIn: async () => (await import('./stand-in.ts')).startQRadarStandIn,
});

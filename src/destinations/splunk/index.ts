import { type Static, Type } from 'typebox';
import { Secret } from '../../secrets.ts';
import {
  certificateSetting,
  defineDestination,
  endpointBase,
  flagSetting,
  secretSetting,
  textSetting,
  urlSetting,
} from '../settings.ts';
import { type HecMetadata, overheadBytes } from './encode.ts';
import { guide, needs } from './guide.ts';
import { openHec } from './hec.ts';

const settings = Type.Object(
  {
    endpointUrl: urlSetting({
      title: 'Endpoint URL',
      description:
        'The HTTP Event Collector of your Splunk: https://<host>:8088, or on Splunk Cloud https://http-inputs-<stack>.splunkcloud.com:443. With or without /services/collector.',
      placeholder: 'https://splunk.example.com:8088',
    }),
    token: secretSetting({
      title: 'HEC Token',
      description: 'Settings → Data inputs → HTTP Event Collector → New Token → the token value.',
      pattern: '^[ -~]+$',
      rule: 'printable ASCII characters',
    }),
    index: textSetting({
      title: 'Index',
      description: 'The index to write to. The token must allow it.',
      placeholder: 'security',
      maxLength: 80,
      pattern: '^[a-z0-9_][a-z0-9_-]*$',
      rule: 'lower-case letters, digits, underscores and hyphens',
    }),
    source: Type.Optional(
      textSetting({
        title: 'Source',
        description: 'What Splunk shows as source. Without it: whose audit log this is.',
        maxLength: 200,
      }),
    ),
    sourcetype: Type.Optional(
      textSetting({
        title: 'Source type',
        description: 'What Splunk shows as source type. Without it: the brand followed by “:audit”.',
        maxLength: 200,
      }),
    ),
    acknowledge: Type.Optional(
      flagSetting({
        title: 'Indexer acknowledgement',
        description:
          'Count an event as delivered only when Splunk has written it to disk. Turn it on if the token has “Enable indexer acknowledgement”.',
      }),
    ),
    caCertificate: Type.Optional(
      certificateSetting({
        title: 'CA certificate',
        description: 'The authority that signed Splunk’s certificate, in PEM form, if it is not a public one.',
      }),
    ),
  },
  { additionalProperties: false },
);

type SplunkSettings = Static<typeof settings>;

/** Bytes of one post before compression: what every release takes, down to the oldest default of 1 MB. */
const POST_BYTES = 1_000_000;
/** `BRAND_NAME` takes no more than this in an envelope. */
const BRAND_BYTES = 100;

export const splunk = defineDestination({
  kind: 'splunk',
  title: 'Splunk',
  needs,
  guide,
  settings,
  limits: (given) => ({
    batchEvents: 500,
    batchBytes: POST_BYTES,
    eventBytes: POST_BYTES,
    overheadBytes: overheadBytes(metadataOf(given, 'x'.repeat(BRAND_BYTES))),
    awaiting: given.acknowledge ? 8 : 1,
  }),
  refine(given) {
    const token = given.token.reveal().replace(/^(authorization:\s*)?(splunk|bearer)\s+/i, '');
    const endpointUrl = endpointBase(given.endpointUrl, /\/services\/collector.*$/);
    return { settings: { ...given, endpointUrl, token: new Secret(token) }, problems: [] };
  },
  open: (given, context) =>
    openHec(
      {
        baseUrl: given.endpointUrl,
        token: given.token,
        metadata: metadataOf(given, context.brand),
        eventBytes: POST_BYTES,
        acknowledge: given.acknowledge ?? false,
        caCertificate: given.caCertificate,
      },
      context,
    ),
  standIn: async () => (await import('./stand-in.ts')).startSplunkStandIn,
});

/** Source types are written in lower case without spaces by convention: `acme:audit`. */
function metadataOf(given: SplunkSettings, brand: string): HecMetadata {
  const written = brand.toLowerCase().replace(/[^a-z0-9]+/g, '_');
  const name = written.slice(0, BRAND_BYTES).replace(/^_|_$/g, '') || 'trailproof';
  return {
    host: 'trailproof',
    source: given.source ?? name,
    sourcetype: given.sourcetype ?? `${name}:audit`,
    index: given.index,
  };
}

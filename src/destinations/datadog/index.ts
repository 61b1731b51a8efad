import { Type } from 'typebox';
import type { LoggedEvent } from '../../event/logged-event.ts';
import { stepOf } from '../check-step.ts';
import { compress } from '../compress.ts';
import type { Outcome } from '../destination.ts';
import { outcomeOfFailure } from '../failure-outcome.ts';
import {
  certificateSetting,
  defineDestination,
  endpointBase,
  secretSetting,
  secretsOf,
  textSetting,
  urlSetting,
} from '../settings.ts';
import { classifyIntake, classifyValidation } from './classify.ts';
import { encodeLogs, LARGEST_LOG, overheadBytes } from './encode.ts';
import { guide, needs } from './guide.ts';

const settings = Type.Object({
  endpointUrl: urlSetting({
    title: 'Endpoint URL',
    description:
      'Your Datadog site, as in your browser’s address bar (datadoghq.eu), or the address of its logs intake.',
    placeholder: 'https://http-intake.logs.datadoghq.eu',
    // https://docs.datadoghq.com/getting_started/site/
    choices: {
      'https://http-intake.logs.datadoghq.com': 'US1 – datadoghq.com',
      'https://http-intake.logs.us3.datadoghq.com': 'US3 – us3.datadoghq.com',
      'https://http-intake.logs.us5.datadoghq.com': 'US5 – us5.datadoghq.com',
      'https://http-intake.logs.datadoghq.eu': 'EU1 – datadoghq.eu',
      'https://http-intake.logs.ap1.datadoghq.com': 'AP1 – ap1.datadoghq.com',
      'https://http-intake.logs.ap2.datadoghq.com': 'AP2 – ap2.datadoghq.com',
      'https://http-intake.logs.ddog-gov.com': 'US1-FED – ddog-gov.com',
    },
  }),
  apiKey: secretSetting({
    title: 'API Key',
    description: 'Organization Settings → API Keys. An application key does not work.',
    pattern: '^[!-~]+$',
    rule: 'printable ASCII characters without spaces',
  }),
  service: textSetting({
    title: 'Service',
    description: 'Under which service Datadog files the logs.',
    placeholder: 'audit-log',
    maxLength: 100,
  }),
  source: Type.Optional(
    textSetting({
      title: 'Source',
      description: 'Which pipeline and icon Datadog chooses. Without it, the name of the platform in lower case.',
      maxLength: 100,
    }),
  ),
  tags: Type.Optional(
    textSetting({
      title: 'Tags',
      description: 'Tags of every log, separated by commas.',
      placeholder: 'env:prod,team:security',
      maxLength: 2000,
    }),
  ),
  caCertificate: Type.Optional(
    certificateSetting({
      title: 'CA certificate',
      description: 'PEM; when a proxy of yours that inspects TLS stands between here and Datadog.',
    }),
  ),
});

/** Sites as Datadog writes them: `datadoghq.com`, `us5.datadoghq.com`, `datadoghq.eu`, `ddog-gov.com` … */
const SITE = /^(?:app\.|api\.|http-intake\.logs\.)?((?:[a-z]{2}\d\.)?(?:datadoghq\.com|datadoghq\.eu|ddog-gov\.com))$/;
const INTAKE = 'http-intake.logs.';
/** A body is framed anew before its logs can leave Datadog's time window while they wait to be sent again. */
const LONGEST_WAIT_MS = 30 * 60_000;

/** Datadog Logs, API version 2. It has no deduplication, so that framing a body anew costs nothing. */
export const datadog = defineDestination({
  kind: 'datadog',
  title: 'Datadog',
  needs,
  guide,
  settings,
  // Datadog: 1,000 logs, 5 MB, 1 MB per log (a longer one is cut in silence); 4.25 MB is what its own senders aim at.
  limits: ({ source = '', service, tags }) => ({
    batchEvents: 1_000,
    batchBytes: 4_250_000,
    eventBytes: LARGEST_LOG,
    overheadBytes: overheadBytes({ source, service, tags }),
    maxAgeMs: 18 * 3_600_000,
  }),

  refine(given) {
    const base = new URL(endpointBase(given.endpointUrl, /\/(api\/v2\/logs|v1\/input).*$/));
    const site = SITE.exec(base.hostname)?.[1];
    const tags = given.tags
      ?.split(',')
      .map((tag) => tag.trim())
      .filter(Boolean);
    return {
      settings: {
        ...given,
        endpointUrl: site ? `https://${INTAKE}${site}` : endpointBase(base.href),
        ...(tags && { tags: tags.join(',') }),
      },
      problems: tags && tags.length > 100 ? [{ field: 'tags', message: 'must be at most 100 tags' }] : [],
    };
  },

  open({ endpointUrl, service, tags, caCertificate, ...given }, { openOutbound, clock, brand }) {
    const outbound = openOutbound({ caCertificate });
    const framing = { source: given.source ?? brand.toLowerCase().replace(/\s+/g, '-'), service, tags };
    const key = { 'dd-api-key': given.apiKey.reveal() };
    const facts = () => ({ siem: 'Datadog', now: clock.now(), secrets: secretsOf(given) });
    const frame = async (batch: readonly LoggedEvent[]) => {
      const framedAt = clock.now();
      return { framedAt, ...(await compress(encodeLogs(batch, framing, framedAt))) };
    };
    const validate = async (signal: AbortSignal): Promise<{ outcome: Outcome; detail: string }> => {
      const url = `${apiOrigin(endpointUrl)}/api/v1/validate`;
      const answer = await outbound.request({ method: 'GET', url, headers: key }, signal);
      const outcome = answer.kind === 'failure' ? undefined : classifyValidation(answer, facts());
      if (outcome) return { outcome, detail: 'Datadog accepts the API key' };
      // Nobody there can say, or the firewall lets only events out: then the first delivery tells.
      const intake = await outbound.probe(endpointUrl, signal);
      return {
        outcome: 'kind' in intake ? outcomeOfFailure(intake, 'Datadog') : { kind: 'delivered' },
        detail: `The key could not be checked at ${new URL(url).host}: Datadog says whether it is right when events are sent`,
      };
    };
    return {
      endpoint: endpointUrl,
      async prepare(batch) {
        let framed = await frame(batch);
        return {
          get bytes() {
            return framed.body.length;
          },
          async send(signal) {
            if (clock.now() - framed.framedAt > LONGEST_WAIT_MS) framed = await frame(batch);
            const headers = { ...key, 'content-type': 'application/json', ...framed.headers };
            const url = `${endpointUrl}/api/v2/logs`;
            const answer = await outbound.request({ method: 'POST', url, headers, body: framed.body }, signal);
            return answer.kind === 'failure' ? outcomeOfFailure(answer, 'Datadog') : classifyIntake(answer, facts());
          },
        };
      },
      async check(signal, report) {
        const startedAt = clock.now();
        const { outcome, detail } = await validate(signal);
        report?.(stepOf('credential', outcome, detail, clock.now() - startedAt));
        return outcome;
      },
      close: () => outbound.close(),
    };
  },

  standIn: async () => (await import('./stand-in.ts')).startDatadogStandIn,
});

/** Keys are checked at the site's API, which is another host than its intake; elsewhere at the same address. */
function apiOrigin(endpointUrl: string): string {
  const { hostname, origin } = new URL(endpointUrl);
  return hostname.startsWith(INTAKE) ? `https://api.${hostname.slice(INTAKE.length)}` : origin;
}

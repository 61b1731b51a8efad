/** Settings of each kind, all of whose addresses are `url`, and whose secrets are `secret`. */
export const KINDS = ['splunk', 'datadog', 'elastic', 'sentinel', 'qradar'] as const;
export type Kind = (typeof KINDS)[number];

export function settingsOf(kind: Kind, url: string, secret = 'hush'): Record<string, string> {
  switch (kind) {
    case 'splunk':
      return { endpointUrl: url, token: secret, index: 'main' };
    case 'datadog':
      return { endpointUrl: url, apiKey: secret, service: 'audit' };
    case 'elastic':
      return { endpointUrl: url, apiKey: secret, index: 'audit' };
    case 'qradar':
      return { endpointUrl: url, secToken: secret, logSource: 'audit' };
    case 'sentinel':
      return {
        ...{ tenantId: 'tenant', clientId: 'client', clientSecret: secret, dcrImmutableId: 'dcr-0' },
        ...{ streamName: 'Custom-Audit_CL', ingestionEndpoint: url, authorityHost: url },
      };
    default:
      return kind satisfies never;
  }
}

/** The name of the kind's secret setting. */
export const SECRET_OF: Readonly<Record<Kind, string>> = {
  ...{ splunk: 'token', datadog: 'apiKey', elastic: 'apiKey', sentinel: 'clientSecret', qradar: 'secToken' },
};

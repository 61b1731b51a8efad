import { expect, send, setUp, test } from './rig.ts';

/** Each provider's required fields, by label, as product documents name them. */
const FORMS = {
  splunk: { title: 'Splunk', labels: ['Endpoint URL', 'HEC Token', 'Index'] },
  elastic: { title: 'Elastic (ELK Stack)', labels: ['Endpoint URL', 'API Key', 'Index'] },
  qradar: { title: 'IBM QRadar', labels: ['Endpoint URL', 'SEC Token', 'Log Source'] },
  sentinel: {
    title: 'Microsoft Sentinel',
    labels: ['Tenant ID', 'Client ID', 'Client Secret', 'Logs ingestion endpoint', 'DCR Immutable ID', 'Stream Name'],
  },
  datadog: { title: 'Datadog', labels: ['Endpoint URL', 'API Key', 'Service'] },
} as const;

const FIELDS: Readonly<Record<string, string>> = {
  'Endpoint URL': 'endpointUrl',
  'HEC Token': 'token',
  Index: 'index',
  'API Key': 'apiKey',
  'SEC Token': 'secToken',
  'Log Source': 'logSource',
  'Tenant ID': 'tenantId',
  'Client ID': 'clientId',
  'Client Secret': 'clientSecret',
  'Logs ingestion endpoint': 'ingestionEndpoint',
  'DCR Immutable ID': 'dcrImmutableId',
  'Stream Name': 'streamName',
  'Authority host': 'authorityHost',
  Service: 'service',
};

test('each provider is set up by its form, and receives', async ({ page, rig }) => {
  test.setTimeout(120_000);
  await setUp(page, rig);
  for (const [kind, { title, labels }] of Object.entries(FORMS))
    await test.step(title, async () => {
      const standIn = rig.sandbox.standIns.get(kind)!;
      await page.goto(`${rig.service.url}/settings/siem/new/${kind}`);
      const form = page.getByRole('form', { name: `Connect ${title}` });
      await expect(form.locator('[required]')).toHaveCount(labels.length);
      // The stand-in for Entra ID is beside that for Azure Monitor.
      const optional = kind === 'sentinel' ? ['Authority host'] : [];
      if (optional.length > 0) await form.getByRole('button', { name: 'More settings' }).click();
      for (const label of [...optional, ...labels]) {
        const field = form.getByLabel(new RegExp(`^${label}( \\*)?$`));
        await field.fill(String(standIn.settings[FIELDS[label]!]));
      }
      await form.getByRole('button', { name: 'Test connection' }).click();
      await expect(form.getByRole('heading', { name: 'The connection works' })).toBeVisible();
      await form.getByRole('button', { name: 'Save' }).click();
      await expect(page).toHaveURL(/\/settings\/siem\/[0-9a-f-]{36}/);
    });
  await send(rig, { id: 'for-everyone' });
  for (const [kind, standIn] of rig.sandbox.standIns)
    await expect.poll(() => standIn.ids().get('for-everyone'), { message: kind }).toBe(1);
  await page.goto(`${rig.service.url}/settings/audit-logs?event=for-everyone`);
  await expect(page.getByRole('row', { name: 'bjorn@acme.example' })).toContainText('at 5 of 5 SIEMs, delivered');
});

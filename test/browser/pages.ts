import { expect, type Page } from '@playwright/test';

/** Every page of the console, by name. Those of a destination or event need one to show. */
export function pagesOf(destination: string, event: string): Readonly<Record<string, string>> {
  const logs = '/settings/audit-logs';
  const siem = '/settings/siem';
  return {
    'audit-logs': logs,
    'audit-logs-event': `${logs}?event=${event}`,
    'audit-logs-export': `${logs}?panel=export`,
    'audit-logs-forwarding': `${logs}?panel=siem`,
    'audit-logs-no-match': `${logs}?q=nothing-is-called-this`,
    siem,
    'siem-add': `${siem}?add=siem`,
    ...Object.fromEntries(KINDS.map((kind) => [`siem-new-${kind}`, `${siem}/new/${kind}`])),
    ...Object.fromEntries(TABS.map((tab) => [`siem-destination-${tab}`, `${siem}/${destination}?tab=${tab}`])),
    members: '/settings/members',
    'api-keys': '/settings/api-keys',
    security: '/settings/security',
    general: '/settings/general',
    sandbox: '/sandbox',
    'not-found': '/settings/nothing-here',
  };
}

const KINDS = ['splunk', 'elastic', 'qradar', 'sentinel', 'datadog'];
const TABS = ['activity', 'dead-letters', 'replay', 'settings', 'categories'];

/** Waits until everything asked for is there: no shape of something to come is left. */
export async function settled(page: Page): Promise<void> {
  await expect(page.getByRole('heading').first()).toBeVisible();
  const coming = '[aria-busy="true"], [data-stale], .mantine-Skeleton-root, tr[aria-rowindex] > td:empty';
  await expect(page.locator(coming)).toHaveCount(0);
}

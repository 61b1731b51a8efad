import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type HttpApi, startHttpApi } from '../../../test/rig/http-api.ts';

let folder: string;
let api: HttpApi;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trailproof-console-'));
  await mkdir(join(folder, 'assets'));
  await writeFile(
    join(folder, 'index.html'),
    '<meta name="csp-nonce" content="__NONCE__"><style nonce="__NONCE__"></style>',
  );
  await writeFile(join(folder, 'mark.svg'), '<svg/>');
  await writeFile(join(folder, 'assets/index-abc123.js'), 'plain()');
  await writeFile(join(folder, 'assets/index-abc123.js.gz'), gzipSync('packed()'));
  api = await startHttpApi({}, () => ({ consoleFolder: folder }));
});
afterAll(async () => {
  await api.close();
  await rm(folder, { recursive: true, force: true });
});

const page = (path: string) => api.call('GET', path, { headers: { accept: 'text/html,*/*;q=0.8' } });

describe('the console', () => {
  it.each(['/', '/settings/siem/new/splunk', '/join', '/v1x'])('has its page at %s', async (path) => {
    const { status, headers, text } = await page(path);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(headers.get('cache-control')).toBe('no-store');
    const nonce = /content="([^"]+)"/.exec(text)![1]!;
    expect(text).toContain(`<style nonce="${nonce}">`);
    expect(headers.get('content-security-policy')).toBe(
      `default-src 'none'; script-src 'self'; style-src 'self' 'nonce-${nonce}'; img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
    );
    expect(Buffer.from(nonce, 'base64')).toHaveLength(16);
    expect((await page(path)).text).not.toContain(nonce);
  });

  it.each(['/v1/nothing', '/api/nothing'])('leaves %s to the API', async (path) => {
    expect(await page(path)).toMatchObject({ status: 404, json: { code: 'not_found' } });
  });

  it('answers programs that no page was asked for by', async () => {
    expect(await api.call('GET', '/settings/siem')).toMatchObject({ status: 404, json: { code: 'not_found' } });
    expect((await api.call('POST', '/settings/siem', { headers: { accept: 'text/html' } })).status).toBe(404);
  });

  it('keeps files with a hash in their name for ever, compressed before anybody asks', async () => {
    const asset = '/assets/index-abc123.js';
    const packed = await api.call('GET', asset, { headers: { 'accept-encoding': 'gzip' } });
    expect(packed.text).toBe('packed()');
    expect(packed.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(packed.headers.get('content-type')).toMatch(/javascript/);
    expect((await api.call('GET', asset, { headers: { 'accept-encoding': 'identity' } })).text).toBe('plain()');
    const icon = await api.call('GET', '/mark.svg');
    expect(icon.text).toBe('<svg/>');
    expect(icon.headers.get('cache-control')).toBe('public, max-age=3600');
  });

  it.each([
    ['/assets/none.js', 404],
    ['/assets/..%2findex.html', 400],
    ['/assets/%2e%2e%2f%2e%2e%2fetc%2fpasswd', 400],
  ])('has no file at %s', async (path, status) => {
    expect((await api.call('GET', path)).status).toBe(status);
  });

  it('says how to build it when it is not', async () => {
    const unbuilt = await startHttpApi({}, () => ({ consoleFolder: join(folder, 'nothing') }));
    try {
      const { status, text } = await unbuilt.call('GET', '/', { headers: { accept: 'text/html' } });
      expect(status).toBe(200);
      expect(text).toContain('npm run build');
    } finally {
      await unbuilt.close();
    }
  });
});

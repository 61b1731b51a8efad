import { describe, expect, it } from 'vitest';
import { configReference, exampleEnv, readConfig } from './config.ts';

function valid(env: Record<string, string>) {
  const read = readConfig(env);
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return read.config;
}

describe('readConfig', () => {
  it('needs nothing: every option has a default', () => {
    expect(valid({})).toEqual({
      port: 3000,
      host: '127.0.0.1',
      publicUrl: null,
      dataDir: './data',
      masterKey: null,
      masterKeyFile: null,
      destinationNetwork: 'public',
      allowHttpDestinations: false,
      egressAddresses: [],
      httpsProxy: null,
      httpProxy: null,
      noProxy: [],
      brandName: 'NeuralTrust',
      autoCreateTeams: true,
      trustedProxies: [],
      logLevel: 'info',
      retentionDays: 365,
      metricsToken: null,
      rateLimitPerMinute: 1_500_000,
      smtpUrl: null,
      smtpFrom: 'Trailproof <trailproof@localhost>',
    });
  });

  it('reads what is set, trimmed', () => {
    const config = valid({
      PORT: ' 8080 ',
      PUBLIC_URL: 'https://audit.example.com/log/',
      DESTINATION_NETWORK: 'Private',
      ALLOW_HTTP_DESTINATIONS: '1',
      EGRESS_ADDRESSES: '192.0.2.10, 2001:db8::/48',
      AUTO_CREATE_TEAMS: 'FALSE',
      BRAND_NAME: 'Acme Ltd',
    });
    expect(config).toMatchObject({
      port: 8080,
      publicUrl: 'https://audit.example.com/log',
      destinationNetwork: 'private',
      allowHttpDestinations: true,
      egressAddresses: ['192.0.2.10', '2001:db8::/48'],
      autoCreateTeams: false,
      brandName: 'Acme Ltd',
      smtpFrom: 'Trailproof <trailproof@audit.example.com>',
    });
  });

  it('takes the mail server with its credentials, and any common form of sender', () => {
    const config = valid({ SMTP_URL: 'smtps://ana:p%40ss@mail.example.com', SMTP_FROM: 'audit@example.com' });
    expect(config.smtpUrl?.reveal()).toBe('smtps://ana:p%40ss@mail.example.com');
    expect(config.smtpFrom).toBe('audit@example.com');
    expect(valid({ SMTP_FROM: 'Audit Trail <audit@example.com>' }).smtpFrom).toBe('Audit Trail <audit@example.com>');
  });

  it.each(['mail.example.com', 'http://mail.example.com', 'smtp://', 'smtp://a:50%@mail', 'smtp://mail/?pool=true'])(
    'refuses %s as mail server',
    (url) => expect(readConfig({ SMTP_URL: url })).toMatchObject({ ok: false, problems: [{ variable: 'SMTP_URL' }] }),
  );

  it('takes a proxy in either case, with credentials, and with or without http://', () => {
    const config = valid({
      HTTPS_PROXY: 'http://ana:p%40ss@proxy:3128',
      https_proxy: 'other',
      http_proxy: 'proxy:8080',
    });
    expect(config.httpsProxy?.reveal()).toBe('http://ana:p%40ss@proxy:3128');
    expect(config.httpProxy?.reveal()).toBe('http://proxy:8080');
    expect(valid({ no_proxy: ' .corp.example, 10.0.0.0/8 [::1]:80' }).noProxy).toEqual([
      '.corp.example',
      '10.0.0.0/8',
      '[::1]:80',
    ]);
  });

  it.each(['socks5://proxy:1080', 'http://', 'http://proxy/path', 'http://a:50%@proxy'])('refuses %s as proxy', (url) =>
    expect(readConfig({ HTTPS_PROXY: url })).toMatchObject({ ok: false, problems: [{ variable: 'HTTPS_PROXY' }] }),
  );

  it('takes a variable set to nothing for absent', () => {
    expect(valid({ PORT: '', MASTER_KEY: ' ', DATABASE_URL: '' }).port).toBe(3000);
  });

  it('tells all mistakes at once, each with its remedy', () => {
    const read = readConfig({
      PORT: '70000',
      HOST: 'a b',
      PUBLIC_URL: 'audit.example.com',
      DESTINATION_NETWORK: 'open',
      ALLOW_HTTP_DESTINATIONS: 'maybe',
      EGRESS_ADDRESSES: '192.0.2.10;192.0.2.11',
      AUTO_CREATE_TEAMS: 'y',
      TRUSTED_PROXIES: 'proxy.local',
      LOG_LEVEL: 'loud',
      RETENTION_DAYS: '0',
      RATE_LIMIT_PER_MINUTE: '-1',
      METRICS_TOKEN: 'short',
      MASTER_KEY: 'c2hvcnQ=',
      BRAND_NAME: 'x'.repeat(65),
      SMTP_URL: 'mail.example.com',
      SMTP_FROM: 'Audit <a@b.c>, Bcc <d@e.f>',
    });
    const problems = read.ok ? [] : read.problems;
    expect(problems.map(({ variable }) => variable).sort()).toEqual([
      'ALLOW_HTTP_DESTINATIONS',
      'AUTO_CREATE_TEAMS',
      'BRAND_NAME',
      'DESTINATION_NETWORK',
      'EGRESS_ADDRESSES',
      'HOST',
      'LOG_LEVEL',
      'MASTER_KEY',
      'METRICS_TOKEN',
      'PORT',
      'PUBLIC_URL',
      'RATE_LIMIT_PER_MINUTE',
      'RETENTION_DAYS',
      'SMTP_FROM',
      'SMTP_URL',
      'TRUSTED_PROXIES',
    ]);
    expect(problems.filter(({ remedy }) => remedy === '')).toEqual([]);
  });

  it('repeats no credential in a mistake', () => {
    const secrets = {
      MASTER_KEY: 'almost-a-key',
      METRICS_TOKEN: 'tiny',
      DATABASE_URL: 'postgres://app:pw@db/x',
      SMTP_URL: 'smtq://a:hush@b',
      HTTPS_PROXY: 'socks://a:quiet@b',
    };
    const text = JSON.stringify(readConfig(secrets));
    for (const secret of ['almost-a-key', 'tiny', 'pw@db', 'hush', 'quiet']) expect(text).not.toContain(secret);
  });

  it('refuses a database it does not have and says what to do', () => {
    const read = readConfig({ DATABASE_URL: 'postgres://db/trailproof' });
    expect(read).toMatchObject({ ok: false, problems: [{ variable: 'DATABASE_URL' }] });
    expect(JSON.stringify(read)).toContain('SQLite');
  });

  it('refuses two sources of the master key', () => {
    const read = readConfig({ MASTER_KEY: 'ab'.repeat(32), MASTER_KEY_FILE: '/run/secrets/key' });
    expect(read).toMatchObject({ ok: false, problems: [{ variable: 'MASTER_KEY_FILE' }] });
  });
});

describe('the reference', () => {
  const variables = [...exampleEnv().matchAll(/^# ([A-Z_]+)=/gm)].map((m) => m[1]!);

  it('names each option once, with a default, in both forms', () => {
    expect(variables).toHaveLength(22);
    for (const variable of variables)
      expect(configReference().match(new RegExp(`^\\| \`${variable}\` \\| \\S`, 'gm'))).toHaveLength(1);
  });

  it('gives examples that can be used', () => {
    const env = Object.fromEntries([...exampleEnv().matchAll(/^# ([A-Z_]+)=(.*)$/gm)].map((m) => [m[1]!, m[2]!]));
    expect(readConfig(env)).toMatchObject({ ok: true });
  });
});

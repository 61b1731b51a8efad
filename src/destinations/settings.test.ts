import { inspect } from 'node:util';
import { generate } from 'selfsigned';
import { Type } from 'typebox';
import { beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../secrets.ts';
import {
  certificateSetting,
  choiceSetting,
  defineDestination,
  describeSettings,
  endpointBase,
  flagSetting,
  joinSecrets,
  parseSettings,
  privateKeySetting,
  secretSetting,
  secretsOf,
  splitSecrets,
  textSetting,
  urlSetting,
} from './settings.ts';

const words = (title: string) => ({ title, description: `Where to find ${title}.` });

const kind = defineDestination({
  kind: 'example',
  title: 'Example',
  needs: 'A token.',
  guide: [{ text: 'Copy the token.', setting: 'token' }],
  settings: Type.Object(
    {
      endpointUrl: urlSetting({
        ...words('Endpoint URL'),
        placeholder: 'https://example.com',
        choices: { 'https://eu.example.com': 'Europe' },
      }),
      token: secretSetting({ ...words('Token'), maxLength: 20 }),
      index: textSetting({ ...words('Index'), default: 'main', pattern: '^[a-z]+$', rule: 'lower-case letters' }),
      payload: Type.Optional(choiceSetting({ ...words('Payload'), choices: { json: 'JSON', leef: 'LEEF 2.0' } })),
      acknowledge: Type.Optional(flagSetting(words('Acknowledge'))),
      caCertificate: Type.Optional(certificateSetting(words('CA certificate'))),
      clientKey: Type.Optional(privateKeySetting(words('Client key'))),
    },
    { additionalProperties: false },
  ),
  limits: { batchEvents: 1, batchBytes: 1, eventBytes: 1, overheadBytes: 0 },
  refine: (settings) => ({
    settings: { ...settings, endpointUrl: endpointBase(settings.endpointUrl, /\/v1\/logs$/) },
    problems: settings.index === 'internal' ? [{ field: 'index', message: 'is reserved' }] : [],
  }),
  open: () => {
    throw new Error('not opened here');
  },
  standIn: () => Promise.reject(new Error('has none')),
});
const given = { endpointUrl: 'https://example.com', token: 'abc' };

describe('parsing settings', () => {
  let pems: Awaited<ReturnType<typeof generate>>;
  beforeAll(async () => {
    pems = await generate([], { keyType: 'ec', algorithm: 'sha256' });
  });

  it('trims, fills in defaults, wraps secrets and lets the kind refine', () => {
    const parsed = parseSettings(kind, {
      endpointUrl: ' example.com/v1/logs ',
      token: ' abc\n',
      payload: '',
      index: null,
    });
    expect(parsed).toMatchObject({ ok: true, settings: { endpointUrl: 'https://example.com', index: 'main' } });
    if (!parsed.ok) return;
    expect(secretsOf(parsed.settings).map((secret) => secret.reveal())).toEqual(['abc']);
    expect(parsed.settings).not.toHaveProperty('payload');
    expect(inspect(parsed) + JSON.stringify(parsed)).not.toContain('abc');
  });

  it('takes kept secrets as they are', () => {
    const parsed = parseSettings(kind, { ...given, token: new Secret('kept') });
    expect(parsed.ok && secretsOf(parsed.settings).map((secret) => secret.reveal())).toEqual(['kept']);
  });

  it('takes certificates and keys that can be read', () => {
    const parsed = parseSettings(kind, { ...given, caCertificate: pems.cert, clientKey: pems.private });
    expect(parsed).toMatchObject({ ok: true });
  });

  it('takes a bundle of certificates, each readable and without a private key', () => {
    const message = (caCertificate: string) => {
      const parsed = parseSettings(kind, { ...given, caCertificate });
      return parsed.ok ? '' : parsed.problems[0]?.message;
    };
    const { cert, private: key } = pems;
    expect(message(`${cert}\n# the second\n${cert}`)).toBe('');
    expect(message(cert.replaceAll('\n', '\r\n'))).toBe('');
    expect(message(`${cert}\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----`)).toMatch(/PEM form/);
    expect(message(`${cert}\n${key}`)).toBe('must not contain a private key');
    expect(message(key)).toBe('must not contain a private key');
  });

  it.each([
    ['endpointUrl', undefined, 'is required'],
    ['endpointUrl', '   ', 'is required'],
    ['token', '', 'is required'],
    ['token', 'x'.repeat(21), 'must not have more than 20 characters'],
    ['token', 7, 'must be string'],
    ['endpointUrl', 'ftp://example.com', 'must be a URL that begins with https://'],
    ['endpointUrl', 'https://', 'must be a URL that begins with https://'],
    ['endpointUrl', 'https://me:pw@example.com', 'must not contain a user name or password'],
    ['index', 'Main', 'must be lower-case letters'],
    ['index', 'internal', 'is reserved'],
    ['payload', 'xml', 'must be equal to one of the allowed values'],
    ['acknowledge', 'yes', 'must be boolean'],
    ['caCertificate', 'not pem', 'must be a certificate in PEM form'],
    ['clientKey', 'not pem', 'must be a private key in PEM form, without passphrase'],
    ['colour', 'red', 'is not a setting of Example'],
    ['__proto__x', 'red', 'is not a setting of Example'],
  ])('finds that %s = %j %s', (field, value, message) => {
    expect(parseSettings(kind, { ...given, [field]: value })).toEqual({ ok: false, problems: [{ field, message }] });
  });

  it('reports every problem at once, and none of the values', () => {
    const parsed = parseSettings(kind, { token: 'x'.repeat(30), index: 'Main', colour: 'red' });
    if (parsed.ok) throw new Error('accepted');
    expect(parsed.problems.map(({ field }) => field).sort()).toEqual(['colour', 'endpointUrl', 'index', 'token']);
    expect(JSON.stringify(parsed)).not.toMatch(/xxx|"red"|Main/);
  });

  it.each([undefined, null, 'text', [given]])('refuses %j as settings', (input) => {
    expect(parseSettings(kind, input)).toMatchObject({ ok: false });
  });
});

describe('keeping settings', () => {
  it('splits secrets from the rest and joins them again', () => {
    const parsed = parseSettings(kind, { ...given, acknowledge: true });
    if (!parsed.ok) throw new Error('refused');
    const { open, secrets } = splitSecrets(kind, parsed.settings);
    expect(open).toEqual({ endpointUrl: 'https://example.com', index: 'main', acknowledge: true });
    expect(Object.keys(secrets)).toEqual(['token']);
    expect(joinSecrets(kind, open, secrets)).toEqual(parsed.settings);
  });
});

describe('describing settings', () => {
  it('says what a form and a page of docs need', () => {
    const fields = describeSettings(kind);
    expect(fields.map(({ name, required, secret }) => [name, required, secret])).toEqual([
      ['endpointUrl', true, false],
      ['token', true, true],
      ['index', false, false],
      ['payload', false, false],
      ['acknowledge', false, false],
      ['caCertificate', false, false],
      ['clientKey', false, true],
    ]);
    expect(fields[0]).toEqual({
      name: 'endpointUrl',
      title: 'Endpoint URL',
      description: 'Where to find Endpoint URL.',
      input: 'url',
      required: true,
      secret: false,
      placeholder: 'https://example.com',
      choices: [{ value: 'https://eu.example.com', title: 'Europe' }],
    });
    expect(fields[2]).toMatchObject({ default: 'main' });
    expect(fields[3]?.choices).toEqual([
      { value: 'json', title: 'JSON' },
      { value: 'leef', title: 'LEEF 2.0' },
    ]);
  });
});

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { type Static, type TObject, type TSchema, Type } from 'typebox';
import { Value } from 'typebox/value';
import { Secret } from '../secrets.ts';
import type { DestinationKind, SettingProblem } from './destination.ts';

/**
 * Settings of a destination: one schema per kind drives validation, API, form and docs. The functions ending in
 * `Setting` make its fields; `parseSettings` is the edge at which untrusted values become typed settings and secrets
 * become `Secret`.
 */

/** How a form asks for a value, and what else than its schema the value must satisfy. */
export type SettingInput = 'text' | 'url' | 'secret' | 'certificate' | 'privateKey' | 'choice' | 'flag';

export interface SettingWords {
  /** The label in the form. */
  readonly title: string;
  /** Where the person finds the value, or what it changes. */
  readonly description: string;
  readonly placeholder?: string;
}

interface TextRules {
  readonly default?: string;
  readonly maxLength?: number;
  /** Regular expression the whole value must match; `rule` says it in words: "must be <rule>". */
  readonly pattern?: string;
  readonly rule?: string;
}

/** One field for the form and the docs. */
export interface SettingDescription extends SettingWords {
  readonly name: string;
  readonly input: SettingInput;
  readonly required: boolean;
  /** Written, never read back. */
  readonly secret: boolean;
  readonly default?: unknown;
  /** Of a choice: the values there are; of a URL: some to pick from. */
  readonly choices?: readonly { readonly value: string; readonly title: string }[];
}

export type SplitSettings = {
  readonly open: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Record<string, Secret>>;
};

/** Checks that a kind's parts fit together, and forgets its settings' type: the registry holds kinds of every type. */
export function defineDestination<S extends TObject>(kind: DestinationKind<S>): DestinationKind {
  // Sound because `limits` and `open` are only ever given what `parseSettings` or `joinSecrets` made for this kind.
  return kind as unknown as DestinationKind;
}

export function textSetting(words: SettingWords & TextRules) {
  return Type.String({ minLength: 1, maxLength: 1000, 'x-input': 'text', ...words });
}

/**
 * An http or https URL without credentials; a missing scheme is read as https. `refine` strips the vendor's path.
 * `choices` are addresses to pick from, each with its title; any other may be entered.
 */
export function urlSetting(words: SettingWords & TextRules & { readonly choices?: Readonly<Record<string, string>> }) {
  const { choices, ...rest } = words;
  return Type.String({
    minLength: 1,
    maxLength: 2000,
    'x-input': 'url',
    ...(choices && { 'x-choices': choices }),
    ...rest,
  });
}

/** A credential: `Secret` for the destination, sealed in the database, never shown. */
export function secretSetting(words: SettingWords & Omit<TextRules, 'default'>) {
  return secretField('secret', { maxLength: 4000, ...words });
}

/** One or more PEM certificates. */
export function certificateSetting(words: SettingWords) {
  return Type.String({ minLength: 1, maxLength: 100_000, 'x-input': 'certificate', ...words });
}

/** A PEM private key without passphrase: a secret. */
export function privateKeySetting(words: SettingWords) {
  return secretField('privateKey', { maxLength: 20_000, ...words });
}

/** One of several values; `choices` maps each value to its title. */
export function choiceSetting<const V extends string>(
  words: SettingWords & { readonly choices: Readonly<Record<V, string>>; readonly default?: NoInfer<V> },
) {
  const { choices, ...rest } = words;
  return Type.Unsafe<V>({
    type: 'string',
    enum: Object.keys(choices),
    'x-input': 'choice',
    'x-choices': choices,
    ...rest,
  });
}

export function flagSetting(words: SettingWords & { readonly default?: boolean }) {
  return Type.Boolean({ 'x-input': 'flag', ...words });
}

export type ParsedSettings<S extends TObject> =
  | { readonly ok: true; readonly settings: Static<S> }
  | { readonly ok: false; readonly problems: readonly SettingProblem[] };

/**
 * Settings as a person or program sends them → settings as the destination takes them, or every problem found. Values
 * are trimmed, empty ones count as absent, defaults filled in, unknown names refused. Secrets may come as strings or
 * as `Secret` (kept ones, when an edit changes only other fields).
 */
export function parseSettings<S extends TObject>(kind: DestinationKind<S>, input: unknown): ParsedSettings<S> {
  if (typeof input !== 'object' || input === null || Array.isArray(input))
    return { ok: false, problems: [{ field: '', message: 'must be an object of settings' }] };
  const values: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(input)) {
    const schema = fieldOf(kind, name);
    const cleaned = schema ? clean(schema, value) : value;
    if (cleaned !== undefined) values[name] = cleaned;
  }
  for (const [name, schema] of fieldsOf(kind))
    if (values[name] === undefined && schema.default !== undefined) values[name] = schema.default;
  const problems = [...schemaProblems(kind, values), ...contentProblems(kind, values)];
  if (problems.length > 0) return { ok: false, problems };
  for (const [name, schema] of fieldsOf(kind))
    if (isSecret(schema) && typeof values[name] === 'string') values[name] = new Secret(values[name]);
  const refined = kind.refine(values as Static<S>);
  return refined.problems.length > 0
    ? { ok: false, problems: refined.problems }
    : { ok: true, settings: refined.settings };
}

/** Settings as kept: what may be shown, and what is sealed. */
export function splitSecrets<S extends TObject>(_kind: DestinationKind<S>, settings: Static<S>): SplitSettings {
  const open: Record<string, unknown> = {};
  const secrets: Record<string, Secret> = {};
  for (const [name, value] of Object.entries(settings))
    if (value instanceof Secret) secrets[name] = value;
    else if (value !== undefined) open[name] = value;
  return { open, secrets };
}

/** The reverse of `splitSecrets`, for settings that were parsed when they were kept. */
export function joinSecrets<S extends TObject>(
  _kind: DestinationKind<S>,
  open: SplitSettings['open'],
  secrets: SplitSettings['secrets'],
): Static<S> {
  return { ...open, ...secrets } as Static<S>;
}

/** The kind's settings in form order. */
export function describeSettings(kind: DestinationKind): readonly SettingDescription[] {
  return fieldsOf(kind).map(([name, schema]) => ({
    name,
    title: schema.title,
    description: schema.description,
    input: schema['x-input'],
    required: schema.default === undefined && (kind.settings.required as readonly string[]).includes(name),
    secret: isSecret(schema),
    ...(schema.placeholder === undefined ? {} : { placeholder: schema.placeholder }),
    ...(schema.default === undefined ? {} : { default: schema.default }),
    ...(schema['x-choices'] && {
      choices: Object.entries(schema['x-choices']).map(([value, title]) => ({ value, title })),
    }),
  }));
}

/**
 * The base of a pasted endpoint URL: without query, fragment, closing slashes and the vendor's own path.
 * `vendorPath` is anchored at the end, for example `/\/services\/collector.*$/`.
 */
export function endpointBase(url: string, vendorPath?: RegExp): string {
  const { origin, pathname } = new URL(url);
  return (origin + (vendorPath ? pathname.replace(vendorPath, '') : pathname)).replace(/\/+$/, '');
}

/** The credentials among the settings, for redaction of answers. */
export function secretsOf(settings: object): readonly Secret[] {
  return Object.values(settings).filter((value) => value instanceof Secret);
}

// ---- fields ----

interface Field extends TSchema, SettingWords {
  readonly 'x-input': SettingInput;
  readonly 'x-choices'?: Readonly<Record<string, string>>;
  readonly default?: unknown;
  readonly rule?: string;
}

function secretField(input: SettingInput, words: SettingWords & TextRules) {
  return Type.Unsafe<Secret>({ type: 'string', minLength: 1, 'x-input': input, 'x-secret': true, ...words });
}

function fieldsOf<S extends TObject>(kind: DestinationKind<S>): readonly (readonly [string, Field])[] {
  return Object.entries(kind.settings.properties) as unknown as [string, Field][];
}

function fieldOf<S extends TObject>(kind: DestinationKind<S>, name: string): Field | undefined {
  return fieldsOf(kind).find(([field]) => field === name)?.[1];
}

function isSecret(schema: Field): boolean {
  return 'x-secret' in schema;
}

/** The value as the schema should see it; undefined when nothing was given. */
function clean(schema: Field, value: unknown): unknown {
  if (value === null || value === undefined) return undefined;
  const text = isSecret(schema) && value instanceof Secret ? value.reveal() : value;
  if (typeof text !== 'string') return text;
  const trimmed = text.trim();
  if (trimmed === '') return undefined;
  return schema['x-input'] === 'url' && !trimmed.includes('://') ? `https://${trimmed}` : trimmed;
}

function schemaProblems<S extends TObject>(
  kind: DestinationKind<S>,
  values: Record<string, unknown>,
): SettingProblem[] {
  const missing = (kind.settings.required as readonly string[]).filter((name) => values[name] === undefined);
  const unknown = Object.keys(values).filter((name) => !fieldOf(kind, name));
  const wrong = Object.entries(values).flatMap(([field, value]) => {
    const schema = fieldOf(kind, field);
    const error = schema && Value.Errors(schema, value)[0];
    if (!error) return [];
    return [{ field, message: error.keyword === 'pattern' && schema.rule ? `must be ${schema.rule}` : error.message }];
  });
  return [
    ...missing.map((field) => ({ field, message: 'is required' })),
    ...unknown.map((field) => ({ field, message: `is not a setting of ${kind.title}` })),
    ...wrong,
  ];
}

/** What a schema cannot say: URLs, certificates and keys must be readable. */
function contentProblems<S extends TObject>(
  kind: DestinationKind<S>,
  values: Record<string, unknown>,
): SettingProblem[] {
  return fieldsOf(kind).flatMap(([field, schema]) => {
    const value = values[field];
    const message = typeof value === 'string' ? contentProblem(schema['x-input'], value) : undefined;
    return message === undefined ? [] : [{ field, message }];
  });
}

function contentProblem(input: SettingInput, value: string): string | undefined {
  switch (input) {
    case 'url': {
      const url = URL.parse(value);
      if (!url || !/^https?:$/.test(url.protocol)) return 'must be a URL that begins with https://';
      return url.username || url.password ? 'must not contain a user name or password' : undefined;
    }
    case 'certificate':
      // Certificates are shown again; a key pasted along with one would be too.
      if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(value)) return 'must not contain a private key';
      return isReadable(() => certificatesIn(value).map((pem) => new X509Certificate(pem)))
        ? undefined
        : 'must be a certificate in PEM form';
    case 'privateKey':
      return isReadable(() => createPrivateKey(value))
        ? undefined
        : 'must be a private key in PEM form, without passphrase';
    case 'text':
    case 'secret':
    case 'choice':
    case 'flag':
      return undefined;
    default:
      return input satisfies never;
  }
}

/** Each by itself: of a bundle, OpenSSL silently trusts only those before the first that it cannot read. */
function certificatesIn(bundle: string): readonly string[] {
  return bundle.split(/(?<=-----END [A-Z ]*CERTIFICATE-----)(?=\s*-----BEGIN)/);
}

function isReadable(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch {
    return false;
  }
}

import { hash } from 'node:crypto';
import { isIPv4 } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { LoggedEvent } from '../event/logged-event.ts';
import { EventTexts, type TextPath } from './event-texts.ts';
import { BadQuery, type EventQuery } from './search.ts';

/**
 * What a filter means, once for the index and for events in memory. Each searchable field has one normal form; a
 * filter becomes needles, and a field matches when its normal form between two NULs contains one of them: `\0x\0` is
 * "is x", `\0x` is "begins with x", `x` is "has x as a part".
 */
export interface Clause {
  readonly field: FieldName;
  readonly needles: readonly string[];
}

/** Clauses of one condition are alternatives; conditions must all hold. */
export type Condition = readonly Clause[];

export interface Field {
  readonly path: TextPath;
  /** The form in which values and needles are compared; undefined: the value cannot be found by this field. */
  readonly form: (value: string) => string | undefined;
  /** What `form` makes of ASCII without control characters: nothing, or lower case; absent: something else. */
  readonly ascii?: 'same' | 'lower';
}

const asIs = (value: string): string => value;
export const FIELDS = {
  category: { path: 'eventCategory', form: asIs, ascii: 'same' },
  type: { path: 'eventType', form: asIs, ascii: 'same' },
  status: { path: 'status', form: asIs, ascii: 'same' },
  actorId: { path: 'actor.id', form: idKey },
  actorEmail: { path: 'actor.email', form: fold, ascii: 'lower' },
  actorName: { path: 'actor.name', form: fold, ascii: 'lower' },
  targetId: { path: 'target.id', form: idKey },
  targetName: { path: 'target.name', form: fold, ascii: 'lower' },
  address: { path: 'context.ipAddress', form: addressKey },
  ipText: { path: 'context.ipAddress', form: fold, ascii: 'lower' },
  typeText: { path: 'eventType', form: fold, ascii: 'lower' },
  description: { path: 'description', form: fold, ascii: 'lower' },
} as const satisfies Record<string, Field>;

export type FieldName = keyof typeof FIELDS;

const TEXT_FIELDS = ['actorEmail', 'actorName', 'targetName', 'typeText', 'ipText', 'description'] as const;
const MOST_VALUES = 100;

const texts = new EventTexts();

/** The query as a test of one event. Throws BadQuery when a value cannot be used. */
export function compileQuery(query: EventQuery): (event: LoggedEvent) => boolean {
  const { from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY } = query;
  const conditions = conditionsOf(query);
  return (event) => {
    if (event.timestamp < from || event.timestamp >= to) return false;
    texts.read(event);
    return conditions.every((clauses) =>
      clauses.some(({ field, needles }) => {
        const form = formOf(field, texts.text(FIELDS[field].path));
        return form !== undefined && needles.some((needle) => `\0${form}\0`.includes(needle));
      }),
    );
  };
}

/** All of the query but its time range. Throws BadQuery when a value cannot be used. */
export function conditionsOf(query: EventQuery): readonly Condition[] {
  const is = (values: readonly string[], ...fields: FieldName[]): Condition =>
    fields.map((field) => ({ field, needles: values.map((value) => `\0${formOf(field, value) ?? ''}\0`) }));
  const conditions: Condition[] = [];
  const add = (path: string, values: readonly string[] | undefined, of: (values: readonly string[]) => Condition) => {
    if (values === undefined || values.length === 0) return;
    if (values.length > MOST_VALUES)
      throw new BadQuery(path, `At most ${MOST_VALUES} values of ${path} can be asked for`);
    conditions.push(of(values));
  };
  add('category', query.category, (values) => is(values, 'category'));
  add('eventType', query.eventType, (values) => is(values, 'type'));
  add('status', query.status, (values) => is(values, 'status'));
  add('actor', query.actor, (values) => is(values, 'actorId', 'actorEmail', 'actorName'));
  add('target', query.target, (values) => is(values, 'targetId', 'targetName'));
  add('ip', query.ip, (values) => [{ field: 'address', needles: values.flatMap(addressNeedles) }]);
  if (query.q) {
    const needles = [fold(clean(query.q))];
    conditions.push(TEXT_FIELDS.map((field) => ({ field, needles })));
  }
  return conditions;
}

/** A value's normal form; never contains NUL, which separates values. */
export function formOf(field: FieldName, value: string | undefined): string | undefined {
  return value ? FIELDS[field].form(clean(value)) : undefined;
}

/**
 * Ids compare exactly, except that one which is an e-mail address compares as those do. A long one is random and never
 * searched by part, so 96 bits of its hash stand for it: half the size in the index.
 */
function idKey(id: string): string {
  const value = id.includes('@') ? fold(id) : id;
  return value.length > 24 ? hash('sha256', value, 'base64url').slice(0, 16) : value;
}

/** Without case: Unicode lower case, both small sigmas alike, composed (NFC). */
function fold(text: string): string {
  return text.toLowerCase().replaceAll('ς', 'σ').normalize('NFC');
}

/** As ingest cleans events: a NUL or lone surrogate becomes U+FFFD. */
function clean(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\uFFFD');
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** `4` or `6` and the address in hex, so that a network is a prefix; `::ffff:a.b.c.d` is `a.b.c.d`. */
function addressKey(text: string): string | undefined {
  if (isIPv4(text)) return text.split('.').reduce((key, part) => key + HEX[Number(part)]!, '4');
  return ipaddr.IPv6.isValid(text) ? keyOf(ipaddr.process(text)) : undefined;
}

function keyOf(address: ipaddr.IPv4 | ipaddr.IPv6): string {
  return address.kind().slice(3) + Buffer.from(address.toByteArray()).toString('hex');
}

/** An address is one needle; a network is the prefixes it consists of: one, or up to eight when it cuts a hex digit. */
function addressNeedles(text: string): string[] {
  const whole = addressKey(text);
  if (whole !== undefined) return [`\0${whole}\0`];
  if (!ipaddr.IPv4.isValidCIDRFourPartDecimal(text) && !ipaddr.IPv6.isValidCIDR(text))
    throw new BadQuery('ip', 'Not an IP address or network (for example 10.0.0.7, 10.0.0.0/8 or 2001:db8::/32)');
  let [address, bits] = ipaddr.parseCIDR(text);
  if (address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() && bits >= 96) {
    address = address.toIPv4Address();
    bits -= 96;
  }
  const key = keyOf(address);
  const digits = 1 + Math.floor(bits / 4);
  if (bits % 4 === 0) return [`\0${key.slice(0, digits)}`];
  const size = 1 << (4 - (bits % 4));
  const lowest = Math.floor(Number.parseInt(key[digits]!, 16) / size) * size;
  return Array.from({ length: size }, (_, i) => `\0${key.slice(0, digits)}${(lowest + i).toString(16)}`);
}

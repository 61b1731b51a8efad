import { isIP } from 'node:net';
import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import type { NewEvent } from '../event/logged-event.ts';
import type { EventQuery } from './search.ts';

/** For tests: the rules of search written a second time, plainly, and random events and queries that meet often. */

const IDS = ['u-1', 'U-1', '01920000-aaaa-7bbb-8ccc-0123456789ab', '01920000-AAAA-7bbb-8ccc-0123456789ab', 'Ada@x.io'];
const EMAILS = ['ada@example.com', 'Ada@Example.com', 'grace.hopper+audit@navy.example', 'weiß@straße.example'];
const NAMES = ['Ada Lovelace', 'ADA LOVELACE', 'Jose\u0301 Niño', 'JOSÉ Niño', 'ΟΔΥΣΣΕΥΣ', 'İpek', '🦊 Fox', 'a.da'];
const ADDRESSES = [
  '10.0.0.1',
  '10.0.0.200',
  '10.9.0.1',
  '10.8.7.7',
  '::ffff:10.0.0.1',
  '2001:db8::1',
  '2001:DB8:0::2',
  'not an ip',
];
const TYPES = ['auth.login.success', 'Auth.Login.Success', 'user.created', 'gateway.blocked'];
const CATEGORIES = ['authentication', 'user_management', 'gateway'];
const TEXTS = ['Signed in from 10.0.0.1', 'Signed in: ΣΊΣΥΦΟΣ', 'Prompt blocked \uFFFD by policy', 'Signed out'];
const NETWORKS: Readonly<Record<string, string>> = {
  '10.0.0.0/8': '10.0.0.0/8',
  '10.0.0.0/25': '10.0.0.0/25',
  '10.0.0.130/25': '10.0.0.128/25',
  '10.9.0.1/15': '10.8.0.0/15',
  '10.0.0.200/32': '10.0.0.200/32',
  '0.0.0.0/0': '0.0.0.0/0',
  '::/0': '::/0',
  '2001:db8::/127': '2001:db8::/127',
  '2001:db8::/29': '2001:db8::/29',
  '::ffff:10.0.0.0/121': '10.0.0.0/25',
};

/** The usual time of event number `i`: one a second. */
export function at(i: number): number {
  return Date.parse('2026-01-01T00:00:00.000Z') + i * 1000;
}

/** Event number `i` of a team: the same for the same seed. Times are nearly in order, except in imports. */
export function randomEvent(team: string, seed: number, i: number): NewEvent {
  let state = (seed ^ (i * 2_654_435_761)) >>> 0;
  const random = (below: number): number => {
    state = (Math.imul(state ^ (state >>> 15), 2_246_822_519) + 3_266_489_917) >>> 0;
    return (state >>> 3) % below;
  };
  const pick = (values: readonly string[]): string => values[random(values.length)]!;
  const maybe = (values: readonly string[]): string | undefined => (random(4) === 0 ? undefined : pick(values));
  const timestamp = random(50) === 0 ? at(0) - random(10 ** 12) : at(i) - random(5000);
  const event = {
    timestamp: new Date(timestamp).toISOString(),
    id: `e-${i}`,
    version: '1.0',
    eventType: pick(TYPES),
    eventCategory: pick(CATEGORIES),
    status: random(7) === 0 ? 'failure' : 'success',
    description: maybe(TEXTS),
    actor: random(9) === 0 ? undefined : { id: maybe(IDS), type: 'user', name: maybe(NAMES), email: maybe(EMAILS) },
    target: random(3) === 0 ? undefined : { type: 'app', id: maybe(IDS), name: maybe(NAMES) },
    context: { teamId: team, ipAddress: maybe(ADDRESSES), requestId: `ada-${i}` },
  };
  const { id, eventType, eventCategory } = event;
  return {
    team,
    id,
    eventType,
    eventCategory,
    timestamp,
    hash: `${seed}-${i}`,
    json: spelled(JSON.stringify(event), i),
  };
}

/** Not all JSON is written in the one way that is read quickest. */
function spelled(json: string, i: number): string {
  return i % 3 === 0 ? json.replace('"version":"1.0"', '"version":"1\\u002e0"') : json;
}

const values = (of: readonly string[]): fc.Arbitrary<string[]> => fc.array(fc.constantFrom(...of), { maxLength: 3 });
const anyCase = (text: string): fc.Arbitrary<string> => fc.constantFrom(text, text.toUpperCase(), text.toLowerCase());
const part = fc
  .tuple(fc.constantFrom(...EMAILS, ...NAMES, ...ADDRESSES, ...TYPES, ...TEXTS, ...IDS), fc.nat(20), fc.nat(20))
  .chain(([text, start, length]) => anyCase(text.slice(start, start + length + 1)));
const time = fc.oneof(fc.integer({ min: -10, max: 9000 }).map(at), fc.constant(at(-20_000_000)));
const party = values([...IDS, ...EMAILS, ...NAMES, 'ADA@X.IO', 'ADA@EXAMPLE.COM', 'nobody', '']);

const filters: { readonly [K in keyof EventQuery]-?: fc.Arbitrary<NonNullable<EventQuery[K]>> } = {
  from: time,
  to: time,
  category: values([...CATEGORIES, 'none']),
  eventType: values([...TYPES, 'none']),
  status: fc.subarray(['success', 'failure']),
  actor: party,
  target: party,
  ip: values([...ADDRESSES.filter((address) => isIP(address)), ...Object.keys(NETWORKS)]),
  q: fc.oneof(part, fc.constantFrom('', '\0', '\uD83E', 'no such text', 'ss')),
};

/** Up to three filters at once: with more, hardly anything is found. */
export const anyQuery: fc.Arbitrary<EventQuery> = fc
  .tuple(fc.record(filters), fc.subarray(Object.keys(filters), { maxLength: 3 }))
  .map(([query, names]) => Object.fromEntries(Object.entries(query).filter(([name]) => names.includes(name))));

interface Parsed {
  timestamp: string;
  eventType: string;
  eventCategory: string;
  status: string;
  description?: string;
  actor?: { id?: string; email?: string; name?: string };
  target?: { id?: string; name?: string };
  context: { ipAddress?: string };
}

/** Whether the event belongs to the query's answer. */
export function holds(query: EventQuery, event: Parsed): boolean {
  const { actor, target } = event;
  const time = Date.parse(event.timestamp);
  const isId = (id: string | undefined, wanted: string): boolean =>
    id === wanted || (id?.includes('@') === true && lower(id) === lower(wanted));
  const isText = (text: string | undefined, wanted: string): boolean =>
    text !== undefined && lower(text) === lower(wanted);
  const any = (wanted: readonly string[] | undefined, is: (value: string) => boolean): boolean =>
    !wanted?.length || wanted.some(is);
  const texts = [actor?.email, actor?.name, target?.name, event.description, event.eventType, event.context.ipAddress];
  return (
    (query.from === undefined || time >= query.from) &&
    (query.to === undefined || time < query.to) &&
    any(query.category, (category) => category === event.eventCategory) &&
    any(query.eventType, (type) => type === event.eventType) &&
    any(query.status, (status) => status === event.status) &&
    any(query.actor, (w) => isId(actor?.id, w) || isText(actor?.email, w) || isText(actor?.name, w)) &&
    any(query.target, (w) => isId(target?.id, w) || isText(target?.name, w)) &&
    any(query.ip, (wanted) => isWithin(event.context.ipAddress, wanted)) &&
    (!query.q || texts.some((text) => text !== undefined && lower(text).includes(lower(query.q ?? ''))))
  );
}

function lower(text: string): string {
  return text
    .toWellFormed()
    .replace(/\0/g, '\uFFFD')
    .normalize('NFC')
    .toLowerCase()
    .normalize('NFC')
    .replace(/ς/g, 'σ');
}

function isWithin(text: string | undefined, wanted: string): boolean {
  if (text === undefined || isIP(text) === 0) return false;
  const address = ipaddr.process(text);
  const network = NETWORKS[wanted];
  if (network === undefined) return address.toString() === ipaddr.process(wanted).toString();
  const [range, bits] = ipaddr.parseCIDR(network);
  return address.kind() === range.kind() && address.match(range, bits);
}

import assert from 'node:assert/strict';
import { parseJson } from '../../../src/event/parse-json.ts';
import type { HttpApi } from '../../rig/http-api.ts';
import { type JsonNode, textOf } from './json-text.ts';
import { sameMeaning } from './oracle.ts';

/** Single events at the edges of what is taken, each with the answer it must get; those taken mean the same. */
export async function extremes(api: HttpApi, key: string): Promise<{ kept: Map<string, JsonNode>; sent: number }> {
  const kept = new Map<string, JsonNode>();
  const cases = extremeEvents();
  for (const { name, node, answer } of cases) {
    for (const type of ['application/json', 'application/x-ndjson']) {
      const { status, json, text } = await api.call('POST', '/v1/events', {
        ...{ key, body: textOf(node), headers: { 'content-type': type } },
      });
      const code: unknown = status === 422 ? json.rejected[0].code : json.code;
      const said = status === 200 ? 'taken' : code;
      assert.equal(said, answer, `${name} as ${type}: ${text.slice(0, 500)}`);
    }
    if (answer !== 'taken') continue;
    const found = await api.call('GET', `/v1/events/${name}`, { key });
    sameMeaning(node, parseJson(found.text), 'hostile');
    kept.set(name, node);
  }
  return { kept, sent: cases.length };
}

interface Extreme {
  readonly name: string;
  readonly node: JsonNode;
  readonly answer: 'taken' | 'too_deep' | 'event_too_large' | 'body_too_large' | 'team_mismatch';
}

function extremeEvents(): Extreme[] {
  const event = (name: string, metadata: JsonNode, answer: Extreme['answer']): Extreme => ({
    ...{ name, answer },
    node: {
      kind: 'object',
      entries: [
        ['id', { kind: 'text', text: name }],
        ['timestamp', { kind: 'text', text: '2026-01-15T10:30:00.123Z' }],
        ['eventType', { kind: 'text', text: 'auth.logout' }],
        ['metadata', { kind: 'object', entries: [['x', metadata]] }],
      ],
    },
  });
  const deep = (levels: number, of: 'array' | 'object'): Extreme =>
    // Two levels are the event's and its metadata's own.
    event(`deep-${of}-${levels}`, { kind: 'deep', levels, of }, levels + 2 > 64 ? 'too_deep' : 'taken');
  const text = (length: number, answer: Extreme['answer']): Extreme =>
    event(`text-${length}`, { kind: 'text', text: 'x'.repeat(length) }, answer);
  const keys = (count: number, answer: Extreme['answer']): Extreme =>
    event(
      `keys-${count}`,
      {
        kind: 'object',
        entries: Array.from({ length: count }, (_, i) => [`k${i}`, { kind: 'word', literal: 'true' }] as const),
      },
      answer,
    );
  const word = (literal: 'true' | 'null'): JsonNode => ({ kind: 'word', literal });
  /** Keys that every object inherits something by, in every object of the event. */
  const inherited = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty'].map((key): Extreme => {
    const own: JsonNode = { kind: 'object', entries: [['polluted', word('true')]] };
    const object = event(`key-${key}`, own, 'taken').node;
    if (object.kind !== 'object') throw new Error('an event is an object');
    const parts = ['actor', 'context', 'changes'].map(
      (name) => [name, { kind: 'object', entries: [[key, own]] } satisfies JsonNode] as const,
    );
    return {
      name: `key-${key}`,
      answer: 'taken',
      node: { kind: 'object', entries: [...object.entries, ...parts, [key, own]] },
    };
  });
  /** After the first of each pair V8's own parser would misread the second. */
  const misread = ['\\', '\n', '\\u0', '\u0001tü'].map((key): Extreme => {
    const metadata: JsonNode = {
      kind: 'object',
      entries: [
        ['h', word('true')],
        [key, word('true')],
      ],
    };
    return event(`escaped-${Buffer.from(key).toString('hex')}`, metadata, 'taken');
  });
  return [
    ...inherited,
    ...misread,
    ...[10, 62, 63, 100, 10_000, 100_000].flatMap((levels) => [deep(levels, 'array'), deep(levels, 'object')]),
    ...[text(200_000, 'taken'), text(300_000, 'event_too_large'), text(10 * 1024 * 1024, 'body_too_large')],
    ...[keys(15_000, 'taken'), keys(100_000, 'event_too_large')],
    event('digits', { kind: 'number', literal: '9'.repeat(250_000) }, 'taken'),
    event(
      'repeats',
      { kind: 'array', items: Array.from({ length: 60_000 }, () => ({ kind: 'number', literal: '1e0' })) },
      'taken',
    ),
  ];
}

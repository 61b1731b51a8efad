import { describe, expect, it } from 'vitest';
import type { Answer } from '../../outbound/outbound.ts';
import { Secret } from '../../secrets.ts';
import {
  type BulkFacts,
  classifyAuthenticate,
  classifyBulk,
  classifyPrivileges,
  isUnknownParameter,
} from './classify.ts';

const INDEX = 'logs-acme.audit-default';
const CREATED = { status: 201, result: 'created' };
const CONFLICT = refused(409, 'version_conflict_engine_exception', '[a]: version conflict, document already exists');
const UNPARSABLE = refused(
  400,
  'document_parsing_exception',
  "[1:42] failed to parse field [source.ip] of type [ip] in document with id 'a'. Preview of field's value: 'hush'",
);
const UNAUTHORIZED =
  'action [indices:data/write/bulk[s]] is unauthorized for API key id [k] of user [u] on indices [i], this action is granted by the index privileges [create_doc,create,index,write,all]';
const MAY_NOT_CREATE =
  'action [indices:admin/auto_create] is unauthorized for API key id [k] of user [u] on indices [i], this action is granted by the index privileges [auto_configure,create_index,manage,all]';

describe('a bulk answer', () => {
  it('is delivered when every item was created', () => {
    expect(bulk([CREATED, CREATED])).toEqual({ kind: 'delivered', status: 200 });
  });

  it.each([1, 2, 3])('is delivered when it says of each of 2 events, and no more, that it was created: %i', (count) => {
    const items = Array.from({ length: count }, () => ({ create: { status: 201 } }));
    const outcome = classifyBulk(answer(200, { errors: false, items }), facts(2));
    expect(outcome).toMatchObject({ kind: count === 2 ? 'delivered' : 'retry', status: 200 });
  });

  it('is delivered when an item is already there', () => {
    expect(bulk([CREATED, CONFLICT])).toEqual({ kind: 'delivered', status: 200 });
  });

  it('rejects what the failure store took, although it is reported as created', () => {
    const kept = { status: 201, _index: `.fs-${INDEX}-000001`, _id: 'new', failure_store: 'used' };
    const outcome = bulk([CREATED, kept], { errors: false });
    expect(outcome).toMatchObject({ kind: 'partial', again: [], rejected: [{ id: 'b' }] });
    expect(JSON.stringify(outcome)).toContain(`${INDEX}::failures`);
    expect(bulk(Array.from({ length: 20 }, () => kept))).toMatchObject({ kind: 'partial', again: [] });
  });

  it.each(['not_enabled', 'not_applicable_or_unknown'])('takes failure_store: %s for what the status says', (value) => {
    expect(bulk([{ ...CREATED, failure_store: value }])).toMatchObject({ kind: 'delivered' });
    expect(bulk([CREATED, { ...UNPARSABLE, failure_store: value }])).toMatchObject({ rejected: [{ id: 'b' }] });
  });

  it.each([
    'document_parsing_exception',
    'mapper_parsing_exception',
    'strict_dynamic_mapping_exception',
    'illegal_argument_exception',
  ])('rejects the event of an item refused with 400 %s', (type) => {
    expect(bulk([CREATED, refused(400, type, 'why'), CREATED])).toMatchObject({
      kind: 'partial',
      rejected: [{ id: 'b', reason: `Elasticsearch refused it: ${type}: why` }],
      again: [],
    });
  });

  it.each([
    [429, 'es_rejected_execution_exception', 'throttled'],
    [503, 'unavailable_shards_exception', 'server'],
    [503, 'no_shard_available_action_exception', 'server'],
    [500, 'null_pointer_exception', 'server'],
  ])('asks again for an item answered %i %s, after a pause', (status, type, pause) => {
    const outcome = bulk([CREATED, refused(status, type, 'later'), UNPARSABLE]);
    expect(outcome).toMatchObject({ kind: 'partial', again: ['b'], pause, rejected: [{ id: 'c' }] });
  });

  it.each([0, 100, 302, 600])('takes the status %i of an item for no verdict', (status) => {
    expect(bulk([CREATED, { status }])).toMatchObject({ kind: 'partial', rejected: [], again: ['b'], pause: 'server' });
  });

  it('is throttled or to be retried as a whole when every item is', () => {
    const busy = refused(429, 'es_rejected_execution_exception', 'busy');
    const down = refused(503, 'unavailable_shards_exception', 'down');
    expect(bulk([busy, down])).toMatchObject({ kind: 'throttled', status: 200 });
    expect(bulk([down, down])).toMatchObject({ kind: 'retry', cause: 'server', status: 200 });
  });

  it.each([
    ['permission', 403, 'security_exception', UNAUTHORIZED, 'create_doc'],
    ['permission', 403, 'security_exception', MAY_NOT_CREATE, 'auto_configure'],
    ['setting', 403, 'cluster_block_exception', 'index [i] blocked by: [FORBIDDEN/8/index write (api)];', 'block'],
    ['setting', 404, 'index_not_found_exception', 'no such index [i]', INDEX],
    ['setting', 400, 'invalid_index_name_exception', 'Invalid index name [I], must be lowercase', INDEX],
    ['setting', 400, 'illegal_argument_exception', 'pipeline with id [p] does not exist', 'pipeline'],
    ['setting', 400, 'validation_exception', 'Validation Failed: 1: this action would add [2] shards, but', 'shards'],
  ])('is misconfigured (%s) when an item is answered %i %s: %s', (cause, status, type, reason, fix) => {
    expect(bulk([CREATED, refused(status, type, reason)])).toMatchObject({
      kind: 'misconfigured',
      cause,
      fix: expect.stringContaining(fix),
      taken: ['a'],
    });
  });

  it('rejects every event by itself, even when all are refused: what a run of refusals means is not decided here', () => {
    expect(bulk([UNPARSABLE, UNPARSABLE])).toMatchObject({ rejected: [{ id: 'a' }, { id: 'b' }], again: [] });
  });

  it('may have been taken when it does not speak of every event', () => {
    expect(classifyBulk(answer(200, { errors: false, items: [{ create: CREATED }] }), facts(2))).toMatchObject({
      kind: 'retry',
      cause: 'server',
      uncertain: true,
    });
  });

  it.each([['<html>login</html>'], ['{"acknowledged":true}'], ['{"items":[{"create":{"st'], ['null'], ['']])(
    'is misconfigured, never delivered, when it is %s',
    (body) => {
      expect(classifyBulk(answer(200, body), facts(1))).toMatchObject({ kind: 'misconfigured', cause: 'setting' });
    },
  );

  it('lets a batch be split whose answer is too long to read, but not a single event', () => {
    const cut: Answer = { ...answer(200, '{"items":['), bodyCut: true };
    expect(classifyBulk(cut, facts(2))).toMatchObject({ kind: 'refused', tooLarge: true, uncertain: true });
    expect(classifyBulk(cut, facts(1))).toMatchObject({ kind: 'retry', uncertain: true });
  });

  it.each([
    ["Preview of field's value: 'hush'", 'failed to parse field [x] of type [ip]. '],
    ['failed to parse date field [hush] with format [strict_date]', ''],
    ['For input string: "hush"', ''],
    ["bytes can be at most 32766. The prefix of the first immense term is: '[104, 117]...', original message", ''],
  ])('does not repeat what a reason quotes of an event: %s', (quote, before) => {
    const shown = JSON.stringify(bulk([CREATED, refused(400, 'document_parsing_exception', before + quote)]));
    expect(shown).not.toMatch(/hush|104, 117/);
    expect(shown).toContain(before.trim());
  });
});

describe('the answer to a whole request', () => {
  it.each([
    [401, 'security_exception', 'unable to authenticate', { kind: 'misconfigured', cause: 'credential' }],
    [403, 'security_exception', UNAUTHORIZED, { kind: 'misconfigured', cause: 'permission' }],
    [404, 'index_not_found_exception', 'no such index', { kind: 'misconfigured', cause: 'setting' }],
    [400, 'x_content_parse_exception', 'unexpected end', { kind: 'refused' }],
    [406, 'media_type_header_exception', 'not supported', { kind: 'misconfigured', cause: 'setting' }],
    [415, 'media_type_header_exception', 'not supported', { kind: 'misconfigured', cause: 'setting' }],
    [429, 'es_rejected_execution_exception', 'busy', { kind: 'throttled' }],
    [429, 'circuit_breaking_exception', 'too much', { kind: 'throttled' }],
    [500, 'null_pointer_exception', 'oops', { kind: 'retry', cause: 'server', uncertain: true }],
    [503, 'cluster_block_exception', 'not initialized', { kind: 'retry', cause: 'server', uncertain: true }],
  ])('of %i %s', (status, type, reason, expected) => {
    expect(classifyBulk(answer(status, { error: { type, reason }, status }), facts(2))).toMatchObject(expected);
  });

  it.each([
    [413, { kind: 'refused', tooLarge: true }],
    [502, { kind: 'retry', cause: 'server', uncertain: true }],
    [504, { kind: 'retry', cause: 'server', uncertain: true }],
    [302, { kind: 'misconfigured' }],
    [404, { kind: 'misconfigured', cause: 'setting' }],
  ])('of %i without words', (status, expected) => {
    expect(classifyBulk(answer(status, ''), facts(2))).toMatchObject(expected);
  });

  it.each([
    'no handler found for uri [/x/i/_bulk] and method [POST]',
    'request [/i/_bulk] contains unrecognized parameter: [pipeline]',
  ])('of 400 “%s” is about the address, not about events', (reason) => {
    const error = { type: 'illegal_argument_exception', reason };
    expect(classifyBulk(answer(400, { error, status: 400 }), facts(1))).toMatchObject({
      kind: 'misconfigured',
      cause: 'setting',
    });
  });

  it('tells an unknown parameter of older releases from other refusals', () => {
    const unknown = 'request [/i/_bulk] contains unrecognized parameter: [include_source_on_error]';
    expect(isUnknownParameter(answer(400, { error: { type: 'illegal_argument_exception', reason: unknown } }))).toBe(
      true,
    );
    expect(isUnknownParameter(answer(400, { error: { type: 'illegal_argument_exception', reason: 'no' } }))).toBe(
      false,
    );
  });
});

describe('the check', () => {
  it('believes the name that Elasticsearch gives a key', () => {
    expect(classifyAuthenticate(answer(200, { username: 'u' }), facts(0))).toMatchObject({ kind: 'delivered' });
    expect(classifyAuthenticate(answer(200, 'ok'), facts(0))).toMatchObject({ kind: 'misconfigured' });
    expect(
      classifyAuthenticate(answer(401, { error: { type: 'security_exception', reason: 'no' } }), facts(0)),
    ).toMatchObject({ kind: 'misconfigured', cause: 'credential' });
  });

  it.each([400, 404, 405])('leaves it to the first delivery where the calls are unknown (%i)', (status) => {
    const unknown = answer(status, { error: 'no handler found for uri' });
    for (const classify of [classifyAuthenticate, classifyPrivileges])
      expect(classify(unknown, facts(0))).toMatchObject({
        kind: 'delivered',
        warning: expect.stringContaining('first'),
      });
  });

  it('leaves it to the first delivery where the same is answered to every call', () => {
    const same = answer(200, { took: 1, errors: false, items: [] });
    for (const classify of [classifyAuthenticate, classifyPrivileges])
      expect(classify(same, facts(0))).toMatchObject({ kind: 'delivered', warning: expect.stringContaining('first') });
  });

  it('does not take a web page for such a server', () => {
    expect(classifyAuthenticate(answer(404, '<html></html>'), facts(0))).toMatchObject({ kind: 'misconfigured' });
  });

  it.each([
    [{ create_doc: true, auto_configure: true }, { kind: 'delivered' }],
    [
      { create_doc: true, auto_configure: false },
      { kind: 'delivered', warning: expect.stringContaining('must exist') },
    ],
    [
      { create_doc: false, auto_configure: true },
      { kind: 'misconfigured', cause: 'permission' },
    ],
  ])('judges the privileges %o', (granted, expected) => {
    const said = answer(200, { has_all_requested: false, index: { [INDEX]: granted } });
    expect(classifyPrivileges(said, facts(0))).toMatchObject(expected);
  });
});

function refused(status: number, type: string, reason: string) {
  return { status, error: { type, reason } };
}

function facts(events: number): BulkFacts {
  const ids = Array.from({ length: events }, (_, i) => String.fromCodePoint(97 + i));
  return { siem: 'Elasticsearch', now: 0, secrets: [new Secret('api-key')], ids, index: INDEX };
}

function bulk(items: readonly object[], { errors = true } = {}) {
  return classifyBulk(
    answer(200, { took: 1, errors, items: items.map((create) => ({ create })) }),
    facts(items.length),
  );
}

function answer(status: number, body: unknown): Answer {
  return {
    kind: 'answer',
    status,
    headers: {},
    setCookies: [],
    body: typeof body === 'string' ? body : JSON.stringify(body),
    bodyCut: false,
  };
}

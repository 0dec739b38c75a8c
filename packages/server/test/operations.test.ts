import { readFile } from 'node:fs/promises';

import { encodeUtf8, OPCODE, type Request } from '@kayadb/codec';
import { describe, expect, test } from 'vitest';

import { MemoryEngine } from './support/memory-engine.ts';
import {
  addMember,
  client,
  CLIENT_TOKEN,
  del,
  get,
  operator,
  OPERATOR_TOKEN,
  put,
  scan,
  startTestNode,
} from './support/test-node.ts';

const MEMBERSHIP =
  'KAYA_MEMBERSHIP_UNAVAILABLE: this build runs a single node, so there is no membership to change; nothing was done';
const CLIENT_REFUSED = { kind: 'error', message: 'client credential required or invalid' };
const OPERATOR_REFUSED = { kind: 'error', message: 'operator credential required or invalid' };

describe('a node', () => {
  test('stores, reads, deletes and scans', async () => {
    await using world = await startTestNode(new MemoryEngine());
    const session = await world.connect();

    const answers = [
      await session.request(put('a/1', 'one')),
      await session.request(put('a/2', '')),
      await session.request(put('b/1', 'other')),
      await session.request(get('a/1')),
      await session.request(get('a/2')),
      await session.request(get('a/3')),
      await session.request(del('a/1')),
      await session.request(del('never/there')),
      await session.request(get('a/1')),
      await session.request(scan('a/')),
      await session.request(scan('')),
    ];

    expect(answers).toEqual([
      { kind: 'done' },
      { kind: 'done' },
      { kind: 'done' },
      { kind: 'value', value: encodeUtf8('one') },
      { kind: 'value', value: new Uint8Array(0) },
      { kind: 'not-found' },
      { kind: 'done' },
      { kind: 'done' },
      { kind: 'not-found' },
      { kind: 'items', items: [{ key: encodeUtf8('a/2'), value: new Uint8Array(0) }] },
      {
        kind: 'items',
        items: [
          { key: encodeUtf8('a/2'), value: new Uint8Array(0) },
          { key: encodeUtf8('b/1'), value: encodeUtf8('other') },
        ],
      },
    ]);
  });

  test('answers HELLO with its version, and refuses a later one', async () => {
    await using world = await startTestNode(new MemoryEngine());
    const session = await world.connect();

    const first = await session.request({ kind: 'hello', version: 1 });
    const later = await session.request({ kind: 'hello', version: 2 });
    const after = await session.request({ kind: 'health' });

    expect(first).toEqual({ kind: 'version', version: 1 });
    expect(later).toEqual({
      kind: 'invalid-argument',
      message: 'protocol version 2 is not supported; this server speaks 1',
    });
    expect(after).toEqual({ kind: 'role', role: 'leader' });
  });

  test('answers an unknown opcode with status 9 and stays', async () => {
    await using world = await startTestNode(new MemoryEngine());
    const session = await world.connect();

    session.sendBytes(Uint8Array.of(3, 0, 0, 0, 9, 1, 2));
    const answer = await session.next('health');
    const after = await session.request({ kind: 'health' });

    expect(answer).toEqual({
      kind: 'error',
      message: 'opcode 9 is not supported by this server; it knows 0 to 8, 18 and 19',
    });
    expect(after).toEqual({ kind: 'role', role: 'leader' });
  });

  test('says in STATS what a single node is', async () => {
    await using world = await startTestNode(new MemoryEngine());
    const session = await world.connect();
    await session.request(put('a', '1'));
    await session.request(put('b', '2'));

    const answer = await session.request({ kind: 'stats' });

    expect(answer.kind).toBe('text');
    const stats = JSON.parse(answer.kind === 'text' ? answer.text : '');
    expect(stats).toMatchObject({
      role: 'leader',
      term: 0,
      commit_index: 2,
      applied_index: 2,
      peer_count: 0,
      raft_groups: 1,
      drain: false,
      node: { node_id: 7, version: '0.0.0-test', mode: 'single', connections_open: 1, failed_attempts: 0 },
    });
    expect(stats.engine).toMatchObject({ put_count: 2, memtable_entries: 2, last_sequence: 2, sstable_count: 0 });
  });

  test('keeps every engine counter that v1 named', async () => {
    await using world = await startTestNode(new MemoryEngine());
    const session = await world.connect();

    const answer = await session.request({ kind: 'stats' });

    const { engine } = JSON.parse(answer.kind === 'text' ? answer.text : '');
    const names =
      'put_count get_count delete_count scan_count wal_bytes_written wal_fsync_count wal_fsync_total_us wal_fsync_max_us ' +
      'memtable_entries sstable_count last_sequence flush_total_us flush_max_us flush_count compaction_total_us ' +
      'compaction_max_us compaction_count block_cache_hits block_cache_misses recovery_duration_us get_total_us ' +
      'get_max_us scan_total_us scan_max_us';
    expect(Object.keys(engine)).toEqual(expect.arrayContaining(names.split(' ')));
  });

  test('has the very counters that the reference lists', async () => {
    const page = await readFile(new URL('../../../docs/reference/server.md', import.meta.url), 'utf8');
    const listed = /## STATS\n[^]*?```text\n(?<names>[^`]*)```/.exec(page)?.groups?.['names'] ?? '';
    await using world = await startTestNode(new MemoryEngine());
    const session = await world.connect();

    const answer = await session.request({ kind: 'stats' });

    const { engine } = JSON.parse(answer.kind === 'text' ? answer.text : '');
    expect(Object.keys(engine).toSorted()).toEqual(listed.trim().split(/\s+/).toSorted());
  });
});

/** Each request with which credentials it is served; what it answers then is in the third column. */
const requests: readonly (readonly [string, (token?: string) => Request, 'none' | 'client' | 'operator', unknown])[] = [
  ['hello', () => ({ kind: 'hello', version: 1 }), 'none', { kind: 'version', version: 1 }],
  ['put', (token) => put('k', 'v', token), 'client', { kind: 'done' }],
  ['get', (token) => get('k', token), 'client', { kind: 'not-found' }],
  ['delete', (token) => del('k', token), 'client', { kind: 'done' }],
  ['scan', (token) => scan('', token), 'client', { kind: 'items', items: [] }],
  ['health', () => ({ kind: 'health' }), 'none', { kind: 'role', role: 'leader' }],
  ['stats', (token) => ({ kind: 'stats', credential: client(token) }), 'client', { kind: 'text' }],
  ['add-member', (token) => addMember(token), 'operator', { kind: 'error', message: MEMBERSHIP }],
  [
    'remove-member',
    (token) => ({ kind: 'remove-member', id: 2, credential: operator(token) }),
    'operator',
    { kind: 'error', message: MEMBERSHIP },
  ],
  [
    'transfer-leader',
    (token) => ({ kind: 'transfer-leader', group: 0, target: 2, credential: operator(token) }),
    'operator',
    { kind: 'error', message: MEMBERSHIP },
  ],
  [
    'promote-learner',
    (token) => ({ kind: 'promote-learner', id: 2, credential: operator(token) }),
    'operator',
    { kind: 'error', message: MEMBERSHIP },
  ],
];

const RIGHT_TOKEN = { none: undefined, client: CLIENT_TOKEN, operator: OPERATOR_TOKEN };
const REFUSAL = { none: undefined, client: CLIENT_REFUSED, operator: OPERATOR_REFUSED };

describe.each(requests)('%s', (_name, build, required, granted) => {
  const tokens = { clientToken: CLIENT_TOKEN, operatorToken: OPERATOR_TOKEN };

  test('is served with the right credential', async () => {
    await using world = await startTestNode(new MemoryEngine(), tokens);
    const session = await world.connect();

    const answer = await session.request(build(RIGHT_TOKEN[required]));

    expect(answer).toMatchObject(granted as object);
  });

  test('is served to anyone when no token is configured', async () => {
    await using world = await startTestNode(new MemoryEngine());
    const session = await world.connect();

    const answer = await session.request(build());

    expect(answer).toMatchObject(granted as object);
  });

  test.each([
    ['without a credential', undefined],
    ['with a wrong one', 'client-secreT'],
    ['with an empty one', ''],
    ["with the other role's", required === 'operator' ? CLIENT_TOKEN : OPERATOR_TOKEN],
  ])('does what its role allows %s', async (_case, token) => {
    await using world = await startTestNode(new MemoryEngine(), tokens);
    const session = await world.connect();

    session.send(build(token));
    await world.clock.advanceAsync(100);
    const answer = await session.next(build().kind);

    expect(answer).toMatchObject(REFUSAL[required] ?? (granted as object));
    expect(world.engine.putCount + world.engine.deleteCount + world.engine.getCount).toBe(0);
  });
});

describe('arguments that can never succeed', () => {
  const longKey = 'k'.repeat(4_097);
  test.each([
    ['an empty key in put', put('', 'v'), 'the key is empty; keys have 1 to 4096 bytes'],
    ['an empty key in get', get(''), 'the key is empty; keys have 1 to 4096 bytes'],
    ['an empty key in delete', del(''), 'the key is empty; keys have 1 to 4096 bytes'],
    ['a key that is too long', put(longKey, 'v'), 'the key has 4097 bytes'],
    ['a key to read that is too long', get(longKey), 'the key has 4097 bytes'],
    ['a value that is too long', put('k', new Uint8Array(16 * 1024 * 1024 + 1)), 'the value has 16777217 bytes'],
    ['a prefix that is too long', scan(longKey), 'the prefix has 4097 bytes'],
  ])('%s is refused, and the connection stays', async (_case, request, message) => {
    await using world = await startTestNode(new MemoryEngine());
    const session = await world.connect();

    const answer = await session.request(request);
    const after = await session.request(put('fine', 'v'));

    expect(answer).toMatchObject({ kind: 'invalid-argument', message: expect.stringContaining(message) });
    expect(after).toEqual({ kind: 'done' });
    expect(world.engine.putCount).toBe(1);
  });

  test('the largest key and value are taken', async () => {
    await using world = await startTestNode(new MemoryEngine());
    const session = await world.connect();
    const key = 'k'.repeat(4_096);
    const value = new Uint8Array(16 * 1024 * 1024).fill(7);

    const stored = await session.request(put(key, value));
    const read = await session.request(get(key));

    expect(stored).toEqual({ kind: 'done' });
    expect(read.kind === 'value' && Buffer.compare(read.value, value)).toBe(0);
  });
});

describe('SCAN', () => {
  const rows = Array.from({ length: 6 }, (_, i) => ({ key: encodeUtf8(`row/${i}`), value: new Uint8Array(100) }));

  test('is answered up to the item limit, and refused above it', async () => {
    await using world = await startTestNode(new MemoryEngine(), { limits: { maxScanItems: 5 } });
    world.engine.load(rows.slice(0, 5));
    const session = await world.connect();

    const fits = await session.request(scan('row/'));
    world.engine.load(rows);
    const tooMany = await session.request(scan('row/'));

    expect(fits).toEqual({ kind: 'items', items: rows.slice(0, 5) });
    expect(tooMany).toEqual({
      kind: 'invalid-argument',
      message:
        'scan too large: more than 5 items start with this prefix, and v1 answers in one frame; scan longer prefixes one after the other',
    });
  });

  test('is answered up to the frame limit to the byte, and refused above it', async () => {
    // status and count, then two lengths, a five-byte key and a value of 100 bytes for each row
    const frameBytes = 6 + 6 * (8 + 5 + 100);
    await using exact = await startTestNode(new MemoryEngine(), { limits: { maxFrameBytes: frameBytes } });
    await using short = await startTestNode(new MemoryEngine(), { limits: { maxFrameBytes: frameBytes - 1 } });
    for (const { engine } of [exact, short]) engine.load(rows);

    const fits = await (await exact.connect()).request(scan(''));
    const tooLarge = await (await short.connect()).request(scan(''));

    expect(fits).toEqual({ kind: 'items', items: rows });
    expect(tooLarge).toMatchObject({
      kind: 'invalid-argument',
      message: expect.stringMatching(/^scan too large: more than 683 bytes/u),
    });
  });
});

test('opcodes of the tests are those of the wire', () => {
  expect(Object.keys(OPCODE)).toHaveLength(requests.length);
});

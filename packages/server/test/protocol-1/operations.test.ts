import { encodeUtf8, OPCODE, type Request } from '@kayadb/codec';
import { describe, expect, test } from 'vitest';

import {
  addMember,
  client,
  CLIENT_TOKEN,
  del,
  get,
  OPERATOR_TOKEN,
  promoteLearner,
  put,
  removeMember,
  scan,
  transferLeader,
} from '../support/requests-1.ts';
import { startTestDoor, type TestDoorOptions } from '../support/test-door.ts';

const CLIENT_REFUSED = { kind: 'error', message: 'client credential required or invalid' };
const OPERATOR_REFUSED = { kind: 'error', message: 'operator credential required or invalid' };

describe('version 1', () => {
  test('stores, reads, deletes and scans', async () => {
    await using world = await startTestDoor();
    const session = await world.connect1();

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

  test('answers HELLO with its version, and refuses a later one behind it', async () => {
    await using world = await startTestDoor();
    const session = await world.connect1();

    const first = await session.request({ kind: 'hello', version: 1 });
    const later = await session.request({ kind: 'hello', version: 2 });
    const after = await session.request({ kind: 'health' });

    expect(first).toEqual({ kind: 'version', version: 1 });
    expect(later).toEqual({
      kind: 'invalid-argument',
      message: 'protocol version 2 is agreed on in the first request of a connection; open another one',
    });
    expect(after).toEqual({ kind: 'role', role: 'leader' });
  });

  test('answers an unknown opcode with status 9 and stays', async () => {
    await using world = await startTestDoor();
    const session = await world.connect1();

    session.sendBytes(Uint8Array.of(3, 0, 0, 0, 9, 1, 2));
    const answer = await session.next('health');
    const after = await session.request({ kind: 'health' });

    expect(answer).toEqual({
      kind: 'error',
      message: 'opcode 9 is not supported by this server; it knows 0 to 8, 18 and 19',
    });
    expect(after).toEqual({ kind: 'role', role: 'leader' });
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
  [
    'add-member',
    (token) => addMember(token),
    'operator',
    { kind: 'text', text: 'membership change proposed at index 17' },
  ],
  [
    'remove-member',
    (token) => removeMember(3, token),
    'operator',
    { kind: 'text', text: 'membership removal proposed at index 17' },
  ],
  ['transfer-leader', (token) => transferLeader(0, 2, token), 'operator', { kind: 'done' }],
  [
    'promote-learner',
    (token) => promoteLearner(3, token),
    'operator',
    { kind: 'text', text: 'learner promote proposed at index 17' },
  ],
];

/** Of nodes 1, a voter, and 3, a learner: node 2 may be added. */
async function startSmallGroup(options: TestDoorOptions = {}): ReturnType<typeof startTestDoor> {
  const world = await startTestDoor(options);
  world.membership.members = [1, 3].map((node) => ({ node, isVoter: node === 1, isAnswering: true }));
  return world;
}

const RIGHT_TOKEN = { none: undefined, client: CLIENT_TOKEN, operator: OPERATOR_TOKEN };
const REFUSAL = { none: undefined, client: CLIENT_REFUSED, operator: OPERATOR_REFUSED };

describe.each(requests)('%s', (_name, build, required, granted) => {
  const tokens = { clientToken: CLIENT_TOKEN, operatorToken: OPERATOR_TOKEN };

  test('is served with the right credential', async () => {
    await using world = await startSmallGroup(tokens);
    const session = await world.connect1();

    const answer = await session.request(build(RIGHT_TOKEN[required]));

    expect(answer).toMatchObject(granted as object);
  });

  test('is served to anyone when no token is configured', async () => {
    await using world = await startSmallGroup();
    const session = await world.connect1();

    const answer = await session.request(build());

    expect(answer).toMatchObject(granted as object);
  });

  test.each([
    ['without a credential', undefined],
    ['with a wrong one', 'client-secreT'],
    ['with an empty one', ''],
    ["with the other role's", required === 'operator' ? CLIENT_TOKEN : OPERATOR_TOKEN],
  ])('does what its role allows %s', async (_case, token) => {
    await using world = await startSmallGroup(tokens);
    const session = await world.connect1();

    session.send(build(token));
    await world.clock.advanceAsync(100);
    const answer = await session.next(build().kind);

    expect(answer).toMatchObject(REFUSAL[required] ?? (granted as object));
    expect(world.replica.proposed.length + world.replica.getCount + world.membership.calls.length).toBe(0);
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
    await using world = await startTestDoor();
    const session = await world.connect1();

    const answer = await session.request(request);
    const after = await session.request(put('fine', 'v'));

    expect(answer).toMatchObject({ kind: 'invalid-argument', message: expect.stringContaining(message) });
    expect(after).toEqual({ kind: 'done' });
    expect(world.replica.proposed.length).toBe(1);
  });

  test('the largest key and value are taken', async () => {
    await using world = await startTestDoor();
    const session = await world.connect1();
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
    await using world = await startTestDoor({ limits: { maxScanItems: 5 } });
    for (const { key, value } of rows.slice(0, 5)) world.replica.load(key, value);
    const session = await world.connect1();

    const fits = await session.request(scan('row/'));
    world.replica.load(rows[5]!.key, rows[5]!.value);
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
    await using exact = await startTestDoor({ limits: { maxFrameBytes: frameBytes } });
    await using short = await startTestDoor({ limits: { maxFrameBytes: frameBytes - 1 } });
    for (const { replica } of [exact, short]) for (const { key, value } of rows) replica.load(key, value);

    const fits = await (await exact.connect1()).request(scan(''));
    const tooLarge = await (await short.connect1()).request(scan(''));

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

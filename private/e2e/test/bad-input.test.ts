/** What broken and hostile clients send to a live node: each gets an answer with a sentence, and the node serves on. */

import { MAX_FRAME_BYTES } from '@kayadb/codec';
import { DEFAULT_SERVER_LIMITS } from '@kayadb/server';
import { seededRandom, testSeed } from '@kayadb/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { runKayactl } from './support/processes.ts';
import { exchange, flood, frame, getFrame, putFrame, request, u32 } from './support/raw-connection.ts';
import { type Folder, openFolder } from './support/repository.ts';
import { ServerProcess } from './support/server-process.ts';

const TIMEOUT_MS = 60_000;
const MIB = 1024 * 1024;
const TOKEN = 'a-client-token-of-this-test';
const WITNESSES = 50;

const OK = 0;
const INVALID_ARGUMENT = 1;
const ERROR = 9;

const bytes = (text: string): Uint8Array => Buffer.from(text);

/** A node that already holds records, which must all be there in the end. */
class LiveNode implements AsyncDisposable {
  readonly folder: Folder;
  readonly server: ServerProcess;
  readonly #token: string | undefined;

  private constructor(folder: Folder, server: ServerProcess, token: string | undefined) {
    this.folder = folder;
    this.server = server;
    this.#token = token;
  }

  static async start(token?: string): Promise<LiveNode> {
    const folder = openFolder();
    const env = token === undefined ? {} : { KAYA_CLIENT_TOKEN: token };
    const node = new LiveNode(folder, await ServerProcess.start(folder.at('data'), { env }), token);
    await using client = node.server.connect(token);
    await client.pipeline(
      Array.from({ length: WITNESSES }, (_, i) => ({ kind: 'put', key: `witness/${i}`, value: `seen ${i}` })),
    );
    return node;
  }

  get port(): number {
    return this.server.port;
  }

  /** Whether it runs, takes a write, and has every record that it ever acknowledged. */
  async servesOn(): Promise<boolean> {
    await using client = this.server.connect(this.#token);
    await client.put('afterwards', 'written');
    let seen = 0;
    for await (const { key, value } of client.scan('witness/')) {
      const name = Buffer.from(key).toString();
      if (Buffer.from(value).toString() === `seen ${name.slice('witness/'.length)}`) seen++;
    }
    const isWritten = Buffer.from((await client.get('afterwards')) ?? []).toString() === 'written';
    return this.server.isRunning && isWritten && seen === WITNESSES;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.kill();
    this.folder[Symbol.dispose]();
  }
}

/** One for all tests of a suite: each asks whether it serves on, with everything that it ever acknowledged. */
function liveNode(): () => LiveNode {
  let node: LiveNode | undefined;
  beforeAll(async () => {
    node = await LiveNode.start();
  });
  afterAll(() => node?.[Symbol.asyncDispose]());
  return () => node!;
}

describe('a node that is sent a request it cannot take', { timeout: TIMEOUT_MS }, () => {
  const live = liveNode();

  test.each([
    ['an empty key', () => putFrame(bytes(''), bytes('v')), INVALID_ARGUMENT, /key.*1 to 4096|key.*empty/],
    ['a get of an empty key', () => getFrame(bytes('')), INVALID_ARGUMENT, /key.*1 to 4096|key.*empty/],
    ['a key over 4 KiB', () => putFrame(Buffer.alloc(4097, 'k'), bytes('v')), INVALID_ARGUMENT, /key.*4097.*4096/],
    [
      'a value over 16 MiB',
      () => putFrame(bytes('k'), Buffer.alloc(16 * MIB + 1)),
      INVALID_ARGUMENT,
      /16777217.*16777216/,
    ],
    ['an unknown opcode', () => frame(200, bytes('x')), ERROR, /opcode 200/],
    ['a payload shorter than it says', () => frame(1, u32(9), u32(9), bytes('k')), INVALID_ARGUMENT, /\w+ \w+/],
  ])('answers %s with a status and a sentence, and serves on', async (_what, makeBytes, status, sentence) => {
    const node = live();

    const answer = await request(node.port, makeBytes());

    expect(answer).toEqual({ status, text: expect.stringMatching(sentence) });
    expect(await node.servesOn()).toBe(true);
  });

  test('answers the requests behind one that it refused, on the same connection', async () => {
    const node = live();
    const refused = [putFrame(bytes(''), bytes('v')), putFrame(Buffer.alloc(4097, 'k'), bytes('v')), frame(99)];

    const answers = await exchange(node.port, Buffer.concat([...refused, getFrame(bytes('witness/7'))]));

    expect(answers.map(({ status }) => status)).toEqual([INVALID_ARGUMENT, INVALID_ARGUMENT, ERROR, OK]);
    expect(answers.at(-1)?.text).toBe('seen 7');
  });

  test('takes the largest key and the largest value', async () => {
    const node = live();
    const [key, value] = [Buffer.alloc(4096, 'k'), Buffer.alloc(16 * MIB, 'v')];

    const put = await request(node.port, putFrame(key, value));
    const got = await request(node.port, getFrame(key));

    expect(put.status).toBe(OK);
    expect(Buffer.from(got.text).equals(value)).toBe(true);
  });
});

describe('a node that is sent bytes that are no frame', { timeout: TIMEOUT_MS }, () => {
  const live = liveNode();

  test('says that a frame is over the limit, and hangs up before it has come', async () => {
    const node = live();

    const answers = await exchange(node.port, Buffer.concat([u32(MAX_FRAME_BYTES + 1), Buffer.alloc(MIB)]), 'wait');

    expect(answers).toEqual([{ status: INVALID_ARGUMENT, text: expect.stringContaining('limit of 67108864 bytes') }]);
    expect(await node.servesOn()).toBe(true);
  });

  test('says that a frame of no bytes is none, and hangs up', async () => {
    const node = live();

    const answers = await exchange(node.port, u32(0), 'wait');

    expect(answers).toEqual([{ status: INVALID_ARGUMENT, text: expect.stringMatching(/length|empty/) }]);
    expect(await node.servesOn()).toBe(true);
  });

  test.each([
    ['ends its side', 'end', ['seen 1']],
    // Who breaks the connection off does not wait for answers.
    ['breaks off', 'reset', []],
  ] as const)('takes nothing of a frame that is cut when the client %s', async (_what, after, texts) => {
    const node = live();
    const whole = getFrame(bytes('witness/1'));
    const cut = putFrame(bytes('half'), bytes('a value that never comes whole'));

    const answers = await exchange(node.port, Buffer.concat([whole, cut.subarray(0, cut.length - 5)]), after);
    await using client = node.server.connect();

    expect(answers.map(({ text }) => text).slice(0, texts.length)).toEqual(texts);
    expect(await client.get('half')).toBeUndefined();
    expect(await node.servesOn()).toBe(true);
  });

  test('outlives garbage of every length', async () => {
    const node = live();
    const random = seededRandom(testSeed());
    const garbage = Array.from({ length: 60 }, () => random.bytes(1 + random.int(5000)));

    const answers = await Promise.all(garbage.map((each) => exchange(node.port, each)));

    const statuses = new Set(answers.flat().map(({ status }) => status));
    expect([...statuses].filter((status) => status !== INVALID_ARGUMENT && status !== ERROR)).toEqual([]);
    expect(answers.flat().every(({ text }) => text.length > 10)).toBe(true);
    expect(await node.servesOn()).toBe(true);
  });

  test('tells a browser that this is not its protocol', async () => {
    const node = live();

    const answers = await exchange(node.port, bytes('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'), 'wait');

    expect(answers).toEqual([{ status: INVALID_ARGUMENT, text: expect.stringContaining('limit') }]);
    expect(await node.servesOn()).toBe(true);
  });
});

describe('a node that is flooded with connections', { timeout: TIMEOUT_MS }, () => {
  test('closes those beyond the limit of one address, and serves on when they have gone', async () => {
    await using node = await LiveNode.start();
    const limit = DEFAULT_SERVER_LIMITS.maxConnectionsPerAddress;
    const extra = 20;

    const closed = await flood(node.port, limit + extra, extra);

    expect(closed).toBe(extra);
    expect(await node.servesOn()).toBe(true);
  });
});

describe('a node with a client token', { timeout: TIMEOUT_MS }, () => {
  test.each([
    ['no token', undefined],
    ['a wrong token', 'not-the-token'],
    ['a token of the same length', 'b-client-token-of-this-test'],
    ['an empty token', ''],
  ])('refuses %s, writes nothing, and serves on', async (_what, token) => {
    await using node = await LiveNode.start(TOKEN);

    const put = await request(node.port, putFrame(bytes('witness/1'), bytes('overwritten'), token));
    const got = await request(node.port, getFrame(bytes('witness/1'), token));

    expect([put, got]).toEqual(
      [put, got].map(() => ({ status: ERROR, text: 'client credential required or invalid' })),
    );
    expect(await node.servesOn()).toBe(true);
    // What was said before an answer came has been read by now.
    expect(node.server.log.filter(({ event }) => event === 'auth.failed')).toHaveLength(2);
    expect(JSON.stringify(node.server.log)).not.toContain('not-the-token');
  });

  test('answers those who have it, and health without it', async () => {
    await using node = await LiveNode.start(TOKEN);

    const got = await request(node.port, getFrame(bytes('witness/1'), TOKEN));
    const health = await request(node.port, frame(5));

    expect(got).toEqual({ status: OK, text: 'seen 1' });
    expect(health).toEqual({ status: OK, text: 'leader' });
  });

  test('makes kayactl end with 4 and a hint, but not with the token', async () => {
    await using node = await LiveNode.start(TOKEN);
    const server = ['--server', node.server.address];

    const without = await runKayactl([...server, 'get', 'witness/1']);
    const wrong = await runKayactl([...server, 'get', 'witness/1'], { env: { KAYA_CLIENT_TOKEN: 'wrong-secret' } });
    const right = await runKayactl([...server, 'get', 'witness/1'], { env: { KAYA_CLIENT_TOKEN: TOKEN } });

    expect(without).toMatchObject({
      exitCode: 4,
      stderr: expect.stringMatching(/^ERROR: .*\nHINT: .*KAYA_CLIENT_TOKEN/),
    });
    expect(wrong).toMatchObject({ exitCode: 4, stderr: expect.not.stringContaining('wrong-secret') });
    expect(right).toMatchObject({ exitCode: 0, stdout: 'seen 1\n' });
  });
});

describe('kayactl against a live node', { timeout: TIMEOUT_MS }, () => {
  const live = liveNode();

  test.each([
    ['an empty key', ['put', '', 'v'], /^ERROR: the key is empty\nHINT: /],
    ['a key over 4 KiB', ['put', 'k'.repeat(4097), 'v'], /^ERROR: the key has 4097 bytes.*4096.*\nHINT: /],
    ['a flag that is none', ['put', 'k', 'v', '--fast'], /^ERROR: .*--fast.*\nHINT: /],
  ])('refuses %s with 4 and says what to do', async (_what, argv, stderr) => {
    const node = live();

    const refused = await runKayactl(['--server', node.server.address, ...argv]);

    expect(refused).toMatchObject({ exitCode: 4, stdout: '', stderr: expect.stringMatching(stderr) });
  });
});

/** The accepting side of links: who gets in, and what anybody else can do to it. */

import { concatBytes, decodeUtf8, encodeUtf8 } from '@kayadb/codec';
import { seededRandom, settle, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { BufferedConnection } from '../src/buffered-connection.ts';
import { DEFAULT_LISTENER_LIMITS } from '../src/limits.ts';
import type { Connection } from '../src/network.ts';
import { decodeGreeting } from '../src/peer/greeting.ts';
import type { PeerJudgement } from '../src/peer/peer-policy.ts';
import { frame, greetingBytes, PeerWorld, PORT, selfOf } from './peer-world.ts';

/** A dialer that says whatever a test wants, and keeps what it hears. */
async function dial(
  world: PeerWorld,
  node = 1,
): Promise<{ readonly connection: Connection; readonly heard: () => Uint8Array }> {
  const connection = await world.networkOf(node).dial({ host: 'x', port: PORT, timeoutMs: 1000 });
  const chunks: Uint8Array[] = [];
  connection.onData((chunk) => chunks.push(chunk));
  return { connection, heard: () => concatBytes(chunks) };
}

describe('PeerAcceptor', () => {
  test('answers a greeting and hands out frames of each node and stream, wherever they are cut', async () => {
    const random = seededRandom(testSeed());
    await using world = await PeerWorld.open({ nextChunkBytes: () => 1 + random.int(30) });
    const texts = Array.from({ length: 20 }, (_, i) => `${i}`.repeat(1 + random.int(90)));

    const { connection, heard } = await dial(world);
    connection.send(greetingBytes(1, { versions: { lowest: 1, highest: 1 } }));
    await settle();
    const snapshots = await dial(world);
    snapshots.connection.send(greetingBytes(1, { stream: 'snapshots' }));
    await settle();
    connection.send(concatBytes(texts.map(frame)));
    await settle();
    snapshots.connection.send(frame('chunk'));
    await settle();

    expect(decodeGreeting(heard())).toMatchObject({ verdict: 'accepted', sender: 2, addressee: 1, incarnation: 1002 });
    expect(world.takeLog()).toEqual([
      '1/messages in',
      '1/snapshots in',
      ...texts.map((text) => `1/messages ${text}`),
      '1/snapshots chunk',
    ]);
    expect(world.peers.map(({ version }) => version)).toEqual([1, 2]);
    expect(world.acceptor.counts).toEqual({ greeting: 0, open: 2 });
  });

  test('tells a dialer that the policy refuses why, and ends the connection', async () => {
    await using world = await PeerWorld.open();
    world.policy.judgement = { verdict: 'no-member', reason: 'node 7 is not in the group' };

    const { connection, heard } = await dial(world, 7);
    connection.send(greetingBytes(7));
    const reason = await connection.closed;
    await settle();

    expect(decodeGreeting(heard())).toMatchObject({
      verdict: 'no-member',
      reason: 'node 7 is not in the group',
      cluster: undefined,
      incarnation: 1,
      boot: 1,
      addresseeIncarnation: undefined,
    });
    expect(reason).toBeUndefined();
    expect(world.takeLog()).toEqual(['away KAYA_PEER_REFUSED']);
    expect(world.acceptor.counts).toEqual({ greeting: 0, open: 0 });
  });

  test.each([
    ['another node', { addressee: 3 }, 'other-node'],
    ['itself', { sender: 2 }, 'other-node'],
    ['versions that are too new', { versions: { lowest: 3, highest: 9 } }, 'no-common-version'],
  ] as const)('refuses a greeting for %s without asking the policy', async (_what, changes, verdict) => {
    await using world = await PeerWorld.open();

    const { connection, heard } = await dial(world);
    connection.send(greetingBytes(1, changes));
    await connection.closed;

    expect(decodeGreeting(heard())).toMatchObject({ verdict });
    expect(world.policy.judged).toEqual([]);
  });

  test.each([
    ['no greeting', encodeUtf8('GET / HTTP/1.1\r\n\r\n')],
    ['an answer', greetingBytes(1, { verdict: 'no-cluster' })],
    ['a greeting for nobody', greetingBytes(1, { addressee: undefined })],
    ['more than a greeting', concatBytes([greetingBytes(1), frame('too early')])],
  ])('gives no answer to %s', async (_what, bytes) => {
    await using world = await PeerWorld.open();

    const { connection, heard } = await dial(world);
    connection.send(bytes);
    const reason = await connection.closed;
    await settle();

    expect(reason?.code).toBe('KAYA_CONNECTION_LOST');
    expect(heard()).toHaveLength(0);
    expect(world.takeLog()).toEqual(['away KAYA_PEER_MALFORMED']);
    expect(world.policy.judged).toEqual([]);
  });

  test('is left with nothing by a dialer that goes after any number of bytes', async () => {
    await using world = await PeerWorld.open();
    const bytes = greetingBytes(1);

    for (let count = 0; count < bytes.length; count++) {
      const { connection } = await dial(world);
      connection.send(bytes.subarray(0, count));
      await settle();
      if (count % 2 === 0) connection.destroy();
      else await connection.close();
      await settle();
    }

    expect(new Set(world.takeLog())).toEqual(new Set(['away KAYA_PEER_REFUSED', 'away KAYA_CONNECTION_LOST']));
    expect(world.acceptor.counts).toEqual({ greeting: 0, open: 0 });
    expect(world.memory.openConnections(PORT)).toBe(0);
    expect(world.clock.pendingTimers).toBe(0);
  });

  test('gives up a dialer that feeds it byte by byte, at the time limit', async () => {
    await using world = await PeerWorld.open();
    const { connection } = await dial(world);

    for (const byte of greetingBytes(1).subarray(0, 40)) {
      connection.send(Uint8Array.of(byte));
      await world.clock.advanceAsync(249);
    }
    const before = world.acceptor.counts;
    await world.clock.advanceAsync(10_000 - 40 * 249);

    expect(before).toEqual({ greeting: 1, open: 0 });
    expect(world.takeLog()).toEqual(['away KAYA_HANDSHAKE_TIMEOUT']);
    expect(world.memory.openConnections(PORT)).toBe(0);
  });

  test('lets a node in while 500 dialers say nothing or go byte by byte, and frees them in time', async () => {
    await using world = await PeerWorld.open();
    for (let i = 0; i < 500; i++) {
      const { connection } = await dial(world, 9);
      if (i % 2 === 0) connection.send(greetingBytes(9).subarray(0, i % 70));
    }
    await settle();
    const waiting = world.acceptor.counts.greeting;

    world.link(1);
    await settle();
    const after = world.takeLog();
    await world.clock.advanceAsync(10_000);

    expect(waiting).toBe(64);
    expect(after).toContain('link 1 up with 2, version 2');
    expect(world.acceptor.counts).toEqual({ greeting: 0, open: 1 });
    expect(world.memory.openConnections(PORT)).toBe(1);
  });

  test('puts a new connection of a node in the place of its old one', async () => {
    await using world = await PeerWorld.open();
    const old = await dial(world);
    old.connection.send(greetingBytes(1));
    await settle();

    const next = await dial(world);
    next.connection.send(greetingBytes(1, { boot: 2 }));
    await settle();
    old.connection.send(frame('from the old one'));
    next.connection.send(frame('from the new one'));
    await settle();
    await next.connection.close();

    expect(world.takeLog()).toEqual([
      '1/messages in',
      '1/messages out KAYA_PEER_REPLACED',
      '1/messages in',
      '1/messages from the new one',
      '1/messages out undefined',
    ]);
    expect((await old.connection.closed)?.code).toBe('KAYA_CONNECTION_LOST');
  });

  test('tells at once when the connection of a node has ended, and how', async () => {
    await using world = await PeerWorld.open();
    world.link(1);
    world.link(3);
    await settle();
    world.takeLog();

    void world.links[0]?.close();
    await settle();
    world.memory.cut(PORT, '10.0.0.3');
    await settle();

    const log = world.takeLog();
    expect(log.filter((line) => line.includes('out'))).toEqual([
      '1/messages out undefined',
      '3/messages out KAYA_CONNECTION_LOST',
    ]);
  });

  test('ends a connection whose frame is too large, without waiting for it', async () => {
    await using world = await PeerWorld.open({}, { limits: { maxFrameBytes: 10 } });
    const { connection } = await dial(world);
    connection.send(greetingBytes(1));
    await settle();

    connection.send(frame('0123456789'));
    connection.send(frame('0123456789a').subarray(0, 4));
    await settle();

    expect(world.takeLog()).toEqual(['1/messages in', '1/messages 0123456789', '1/messages out KAYA_PEER_MALFORMED']);
  });

  test('hands out nothing while a peer is paused, not even what has come', async () => {
    await using world = await PeerWorld.open(
      {},
      {
        onPeer: (peer) => ({
          handleFrame: (bytes) => {
            world.log.push(decodeUtf8(bytes));
            peer.pause();
          },
          handleClosed: () => {},
        }),
      },
    );
    const { connection } = await dial(world);
    connection.send(greetingBytes(1));
    await settle();
    const peers = (): readonly string[] => [...world.log];

    connection.send(concatBytes(['a', 'b', 'c'].map(frame)));
    await settle();
    const first = peers();
    await settle();

    expect(first).toEqual(['a']);
    expect(peers()).toEqual(['a']);
  });

  test('goes on where a peer was paused', async () => {
    await using world = await PeerWorld.open();
    const { connection } = await dial(world);
    connection.send(greetingBytes(1));
    await settle();
    const [peer] = world.peers;

    peer?.pause();
    connection.send(concatBytes(['a', 'b'].map(frame)));
    await settle();
    const whilePaused = world.takeLog();
    peer?.resume();
    await settle();

    expect(whilePaused).toEqual(['1/messages in']);
    expect(world.takeLog()).toEqual(['1/messages a', '1/messages b']);
  });

  test('reads nothing behind a greeting while it is judged', async () => {
    await using world = await PeerWorld.open();
    let decide: (judgement: PeerJudgement) => void = () => {};
    world.policy.judgement = new Promise((resolve) => (decide = resolve));
    const { connection, heard } = await dial(world);
    connection.send(greetingBytes(1));
    await settle();

    connection.send(frame('too early'));
    await settle();
    const unread = connection.bufferedBytes;
    decide({ verdict: 'no-member', reason: '' });
    await connection.closed;

    expect(unread).toBe(frame('too early').length);
    expect(decodeGreeting(heard())).toMatchObject({ verdict: 'no-member' });
    expect(world.peers).toEqual([]);
  });

  test.each([
    ['other-directory', ['other-directory']],
    ['accepted', []],
  ] as const)(
    'of a dialer that has ended its side by then says only why it is refused: %s',
    async (verdict, answers) => {
      await using world = await PeerWorld.open();
      let decide: (judgement: PeerJudgement) => void = () => {};
      world.policy.judgement = new Promise((resolve) => (decide = resolve));
      const written: Uint8Array[] = [];
      // As a socket of TLS, which tells of the end also while it is paused.
      const connection: BufferedConnection = new BufferedConnection(
        {
          remoteAddress: { host: 'x', port: 1 },
          write: (bytes, onWritten) => {
            written.push(bytes);
            onWritten();
          },
          pause: () => {},
          resume: () => {},
          end: () => connection.handleClosed(),
          destroy: () => {},
          afterTurn: queueMicrotask,
        },
        DEFAULT_LISTENER_LIMITS,
        world.clock,
      );
      world.acceptor.accept(connection);
      connection.handleData(greetingBytes(1));
      await settle();

      connection.handleEnd();
      await settle();
      decide({ verdict, reason: '' });
      await settle();

      expect(written.map((bytes) => decodeGreeting(bytes).verdict)).toEqual(answers);
      expect(world.takeLog()).toEqual(['away KAYA_PEER_REFUSED']);
      expect(world.acceptor.counts).toEqual({ greeting: 0, open: 0 });
    },
  );

  test('does not let in a dialer that left while it was judged, or was judged for too long', async () => {
    await using world = await PeerWorld.open();
    let decide: (judgement: PeerJudgement) => void = () => {};
    world.policy.judgement = new Promise((resolve) => (decide = resolve));
    const leaving = await dial(world);
    leaving.connection.send(greetingBytes(1));
    const waiting = await dial(world, 3);
    waiting.connection.send(greetingBytes(3));
    await settle();

    leaving.connection.destroy();
    await settle();
    const heldBefore = world.acceptor.counts;
    await world.clock.advanceAsync(10_000);
    decide({ verdict: 'accepted', reason: '' });
    await settle();

    // A paused connection does not notice that the other side has gone; its place is held until the time limit at the most.
    expect(heldBefore.greeting).toBeLessThanOrEqual(2);
    expect(world.peers).toEqual([]);
    expect(world.acceptor.counts).toEqual({ greeting: 0, open: 0 });
  });

  test('closes what it has and takes nothing more', async () => {
    await using world = await PeerWorld.open();
    const { connection } = await dial(world);
    connection.send(greetingBytes(1));
    const half = await dial(world, 3);
    await settle();

    await world.acceptor.close();
    const late = await dial(world, 4);

    expect(await connection.closed).toBeUndefined();
    expect((await half.connection.closed)?.code).toBe('KAYA_CONNECTION_LOST');
    expect((await late.connection.closed)?.code).toBe('KAYA_CONNECTION_LOST');
    expect(world.takeLog()).toContain('1/messages out undefined');
  });

  test('says who it is also when its cluster changes', async () => {
    await using world = await PeerWorld.open();
    world.policy.current = { ...selfOf(2), cluster: undefined };
    world.policy.judgement = { verdict: 'no-cluster', reason: '' };
    const early = await dial(world);
    early.connection.send(greetingBytes(1));
    await settle();
    world.policy.current = selfOf(2);
    world.policy.judgement = { verdict: 'accepted', reason: '' };

    const late = await dial(world);
    late.connection.send(greetingBytes(1));
    await settle();

    expect(decodeGreeting(early.heard())).toMatchObject({ cluster: undefined, verdict: 'no-cluster' });
    expect(decodeGreeting(late.heard())).toMatchObject({ cluster: selfOf(2).cluster, verdict: 'accepted' });
  });
});

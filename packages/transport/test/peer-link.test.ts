/** Links between nodes: how they come up, what they carry first, what they drop, and how they come back. */

import { concatBytes, decodeUtf8 } from '@kayadb/codec';
import { settle } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import type { Connection } from '../src/network.ts';
import { TransportError } from '../src/transport-error.ts';
import { ACCEPTOR, frame, greetingBytes, PeerWorld, PORT, TestPolicy } from './peer-world.ts';

/** What the accepting node says of itself. */
function answerBytes(verdict: 'accepted' | 'no-cluster' = 'accepted', sender = ACCEPTOR): Uint8Array {
  return greetingBytes(sender, { addressee: 1, verdict });
}

/** A listener in place of a node: what it does with each connection is the test's business. */
async function listenRaw(world: PeerWorld, onConnection: (connection: Connection) => void): Promise<void> {
  await world.memory.listen({ host: '0.0.0.0', port: PORT, onConnection });
}

describe('PeerLink', () => {
  test('comes up by itself and carries frames in order', async () => {
    await using world = await PeerWorld.open();

    const link = world.link(1);
    const before = link.state;
    await settle();
    for (const text of ['a', 'b', 'c']) link.send(frame(text), 'normal');
    await settle();

    expect(before).toBe('connecting');
    expect(link.state).toBe('up');
    expect(world.takeLog()).toEqual([
      '1/messages in',
      'link 1 up with 2, version 2',
      '1/messages a',
      '1/messages b',
      '1/messages c',
    ]);
    expect(link.counts).toEqual({ queuedFrames: 0, queuedBytes: 0, droppedFrames: 0, connections: 1 });
  });

  test('joins what one turn sends into one write, the urgent frames first', async () => {
    const world = new PeerWorld();
    const chunks: string[] = [];
    await listenRaw(world, (connection) => {
      connection.onData(() => {
        connection.onData((chunk) => chunks.push(decodeUtf8(chunk).replaceAll(/[^a-z0-9]/g, '')));
        connection.send(answerBytes());
      });
    });
    const link = world.link(1);
    await settle();

    link.send(frame('append1'), 'normal');
    link.send(frame('append2'), 'normal');
    link.send(frame('heartbeat'), 'urgent');
    await settle();

    expect(chunks).toEqual(['heartbeatappend1append2']);
    await world[Symbol.asyncDispose]();
  });

  test('lets urgent frames overtake what waits for a slow node, but for a window of bytes', async () => {
    await using world = await PeerWorld.open();
    const link = world.link(1, { limits: { windowBytes: 1000, silenceMs: 0 } });
    await settle();
    world.takeLog();
    world.memory.hold(PORT);

    for (let i = 0; i < 10; i++) link.send(frame(`append ${i} ${'x'.repeat(400)}`), 'normal');
    await settle();
    link.send(frame('heartbeat'), 'urgent');
    world.memory.release(PORT);
    await settle();

    const order = world.takeLog().map((line) => line.replace('1/messages ', '').split(' x')[0]);
    expect(order).toEqual([
      ...[0, 1, 2].map((i) => `append ${i}`),
      'heartbeat',
      ...[3, 4, 5, 6, 7, 8, 9].map((i) => `append ${i}`),
    ]);
  });

  test('keeps urgent frames until it is up, and refuses normal ones', async () => {
    await using world = await PeerWorld.open();
    const link = world.link(1);

    const taken = [link.send(frame('vote'), 'urgent'), link.send(frame('append'), 'normal')];
    await settle();

    expect(taken).toEqual([true, false]);
    expect(world.takeLog()).toContain('1/messages vote');
    expect(link.counts.droppedFrames).toBe(1);
  });

  test('says so when its queue is full', async () => {
    await using world = await PeerWorld.open();
    const link = world.link(1, { limits: { windowBytes: 1, maxFrames: 3 } });
    await settle();
    world.memory.hold(PORT);
    link.send(frame('in flight'), 'normal');
    await settle();

    const taken = Array.from({ length: 5 }, (_, i) => link.send(frame(`${i}`), 'normal'));
    world.memory.release(PORT);
    await settle();

    expect(taken).toEqual([true, true, true, false, false]);
    expect(world.takeLog().filter((line) => /messages \d$/.test(line))).toEqual(
      [0, 1, 2].map((i) => `1/messages ${i}`),
    );
  });

  test('comes back after it was lost, and again, waiting longer each time', async () => {
    await using world = await PeerWorld.open();
    world.link(1);
    await settle();
    await world.stopListening();
    world.takeLog();
    const startMs = world.clock.now();
    const attempts: number[] = [];

    world.memory.cut(PORT);
    for (let step = 0; step < 400; step++) {
      await world.clock.advanceAsync(10);
      for (const line of world.takeLog())
        if (line.startsWith('link 1 failed')) attempts.push(world.clock.now() - startMs);
    }
    await world.listen();
    await world.clock.advanceAsync(1000);

    expect(attempts).toEqual([50, 150, 350, 750, 1550, 2550, 3550]);
    expect(world.takeLog()).toContain('link 1 up with 2, version 2');
    expect(world.links[0]?.counts.connections).toBe(2);
  });

  test('does not say on a new connection what waited for the old one', async () => {
    await using world = await PeerWorld.open();
    const link = world.link(1, { limits: { windowBytes: 1 } });
    await settle();
    world.memory.hold(PORT);
    for (const text of ['in flight', 'stale', 'stale too']) link.send(frame(text), 'normal');
    await settle();

    world.memory.cut(PORT);
    world.memory.release(PORT);
    await world.clock.advanceAsync(50);
    link.send(frame('fresh'), 'normal');
    await settle();

    const said = world.takeLog().filter((line) => line.startsWith('1/messages') && !/ (?:in|out .*)$/.test(line));
    expect(said).toEqual(['1/messages fresh']);
    expect(link.counts.droppedFrames).toBe(2);
  });

  test('keeps no connection that comes up while it is closed', async () => {
    await using world = await PeerWorld.open();
    const policy = new TestPolicy(1);
    const link = world.link(1, { policy });
    let closing: Promise<void> | undefined;
    policy.judgeAnswer = () => {
      closing = link.close();
      return 'proceed';
    };

    await settle();
    await closing;

    expect(link.state).toBe('closed');
    expect(world.memory.openConnections(PORT)).toBe(0);
    expect(world.takeLog().filter((line) => line.startsWith('link'))).toEqual([]);
  });

  test('tells of a lost connection at once, with the reason', async () => {
    await using world = await PeerWorld.open();
    world.link(1);
    world.link(3);
    await settle();
    world.takeLog();

    world.memory.cut(PORT, '10.0.0.1');
    await world.peers[1]?.close();
    await settle();

    const log = world.takeLog().filter((line) => line.startsWith('link'));
    expect(log).toEqual(['link 1 down KAYA_CONNECTION_LOST', 'link 3 down KAYA_CONNECTION_LOST']);
  });

  test('hurries again only after a connection that lasted', async () => {
    await using world = await PeerWorld.open();
    const link = world.link(1);
    await settle();
    const waits: number[] = [];
    const loseAndMeasure = async (): Promise<void> => {
      world.memory.cut(PORT);
      await settle();
      const lostAt = world.clock.now();
      while (link.state !== 'up') await world.clock.advanceAsync(1);
      waits.push(world.clock.now() - lostAt);
    };

    for (let i = 0; i < 3; i++) await loseAndMeasure();
    await world.clock.advanceAsync(1000);
    await loseAndMeasure();

    expect(waits).toEqual([50, 100, 200, 50]);
  });

  test.each([
    ['no-cluster', 'waiting', 50],
    ['no-member', 'waiting', 5000],
    ['removed', 'stopped', undefined],
  ] as const)('after the answer %s it is %s', async (verdict, state, retryMs) => {
    await using world = await PeerWorld.open();
    world.policy.judgement = { verdict, reason: 'because' };

    const link = world.link(1);
    await settle();
    const after = link.state;
    world.policy.judgement = { verdict: 'accepted', reason: '' };
    await world.clock.advanceAsync((retryMs ?? 100_000) - 1);
    const early = link.state;
    await world.clock.advanceAsync(1);

    expect([after, early]).toEqual([state, state]);
    expect(link.state).toBe(retryMs === undefined ? 'stopped' : 'up');
    expect(world.takeLog()).toContain(
      retryMs === undefined ? `link 1 stopped KAYA_PEER_REFUSED ${verdict}` : 'link 1 failed KAYA_PEER_REFUSED',
    );
  });

  test('does not take the word of another node', async () => {
    const world = new PeerWorld();
    const answers = [
      answerBytes('accepted', 3),
      greetingBytes(ACCEPTOR, { addressee: 7 }),
      answerBytes('no-cluster', 3),
    ];
    await listenRaw(world, (connection) => {
      const answer = answers.shift();
      connection.onData(() => answer !== undefined && connection.send(answer));
    });

    const link = world.link(1);
    for (let i = 0; i < 3; i++) await world.clock.advanceAsync(50 * 2 ** i);

    expect(world.takeLog()).toEqual([
      'link 1 failed KAYA_PEER_MALFORMED',
      'link 1 failed KAYA_PEER_MALFORMED',
      'link 1 failed KAYA_PEER_REFUSED',
    ]);
    expect(link.counts.connections).toBe(0);
    await world[Symbol.asyncDispose]();
  });

  test('comes up in the end whatever number of bytes of an answer comes before the end', async () => {
    const world = new PeerWorld();
    const answer = answerBytes();
    let count = 0;
    await listenRaw(world, (connection) => {
      connection.onData(() => {
        connection.onData(() => {});
        connection.send(answer.subarray(0, count));
        if (count === answer.length) return;
        if (count % 2 === 0) void connection.close();
        else
          void connection
            .drained()
            .then(async () => settle())
            .then(() => connection.destroy());
        count++;
      });
    });

    const link = world.link(1);
    while (link.state !== 'up' && world.clock.now() < 200_000) await world.clock.advanceAsync(1000);

    expect(link.state).toBe('up');
    expect(world.takeLog()).toEqual([
      ...Array.from({ length: answer.length }, () => 'link 1 failed KAYA_CONNECTION_LOST'),
      'link 1 up with 2, version 2',
    ]);
    await world[Symbol.asyncDispose]();
  });

  test.each([
    ['nobody answers the greeting', new Uint8Array(0), 'link 1 failed KAYA_HANDSHAKE_TIMEOUT', 5000],
    ['the answer comes in drips', answerBytes().subarray(0, 20), 'link 1 failed KAYA_HANDSHAKE_TIMEOUT', 5000],
    ['the answer is nonsense', frame('hello'), 'link 1 failed KAYA_PEER_MALFORMED', 0],
    ['more than an answer comes', concatBytes([answerBytes(), frame('x')]), 'link 1 failed KAYA_PEER_MALFORMED', 0],
  ])('gives an attempt up when %s', async (_what, bytes, line, afterMs) => {
    const world = new PeerWorld();
    await listenRaw(world, (connection) => connection.onData(() => connection.send(bytes)));

    world.link(1);
    await settle();
    await world.clock.advanceAsync(afterMs);

    expect(world.takeLog()).toEqual([line]);
    expect(world.memory.openConnections(PORT)).toBe(0);
    await world[Symbol.asyncDispose]();
  });

  test('ends a connection on which something comes behind the answer', async () => {
    const world = new PeerWorld();
    let far: Connection | undefined;
    await listenRaw(world, (connection) => {
      far = connection;
      connection.onData(() => connection.send(answerBytes()));
    });
    world.link(1);
    await settle();
    world.takeLog();

    far?.send(frame('x'));
    await settle();

    expect(world.takeLog()).toEqual(['link 1 down KAYA_PEER_MALFORMED']);
    await world[Symbol.asyncDispose]();
  });

  test('goes to a new address at once, whatever it was doing', async () => {
    await using world = await PeerWorld.open();
    const elsewhere = { host: 'node-2.example', port: 9999 };
    const link = world.link(1, { address: elsewhere });
    await settle();
    const lost = link.state;

    link.setAddress({ host: 'node-2.example', port: PORT });
    await settle();
    const found = link.state;
    link.setAddress({ host: 'node-2.example', port: PORT });
    const same = link.state;
    link.setAddress(elsewhere);
    await settle();

    expect([lost, found, same, link.state]).toEqual(['waiting', 'up', 'up', 'waiting']);
    expect(world.takeLog()).toContain('link 1 down KAYA_CONNECTION_DESTROYED');
  });

  test('tries at once when it is told that the node is there', async () => {
    const world = new PeerWorld();
    const link = world.link(1);
    await settle();
    await world.listen();

    link.retryNow();
    await settle();
    link.retryNow();

    expect(link.state).toBe('up');
    await world[Symbol.asyncDispose]();
  });

  test('gives up a connection on which everything vanishes, when nothing is heard of the node', async () => {
    await using world = await PeerWorld.open();
    const link = world.link(1);
    await settle();
    world.takeLog();
    world.memory.hold(PORT);

    for (let ms = 0; ms < 3000; ms += 100) {
      link.send(frame('heartbeat'), 'urgent');
      await world.clock.advanceAsync(100);
    }
    const after = world.takeLog();
    world.memory.release(PORT);
    await settle();

    expect(after).toEqual(['link 1 down KAYA_PEER_SILENT']);
    expect(world.takeLog()).toContain('link 1 up with 2, version 2');
    expect(link.state).toBe('up');
    expect(link.counts.connections).toBe(2);
  });

  test.each([
    ['it is heard', true, 100],
    ['nothing more is sent', false, 3000],
  ])('keeps a connection to a node that sends nothing on it, while %s', async (_what, isHeard, everyMs) => {
    await using world = await PeerWorld.open();
    const link = world.link(1);
    await settle();

    for (let ms = 0; ms < 12_000; ms += everyMs) {
      link.send(frame('x'), 'urgent');
      if (isHeard) link.noteHeard();
      await world.clock.advanceAsync(everyMs);
    }

    expect(link.counts.connections).toBe(1);
  });

  test('connects anew when it is told to, and drops what waited', async () => {
    await using world = await PeerWorld.open();
    const link = world.link(1, { limits: { windowBytes: 1 } });
    await settle();
    world.memory.hold(PORT);
    for (let i = 0; i < 3; i++) link.send(frame(`${i}`), 'normal');
    await settle();

    link.reconnect(new TransportError('KAYA_PEER_SILENT', 'for a reason'));
    world.memory.release(PORT);
    await settle();
    link.send(frame('fresh'), 'normal');
    await settle();

    expect(link.counts).toMatchObject({ connections: 2, droppedFrames: 2 });
    expect(world.takeLog().at(-1)).toBe('1/messages fresh');
  });

  test('sends what waits before it closes, but not for ever', async () => {
    await using world = await PeerWorld.open();
    const [quick, slow] = [world.link(1), world.link(3)];
    await settle();
    world.memory.hold(PORT, '10.0.0.3');
    quick.send(frame('last word'), 'normal');
    slow.send(frame('never'), 'normal');
    const startMs = world.clock.now();
    const closedAt: number[] = [];

    const closing = [quick, slow].map(async (link) =>
      link.close().then(() => closedAt.push(world.clock.now() - startMs)),
    );
    await world.clock.advanceAsync(5000);
    await Promise.all(closing);

    expect(closedAt).toEqual([0, 1000]);
    expect(world.takeLog()).toContain('1/messages last word');
    expect(quick.send(frame('too late'), 'urgent')).toBe(false);
    expect([quick.state, slow.state]).toEqual(['closed', 'closed']);
  });

  test.each(['connecting', 'waiting'])('closes while it is %s, and leaves no timer', async (state) => {
    const world = new PeerWorld();
    const link = world.link(1);
    if (state === 'waiting') await settle();
    const before = link.state;

    await link.close();
    await settle();

    expect(before).toBe(state);
    expect(world.clock.pendingTimers).toBe(0);
    expect(world.takeLog()).toEqual(state === 'waiting' ? ['link 1 failed KAYA_DIAL_FAILED'] : []);
  });

  test('greets with what the node is at that moment', async () => {
    await using world = await PeerWorld.open();
    const policy = new TestPolicy(1);
    policy.current = { ...policy.current, cluster: undefined };
    world.link(1, { policy });
    await settle();
    policy.current = { ...policy.current, cluster: 'ab'.repeat(16) };

    world.memory.cut(PORT);
    await world.clock.advanceAsync(50);

    expect(world.policy.judged.map(({ cluster }) => cluster)).toEqual([undefined, 'ab'.repeat(16)]);
  });

  test('runs the same way twice', async () => {
    const run = async (): Promise<readonly string[]> => {
      await using world = await PeerWorld.open({ nextChunkBytes: () => 7 });
      const links = [1, 3, 4].map((node) => world.link(node));
      for (let round = 0; round < 20; round++) {
        for (const link of links) link.send(frame(`round ${round}`), round % 3 === 0 ? 'urgent' : 'normal');
        if (round % 7 === 3) world.memory.cut(PORT, `10.0.0.${1 + (round % 4)}`);
        await world.clock.advanceAsync(40);
      }
      return world.takeLog();
    };

    expect(await run()).toEqual(await run());
  });
});

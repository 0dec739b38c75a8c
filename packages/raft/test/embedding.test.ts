/**
 * A cluster of nodes that are put together as a server puts them together (embedding/): the log is the only log, the applied index is in the data's own step, a snapshot is
 * many files that travel beside the messages. Shows that the interfaces are enough for it.
 */

import { seededRandom, testSeed, VirtualClock } from '@kayadb/testkit';
import { crashClone, MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import type { NodeId } from '../src/core/types.ts';
import { FRAME_KIND } from '../src/wire/frame-format.ts';
import { type Carry, CHUNK_BYTES, EmbeddedNode, type Stream, WINDOW_BYTES } from './embedding/embedded-node.ts';

const IDS = [1, 2, 3];

interface Carried {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly stream: Stream;
  readonly bytes: Uint8Array;
}

class Ring {
  readonly clock = new VirtualClock();
  readonly nodes = new Map<NodeId, EmbeddedNode>();
  readonly disks = new Map<NodeId, MemoryFileSystem>();
  readonly #random = seededRandom(testSeed());
  /** What is on its way on the streams for snapshots, in order. */
  snapshots: Carried[] = [];
  /** Whether those streams stand still. */
  isHeld = false;
  /** Nothing reaches it, and nothing comes from it. */
  cut: NodeId | undefined;

  async start(id: NodeId, firstGroup?: readonly NodeId[]): Promise<EmbeddedNode> {
    const disk = this.disks.get(id) ?? new MemoryFileSystem();
    this.disks.set(id, disk);
    const node = await EmbeddedNode.open({ id, disk, clock: this.clock, carry: this.#carry, firstGroup });
    this.nodes.set(id, node);
    return node;
  }

  node(id: NodeId): EmbeddedNode {
    return this.nodes.get(id)!;
  }

  async lead(id: NodeId): Promise<EmbeddedNode> {
    this.node(id).node.campaign();
    await this.ticks(2);
    expect(this.node(id).node.status().role).toBe('leader');
    return this.node(id);
  }

  async ticks(count: number): Promise<void> {
    for (let at = 0; at < count; at++) {
      await this.clock.advanceAsync(100);
      await this.drain();
    }
  }

  /** Lets the streams for snapshots run, up to so many pieces. @returns How many there were. */
  async drain(maxCount = Infinity): Promise<number> {
    let count = 0;
    while (!this.isHeld && count < maxCount) {
      const next = this.snapshots.shift();
      if (next === undefined) break;
      count++;
      this.#deliver(next);
      await this.clock.advanceAsync(0);
    }
    return count;
  }

  /** Writes `count` rows, over and over the same hundred keys. */
  async write(leader: EmbeddedNode, count: number, what: string): Promise<void> {
    for (let at = 0; at < count; at += 10) {
      const done = Array.from({ length: 10 }, (_, i) => leader.put(`key ${(at + i) % 100}`, `${what} ${at + i}`));
      await this.ticks(1);
      await Promise.all(done);
    }
  }

  /** The power of one node goes. */
  powerLoss(id: NodeId): void {
    this.node(id).kill();
    this.nodes.delete(id);
    this.disks.set(
      id,
      crashClone(this.disks.get(id)!, { kind: 'nothing-unsynced' }, () => this.#random.next()),
    );
  }

  async close(): Promise<void> {
    for (const node of this.nodes.values()) await node.close();
  }

  readonly #carry: Carry = (from, to, stream, bytes) => {
    const carried = { from, to, stream, bytes: Uint8Array.from(bytes) };
    if (stream === 'snapshots') this.snapshots.push(carried);
    else queueMicrotask(() => this.#deliver(carried));
  };

  #deliver({ from, to, stream, bytes }: Carried): void {
    if (from !== this.cut && to !== this.cut) this.nodes.get(to)?.receive(from, stream, bytes);
  }
}

/** Three nodes, of which 1 leads and has written enough for a snapshot; the third has been away. */
async function openRing(): Promise<Ring> {
  const ring = new Ring();
  for (const id of IDS) await ring.start(id, IDS);
  const leader = await ring.lead(1);
  await ring.write(leader, 20, 'first');
  ring.cut = 3;
  await ring.write(leader, 200, 'while 3 was away');
  expect(leader.events.some(({ kind }) => kind === 'log-compacted')).toBe(true);
  return ring;
}

function expectEqual(ring: Ring, ids: readonly NodeId[] = IDS): void {
  const [first, ...others] = ids.map((id) => ring.node(id).store.rows);
  expect(first!.size).toBe(100);
  for (const other of others) expect(other).toEqual(first);
}

describe('nodes put together as a server does', { timeout: 60_000 }, () => {
  test('bring one that was away up to date by files, in pieces, while heartbeats and writes go on', async () => {
    const ring = await openRing();
    ring.cut = undefined;
    ring.isHeld = true;
    await ring.ticks(3);
    const leader = ring.node(1);
    const { term } = leader.node.status();
    let most = 0;
    for (let at = 0; at < 2000 && leader.shipper.progress.size > 0; at++) {
      if (at % 60 === 0) await ring.write(leader, 10, 'meanwhile');
      ring.isHeld = false;
      await ring.drain(1);
      ring.isHeld = true;
      most = Math.max(most, ring.snapshots.filter(isChunk).length * CHUNK_BYTES);
    }
    ring.isHeld = false;
    await ring.ticks(5);

    expectEqual(ring);
    expect(ring.node(3).events.filter(({ kind }) => kind === 'snapshot-installed').length).toBeGreaterThan(0);
    expect(leader.node.status().term).toBe(term);
    // Of some thousand bytes.
    expect(most).toBeGreaterThan(CHUNK_BYTES);
    expect(most).toBeLessThanOrEqual(WINDOW_BYTES);
    await ring.close();
  });

  test('take up a transfer where it was when the power of the receiver goes in the middle', async () => {
    const ring = await openRing();
    ring.cut = undefined;
    ring.isHeld = true;
    await ring.ticks(3);
    const leader = ring.node(1);
    ring.isHeld = false;
    for (let at = 0; at < 40; at++) await ring.drain(1);
    ring.isHeld = true;
    const before = leader.shipper.progress.get(3)!;

    ring.snapshots = [];
    ring.powerLoss(3);
    await ring.start(3);
    const sizes: number[] = [];
    for (let at = 0; at < 100 && ring.node(3).events.every(({ kind }) => kind !== 'snapshot-installed'); at++) {
      ring.isHeld = false;
      for (const { to, bytes } of ring.snapshots) if (to === 3) sizes.push(bytes.length);
      await ring.ticks(1);
    }
    await ring.ticks(5);

    expect(before.arrivedBytes).toBeGreaterThan(WINDOW_BYTES);
    expect(sum(sizes)).toBeLessThan(before.totalBytes);
    expectEqual(ring);
    await ring.close();
  });

  test.each(['adopt', 'installSnapshot', 'restore'] as const)(
    'have all rows when the power of the receiver goes in the middle of %s',
    async (step) => {
      const ring = await openRing();
      const { store, node } = ring.node(3);
      const place = step === 'installSnapshot' ? node : store;
      const reached: string[] = [];
      Object.defineProperty(place, step, {
        value: () => {
          reached.push(step);
          return new Promise(() => {});
        },
      });
      ring.cut = undefined;
      for (let at = 0; at < 50 && reached.length === 0; at++) await ring.ticks(1);
      expect(reached).toEqual([step]);

      ring.powerLoss(3);
      await ring.start(3);
      await ring.ticks(30);
      await ring.write(ring.node(1), 10, 'afterwards');

      expectEqual(ring);
      expect(ring.node(3).events.filter(({ kind }) => kind === 'node-failed')).toEqual([]);
      await ring.close();
    },
  );

  test('grow by a node that begins with nothing', async () => {
    const ring = await openRing();
    await ring.start(4);

    const change = ring.node(1).node.proposeConfigChange({
      transition: 'auto',
      steps: [{ kind: 'add-learner', node: 4 }],
      context: new Uint8Array(0),
    });
    await ring.ticks(40);

    expect((await change).configuration.learners).toEqual([4]);
    expectEqual(ring, [1, 2, 4]);
    await ring.close();
  });

  test('keep the files of a snapshot while they are sent, and no longer', async () => {
    const ring = await openRing();
    ring.cut = undefined;
    ring.isHeld = true;
    await ring.ticks(3);
    const leader = ring.node(1);
    const names = async (): Promise<string[]> =>
      (await ring.disks.get(1)!.readDirectory('/data/snapshots')).map(({ name }) => name);
    const sent = await names();
    await ring.write(leader, 200, 'more');
    const during = await names();

    ring.isHeld = false;
    await ring.ticks(20);
    await ring.write(leader, 200, 'still more');

    expect(during).toContain(sent[0]);
    expect(during.length).toBeGreaterThan(1);
    expect(await names()).toHaveLength(1);
    expectEqual(ring);
    await ring.close();
  });
});

/** Its kind is the tenth byte of a frame. */
function isChunk({ bytes }: Carried): boolean {
  return bytes[9] === FRAME_KIND['snapshot-chunk'];
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

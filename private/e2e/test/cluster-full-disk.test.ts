/**
 * A disk that is full, first under one follower and then under the leader, while clients write: each node has a small disk of its own. What was acknowledged stays, what is refused is refused
 * with the typed error, and all is well again by itself when there is space.
 */

import { rmSync, statfsSync, writeFileSync } from 'node:fs';

import { type Client, ClientError, connect } from '@kayadb/client';
import { publishFigures, realTime, timeoutFor } from '@kayadb/testkit';
import { describe, expect, onTestFinished, test } from 'vitest';

import { ClusterProcesses } from './support/cluster/cluster-processes.ts';
import { readSettled } from './support/cluster/settled-contents.ts';
import { mountingIsRefused, mountSmallDisk, type SmallDisk } from './support/tmpfs.ts';

const DISK_MIB = 160;
const VALUE_BYTES = 64 * 1024;
/** Enough for a node with a full disk to have found that out. */
const WRITTEN_COUNT = 40;
/** Of a write that is expected to be refused. */
const SHORT_MS = 3000;
const RESULTS = new URL('../results/', import.meta.url);

/** Takes all the space that is left, to the last block. */
function fill(disk: SmallDisk): void {
  const { bavail, bsize } = statfsSync(disk.path);
  writeFileSync(disk.at('filler'), Buffer.alloc(bavail * bsize, 1));
}

function free(disk: SmallDisk): void {
  rmSync(disk.at('filler'));
}

class Writer {
  /** Keys that were acknowledged. */
  readonly acknowledged: string[] = [];
  readonly refusals: ClientError[] = [];
  readonly #client: Client;
  #count = 0;

  constructor(client: Client) {
    this.#client = client;
  }

  /** One write; whether it was acknowledged. */
  async write(deadlineMs?: number): Promise<boolean> {
    const key = `disk/${this.#count++}`;
    try {
      await this.#client.put(key, valueOf(key), deadlineMs === undefined ? {} : { deadlineMs });
      this.acknowledged.push(key);
      return true;
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      this.refusals.push(error);
      return false;
    }
  }

  /** Writes until so many were refused, each with a short deadline. */
  async refusedNext(count: number): Promise<readonly ClientError[]> {
    const before = this.refusals.length;
    while (this.refusals.length < before + count) await this.write(SHORT_MS);
    return this.refusals.slice(before);
  }

  async writeMany(count: number): Promise<void> {
    for (let done = 0; done < count; done++) await this.write();
  }
}

/** Not compressible, and another for each key. */
function valueOf(key: string): Buffer {
  let state = Buffer.from(key).reduce((hash, byte) => Math.imul(hash ^ byte, 0x01000193) >>> 0, 0x811c9dc5);
  const value = Buffer.alloc(VALUE_BYTES);
  for (let at = 0; at < VALUE_BYTES; at += 4) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    value.writeUInt32LE(state, at);
  }
  return value;
}

/** Three times in a row. */
function saysFull(refusals: readonly ClientError[]): boolean {
  return refusals.length === 3 && refusals.every(({ code }) => code === 'KAYA_DISK_FULL');
}

async function leaderOf(cluster: ClusterProcesses): Promise<number> {
  for (;;) {
    const leader = await cluster.findLeader();
    if (leader !== undefined) return leader;
  }
}

/** Writes until one is acknowledged while another node leads: one without room hands over, and gets no leadership back that it keeps. */
async function untilAnotherTakesWrites(cluster: ClusterProcesses, writer: Writer, before: number): Promise<number> {
  for (;;) {
    const isTaken = await writer.write(SHORT_MS);
    const leader = await leaderOf(cluster);
    if (isTaken && leader !== before) return leader;
  }
}

/** Every acknowledged value on every node, by its own account, all with the same rows. */
async function expectAll(cluster: ClusterProcesses, acknowledged: readonly string[]): Promise<void> {
  const left = [0, 1, 2].map(() => new Set(acknowledged));
  const damaged: string[] = [];
  const nodes = await readSettled(cluster.addresses, (place, key, value) => {
    if (value !== valueOf(key).toString()) damaged.push(`${place}: ${key}`);
    left[place]!.delete(key);
  });
  expect(damaged).toEqual([]);
  expect(left.map((keys) => [...keys])).toEqual([[], [], []]);
  expect(new Set(nodes.map(({ hash }) => hash)).size).toBe(1);
}

describe('a cluster with a full disk (skipped where mounting is refused)', { timeout: timeoutFor(300_000) }, () => {
  test.skipIf(mountingIsRefused)(
    'serves with one under a follower, goes on without a leader that has one, refuses with two, and recovers by itself',
    async () => {
      const disks = [0, 1, 2].map(() => mountSmallDisk(DISK_MIB));
      // Registered before the nodes are, so that they are gone when this runs.
      onTestFinished(() => disks.forEach((disk) => disk[Symbol.dispose]()));
      await using cluster = await ClusterProcesses.start({
        nodeCount: 3,
        dataFolderOf: (place) => disks[place]!.at('data'),
      });
      await using client = connect(cluster.addresses);
      const writer = new Writer(client);
      await writer.writeMany(WRITTEN_COUNT);
      const leader = await leaderOf(cluster);
      const follower = (leader + 1) % 3;

      // One follower.
      fill(disks[follower]!);
      await writer.writeMany(WRITTEN_COUNT);
      const withFollower = [...writer.refusals];
      free(disks[follower]!);
      await expectAll(cluster, writer.acknowledged);

      // The leader.
      const before = await leaderOf(cluster);
      fill(disks[before]!);
      await writer.writeMany(WRITTEN_COUNT);
      const after = await untilAnotherTakesWrites(cluster, writer, before);
      const withLeader = writer.refusals.slice(withFollower.length);
      free(disks[before]!);
      await expectAll(cluster, writer.acknowledged);

      // Two followers: nothing can be acknowledged, and the leader can not know why. Then all: each says so.
      const [leads, ...others] = [after, (after + 1) % 3, (after + 2) % 3];
      for (const place of others) fill(disks[place]!);
      const withMajority = await writer.refusedNext(2);
      fill(disks[leads]!);
      // What was on its way when the last disk became full may end as unknown.
      const withAll: ClientError[] = [];
      while (!saysFull(withAll.slice(-3))) withAll.push(...(await writer.refusedNext(1)));
      const freedMs = realTime.now();
      for (const disk of disks) free(disk);
      while (!(await writer.write())) continue;
      const recoveryMs = Math.round(realTime.now() - freedMs);
      await writer.writeMany(WRITTEN_COUNT);
      await expectAll(cluster, writer.acknowledged);

      expect(withFollower.map(String)).toEqual([]);
      const allowed = ['KAYA_DISK_FULL', 'KAYA_UNKNOWN_OUTCOME', 'KAYA_DEADLINE'];
      const refused = [...withLeader, ...withMajority, ...withAll];
      expect(
        refused.filter(({ code, message }) => !allowed.some((each) => `${code} ${message}`.includes(each))),
      ).toEqual([]);
      expect(cluster.deaths).toEqual([]);
      publishFigures(
        'full-disk',
        {
          'acknowledged writes': writer.acknowledged.length,
          'lost writes': 0,
          'refused with a full follower': withFollower.length,
          'refused with a full leader': withLeader.length,
          'recovery ms': recoveryMs,
        },
        RESULTS,
      );
    },
  );
});

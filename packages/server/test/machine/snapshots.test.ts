/** Snapshots of a machine: made, sent, taken over, and what a crash leaves of it. */

import { openEngine } from '@kayadb/engine';
import type { PinnedSnapshot, Snapshot } from '@kayadb/raft';
import { seededRandom, testSeed } from '@kayadb/testkit';
import { type FileSystem, isNotFound } from '@kayadb/vfs';
import { crashClones, FaultyFileSystem, MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import type { Command } from '../../src/machine/command.ts';
import type { KayaMachine } from '../../src/machine/kaya-machine.ts';
import { decodeSnapshotData, encodeSnapshotData } from '../../src/machine/snapshot-data.ts';
import { between, CONFIGURATION, entriesOf, GROUP, MachineWorld, snapshotAt } from './machine-world.ts';
import { randomCommands } from './random-commands.ts';

const COUNT = 200;
const STAGED = `${GROUP}/snapshot.partial/files`;

function randomEntries(seed: number, count = COUNT): ReturnType<typeof entriesOf> {
  const commands: (Command | undefined)[] = [...randomCommands(seededRandom(seed), count)];
  return entriesOf(commands);
}

function pointAt(index: number): Parameters<KayaMachine['snapshot']>[0] {
  return { index, term: 1, configuration: CONFIGURATION };
}

async function namesIn(fs: FileSystem, path: string): Promise<readonly string[]> {
  try {
    return (await fs.readDirectory(path)).map(({ name }) => name);
  } catch (error) {
    if (isNotFound(error)) return [];
    throw error;
  }
}

/** As a transfer does it: every byte through the pin, to a folder of the other disk. */
async function send(pinned: PinnedSnapshot, to: FileSystem): Promise<void> {
  for (const folder of [`${GROUP}/snapshot.partial`, STAGED]) {
    await to.makeDirectory(folder);
    await to.syncDirectory(folder.slice(0, folder.lastIndexOf('/')));
  }
  for (const [file, { name, bytes }] of pinned.files.entries()) {
    const handle = await to.open(`${STAGED}/${name}`, 'create');
    const buffer = new Uint8Array(Math.max(1, bytes));
    const read = await pinned.read(file, buffer, 0);
    expect(read).toBe(bytes);
    await handle.write(buffer.subarray(0, read), 0);
    await handle.sync();
    await handle.close();
  }
  await to.syncDirectory(STAGED);
}

async function sendAndClose(machine: KayaMachine, snapshot: Snapshot, to: FileSystem): Promise<void> {
  const pinned = await machine.pin(snapshot);
  await send(pinned, to);
  pinned.unpin();
}

/** As the installer does it when everything has come. */
async function adopt(machine: KayaMachine, snapshot: Snapshot): Promise<void> {
  await machine.adopt(snapshot, STAGED, decodeSnapshotData(snapshot.data));
}

/** Sizes of the files of a snapshot, together. */
function bytesOf({ data }: Snapshot): number {
  return decodeSnapshotData(data).reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Rows of a machine that has applied `entries` up to `index` and nothing else. */
async function rowsAfter(entries: ReturnType<typeof entriesOf>, index: number): Promise<readonly string[]> {
  const world = await MachineWorld.create();
  const machine = await world.open();
  await machine.apply(between(entries, 1, index), index);
  await machine.close();
  return await world.rows();
}

/** A leader that has made a snapshot of 150. */
async function leaderWithSnapshot(seed: number): Promise<{
  readonly entries: ReturnType<typeof entriesOf>;
  readonly leader: KayaMachine;
  readonly snapshot: Snapshot;
}> {
  const entries = randomEntries(seed);
  const leader = await (await MachineWorld.create(new MemoryFileSystem(), { seed: 5 })).open();
  await leader.apply(between(entries, 1, 150), 150);
  const snapshot = snapshotAt(150, await leader.snapshot(pointAt(150)));
  await leader.apply(between(entries, 151, COUNT), COUNT);
  return { entries, leader, snapshot };
}

describe('a snapshot', { timeout: 120_000 }, () => {
  test('is of the moment of the call, whatever is applied while it is made', async () => {
    const entries = randomEntries(testSeed());
    const fs = new MemoryFileSystem();
    const world = await MachineWorld.create(fs);
    const machine = await world.open();
    await machine.apply(between(entries, 1, 90), 95);

    const making = machine.snapshot(pointAt(95));
    await machine.apply(between(entries, 96, COUNT), COUNT);
    const data = await making;

    const options = { fileSystem: fs, log: 'external' } as const;
    await using copy = await openEngine(`${GROUP}/snapshots/95`, options);
    expect(copy.durableIndex).toBe(95);
    expect(decodeSnapshotData(data).map(({ name }) => name)).toEqual(
      expect.arrayContaining(['CURRENT', expect.stringMatching(/\.sst$/)]),
    );
  });

  test('takes the place of another state, and the log goes on from there', async () => {
    const { entries, leader, snapshot } = await leaderWithSnapshot(testSeed());
    const fs = new MemoryFileSystem();
    const world = await MachineWorld.create(fs);
    const follower = await world.open();
    await follower.apply(between(entries, 1, 20), 20);
    await sendAndClose(leader, snapshot, fs);

    await adopt(follower, snapshot);
    await follower.restore(snapshot);

    expect([follower.appliedIndex, follower.durableIndex]).toEqual([150, 150]);
    await follower.apply(between(entries, 151, COUNT), COUNT);
    expect(follower.timeMs).toBe(leader.timeMs);
    expect(follower.sessionCount).toBe(leader.sessionCount);
    await follower.close();
    expect(await world.rows()).toEqual(await rowsAfter(entries, COUNT));
    expect(await namesIn(fs, GROUP)).toEqual(['snapshot.partial', 'snapshots', 'store-150']);
    expect(world.warnings).toEqual([]);
  });

  test('makes as much log worth keeping as it has bytes itself, and a fifth of the room at the most', async () => {
    const fs = new MemoryFileSystem();
    const machine = await (await MachineWorld.create(fs)).open();
    const entries = randomEntries(testSeed());
    const before = await machine.logWorthBytes();
    await machine.apply(between(entries, 1, COUNT), COUNT);

    const snapshot = snapshotAt(COUNT, await machine.snapshot(pointAt(COUNT)));
    const ample = await machine.logWorthBytes();
    const { totalBytes, availableBytes } = await fs.diskSpace(GROUP);
    fs.setCapacity(totalBytes - availableBytes + 1000);

    expect([before, ample]).toEqual([0, bytesOf(snapshot)]);
    expect(await machine.logWorthBytes()).toBe(250);
  });

  test('that was taken over can be sent on, byte for byte, and again after a restart', async () => {
    const { leader, snapshot } = await leaderWithSnapshot(testSeed());
    const second = new MemoryFileSystem();
    const secondWorld = await MachineWorld.create(second);
    const middle = await secondWorld.open();
    await sendAndClose(leader, snapshot, second);
    await adopt(middle, snapshot);
    await middle.restore(snapshot);
    await middle.close();
    const again = await secondWorld.open(snapshot);
    const third = new MemoryFileSystem();
    await third.makeDirectory(GROUP);

    await sendAndClose(again, snapshot, third);

    for (const { name } of decodeSnapshotData(snapshot.data)) {
      const [a, b] = await Promise.all([second, third].map((fs) => fs.readFile(`${STAGED}/${name}`)));
      expect(Buffer.compare(a!, b!)).toBe(0);
    }
  });

  test('works out the CRC of a table once, and never takes it from another store', async () => {
    const memory = new MemoryFileSystem();
    const reads: string[] = [];
    const fs = new FaultyFileSystem(memory);
    const open = fs.open.bind(fs);
    fs.open = async (path, mode) => {
      if (path.includes('/snapshots/')) reads.push(path.slice(path.lastIndexOf('/snapshots/') + 11));
      return await open(path, mode);
    };
    const entries = randomEntries(testSeed());
    const machine = await (await MachineWorld.create(fs)).open();
    await machine.apply(between(entries, 1, 100), 100);
    const first = decodeSnapshotData(await machine.snapshot(pointAt(100)));
    await machine.apply([], 101);
    reads.length = 0;

    const second = decodeSnapshotData(await machine.snapshot(pointAt(101)));

    const tables = (files: typeof first): typeof first => files.filter(({ name }) => name.endsWith('.sst'));
    expect(tables(second)).toEqual(tables(first));
    expect(tables(first).length).toBeGreaterThan(0);
    expect(reads.filter((path) => path.endsWith('.sst'))).toEqual([]);
  });

  test('stays while somebody is sent it, and goes when it is let go and a newer one is durable', async () => {
    const entries = randomEntries(testSeed());
    const fs = new MemoryFileSystem();
    const machine = await (await MachineWorld.create(fs)).open();
    await machine.apply(between(entries, 1, 50), 50);
    const old = snapshotAt(50, await machine.snapshot(pointAt(50)));
    const pins = [await machine.pin(old), await machine.pin(old)];
    await machine.apply(between(entries, 51, 80), 80);
    const newer = await machine.snapshot(pointAt(80));

    const seen: (readonly string[])[] = [await namesIn(fs, `${GROUP}/snapshots`)];
    machine.retireSnapshots([snapshotAt(80, newer)]);
    pins[0]!.unpin();
    pins[0]!.unpin();
    await machine.snapshot(pointAt(80));
    seen.push(await namesIn(fs, `${GROUP}/snapshots`));
    const buffer = new Uint8Array(8);
    expect(await pins[1]!.read(0, buffer, 0)).toBe(8);
    pins[1]!.unpin();
    await machine.close();
    seen.push(await namesIn(fs, `${GROUP}/snapshots`));

    expect(seen).toEqual([['50', '80'], ['50', '80'], ['80']]);
    await expect(machine.pin(old)).rejects.toMatchObject({ code: 'KAYA_SNAPSHOT_MISSING' });
    expect(fs.openHandles).toBe(0);
  });

  test('leaves nothing when it can not be made, and the next one succeeds', async () => {
    const entries = randomEntries(testSeed(), 60);
    for (let at = 1; at < 60; at += 3) {
      const memory = new MemoryFileSystem();
      const fs = new FaultyFileSystem(memory);
      const machine = await (await MachineWorld.create(fs)).open();
      await machine.apply(entries, 60);
      fs.inject({ at, matchesPath: (path) => path.includes('/snapshots/'), effect: { kind: 'fail', errno: 'ENOSPC' } });

      const outcome = await machine.snapshot(pointAt(60)).then(
        () => 'made',
        () => 'not made',
      );

      const left = await namesIn(memory, `${GROUP}/snapshots`);
      expect(left, `failure at ${at}`).toEqual(outcome === 'made' ? ['60'] : []);
      expect(decodeSnapshotData(await machine.snapshot(pointAt(60))).length).toBeGreaterThan(2);
      await machine.close();
    }
  });

  test('whose files nobody has brought is refused, and the machine stays what it was', async () => {
    const { entries, leader, snapshot } = await leaderWithSnapshot(testSeed());
    const follower = await (await MachineWorld.create()).open();
    await follower.apply(between(entries, 1, 20), 20);

    await expect(follower.restore(snapshot)).rejects.toMatchObject({ code: 'KAYA_SNAPSHOT_MISSING' });

    expect(follower.appliedIndex).toBe(20);
    await follower.apply(between(entries, 21, 40), 40);
    expect(leader.appliedIndex).toBe(COUNT);
  });
});

describe('a snapshot that has arrived', { timeout: 120_000 }, () => {
  test('changes nothing until it is taken over, and is gone when it is abandoned', async () => {
    const { fs, follower, snapshot } = await followerBeforeAdopting(testSeed());
    await adopt(follower, snapshot);
    const adopted = await namesIn(fs, `${GROUP}/snapshots`);
    await follower.apply([], 21);

    await follower.abandon(snapshot);

    expect(adopted).toEqual(['150']);
    expect(await namesIn(fs, `${GROUP}/snapshots`)).toEqual([]);
    expect(await namesIn(fs, GROUP)).toEqual(['snapshot.partial', 'snapshots', 'store-0']);
    await expect(follower.restore(snapshot)).rejects.toMatchObject({ code: 'KAYA_SNAPSHOT_MISSING' });
    expect(follower.appliedIndex).toBe(21);
  });

  test('stays when it is in force, whoever abandons it', async () => {
    const { fs, follower, snapshot } = await followerBeforeAdopting(testSeed());
    await adopt(follower, snapshot);
    await follower.restore(snapshot);

    await follower.abandon(snapshot);

    expect(await namesIn(fs, `${GROUP}/snapshots`)).toEqual(['150']);
  });

  test.each<[string, (snapshot: Snapshot) => Snapshot]>([
    ['that the snapshot does not name', (snapshot) => snapshotAt(150, snapshotDataWithout(snapshot, 1))],
    ['of a snapshot whose data are none', () => snapshotAt(150, Uint8Array.of(9))],
  ])('with files %s is refused', async (_what, change) => {
    const { fs, follower, snapshot } = await followerBeforeAdopting(testSeed());

    const adopting = follower.adopt(change(snapshot), STAGED, decodeSnapshotData(snapshot.data));

    await expect(adopting).rejects.toMatchObject({ code: 'KAYA_SNAPSHOT_REFUSED' });
    expect(await namesIn(fs, `${GROUP}/snapshots`)).toEqual([]);
  });

  test('is refused where there is too little room to go on with it', async () => {
    const { leader, snapshot } = await leaderWithSnapshot(testSeed());
    const fs = new MemoryFileSystem({ capacityBytes: 8 * 1024 * 1024 });
    const follower = await (await MachineWorld.create(fs)).open();
    await sendAndClose(leader, snapshot, fs);

    await expect(adopt(follower, snapshot)).rejects.toMatchObject({ code: 'KAYA_DISK_FULL' });

    expect(await namesIn(fs, `${GROUP}/snapshots`)).toEqual([]);
  });

  test('can be adopted again after a failure at any step, which leaves nothing', async () => {
    let failures = 0;
    const { leader, snapshot } = await leaderWithSnapshot(testSeed());
    for (let at = 1; at < 100; at++) {
      const memory = new MemoryFileSystem();
      const fs = new FaultyFileSystem(memory);
      const follower = await (await MachineWorld.create(fs)).open();
      await sendAndClose(leader, snapshot, memory);
      fs.inject({ at, matchesPath: (path) => path.includes('/snapshots'), effect: { kind: 'fail', errno: 'EIO' } });

      const isAdopted = await adopt(follower, snapshot).then(
        () => true,
        () => false,
      );

      expect(await namesIn(memory, `${GROUP}/snapshots`), `failure at ${at}`).toEqual(isAdopted ? ['150'] : []);
      if (isAdopted) break;
      failures++;
      await adopt(follower, snapshot);
      await follower.restore(snapshot);
      expect(follower.appliedIndex).toBe(150);
      await follower.close();
    }
    expect(failures).toBeGreaterThan(5);
  });

  test('gives way to the one that the node has made itself, and that one stays', async () => {
    const { entries, leader, snapshot } = await leaderWithSnapshot(testSeed());
    const fs = new MemoryFileSystem();
    const follower = await (await MachineWorld.create(fs, { seed: 8 })).open();
    await follower.apply(between(entries, 1, 150), 150);
    await sendAndClose(leader, snapshot, fs);
    const making = follower.snapshot(pointAt(150));
    await adopt(follower, snapshot);
    const own = snapshotAt(150, await making);
    await adopt(follower, snapshot);

    await follower.abandon(snapshot);

    const again = await follower.pin(own);
    await send(again, await emptyDisk());
    again.unpin();
    expect(own.data).not.toEqual(snapshot.data);
    await expect(follower.pin(snapshot)).rejects.toMatchObject({ code: 'KAYA_SNAPSHOT_MISSING' });
  });

  test('holds up one that the node would make of the same index until it is abandoned', async () => {
    const { entries, leader, snapshot } = await leaderWithSnapshot(testSeed());
    const fs = new MemoryFileSystem();
    const follower = await (await MachineWorld.create(fs, { seed: 8 })).open();
    await sendAndClose(leader, snapshot, fs);
    await adopt(follower, snapshot);
    await follower.apply(between(entries, 1, 150), 150);

    await expect(follower.snapshot(pointAt(150))).rejects.toMatchObject({ code: 'KAYA_SNAPSHOT_REFUSED' });
    await follower.abandon(snapshot);

    const own = await follower.snapshot(pointAt(150));
    expect(own).not.toEqual(snapshot.data);
  });

  test('that is newer takes the place of one that is being sent, which stays until it is let go', async () => {
    const { entries, leader, snapshot } = await leaderWithSnapshot(testSeed());
    const fs = new MemoryFileSystem();
    const follower = await (await MachineWorld.create(fs, { seed: 8 })).open();
    await follower.apply(between(entries, 1, 20), 20);
    const old = snapshotAt(20, await follower.snapshot(pointAt(20)));
    follower.retireSnapshots([old]);
    const pin = await follower.pin(old);
    await sendAndClose(leader, snapshot, fs);

    await adopt(follower, snapshot);
    await follower.restore(snapshot);

    const during = await namesIn(fs, `${GROUP}/snapshots`);
    await send(pin, await emptyDisk());
    pin.unpin();
    await follower.close();
    expect([during, await namesIn(fs, `${GROUP}/snapshots`)]).toEqual([['150', '20'], ['150']]);
  });
});

describe('readers of a state that a snapshot replaces', { timeout: 60_000 }, () => {
  const range = { from: new Uint8Array(0), isFromExclusive: false, to: new Uint8Array(0), isToInclusive: false };
  const all = { range, isDescending: false, isWithoutValues: false, limit: 0 };

  test('get what they were asked for, but for scans, which end with an error for good', async () => {
    const { entries, leader, snapshot } = await leaderWithSnapshot(testSeed());
    const fs = new MemoryFileSystem();
    const follower = await (await MachineWorld.create(fs)).open();
    const put = { kind: 'put', key: Buffer.from('k5'), value: Buffer.from('old') } as const;
    const write: Command = { kind: 'write', timeMs: 1, write: { conditions: [], operations: [put], otherwise: [] } };
    await follower.apply(entriesOf([write]), 1);
    await sendAndClose(leader, snapshot, fs);
    await adopt(follower, snapshot);
    const scan = follower.scan(all);
    const reading = follower.get(Buffer.from('k5'));
    const keys = Array.from({ length: 50 }, (_, i) => Buffer.from(`k${i % 10}`));
    const many = follower.getMany(keys, 1_000_000);

    await follower.restore(snapshot);

    const rows = await many;
    const seen = rows === 'too-large' ? [] : rows.map((row) => row?.revision);
    expect(seen).toHaveLength(50);
    expect(seen).toEqual(keys.map((_, i) => seen[i % 10]));
    expect(Buffer.from((await reading)!.value).toString()).toBe('old');
    await expect(scan.next(100, 1)).rejects.toMatchObject({ code: 'KAYA_STATE_REPLACED' });
    await expect(scan.next(100, 1)).rejects.toMatchObject({ code: 'KAYA_STATE_REPLACED' });
    await scan.close();
    const fresh = follower.scan(all);
    expect(fresh.revision).toBe(between(entries, 1, 150).at(-1)!.index);
    expect((await fresh.next(10_000, 100)).rows.length).toBeGreaterThan(0);
  });

  test('see the machine close as that', async () => {
    const machine = await (await MachineWorld.create()).open();
    const scan = machine.scan(all);

    await machine.close();

    await expect(scan.next(1, 1)).rejects.toMatchObject({ code: 'KAYA_ENGINE_CLOSED' });
  });
});

describe('a crash', { timeout: 300_000 }, () => {
  test('at any moment of a snapshot leaves the store as it was, and no half of one', async () => {
    const seed = testSeed();
    const random = seededRandom(seed);
    const entries = randomEntries(seed, 60);
    const fs = new MemoryFileSystem();
    const machine = await (await MachineWorld.create(fs)).open();
    await machine.apply(entries, 60);
    const disks: MemoryFileSystem[] = [];
    const stop = fs.afterEachMutation(() =>
      disks.push(...crashClones(fs, () => random.next()).map(({ disk }) => disk)),
    );
    await machine.snapshot(pointAt(60));
    stop();
    const whole = await rowsAfter(entries, 60);

    for (const [i, disk] of disks.entries()) {
      // One in five: they differ little, and each takes its time.
      if (i % 5 !== seed % 5) continue;
      const world = new MachineWorld(disk);
      const again = await world.open();
      expect(await namesIn(disk, `${GROUP}/snapshots`)).toEqual([]);
      await again.apply(between(entries, again.appliedIndex + 1, 60), 60);
      await again.snapshot(pointAt(60));
      await again.close();
      expect(await world.rows(), `seed ${seed}, disk ${i}`).toEqual(whole);
    }
    expect(disks.length).toBeGreaterThan(150);
  });

  test('at any moment of adopting a snapshot leaves the old state and nothing else, and it can be adopted again', async () => {
    const seed = testSeed();
    const { fs, follower, entries, snapshot, disks, whole } = await followerBeforeAdopting(seed);
    await adopt(follower, snapshot);
    const crashed = disks();
    await follower.close();

    for (const [i, disk] of crashed.entries()) {
      if (i % 3 !== seed % 3) continue;
      const world = new MachineWorld(disk);
      const again = await world.open();
      expect(again.appliedIndex, `seed ${seed}, disk ${i}`).toBeLessThanOrEqual(20);
      expect(await namesIn(disk, `${GROUP}/snapshots`), `seed ${seed}, disk ${i}`).toEqual([]);
      await adopt(again, snapshot);
      await again.restore(snapshot);
      await again.apply(between(entries, 151, COUNT), COUNT);
      await again.close();
      expect(await world.rows(), `seed ${seed}, disk ${i}`).toEqual(whole);
    }
    expect(crashed.length).toBeGreaterThan(40);
    expect(await namesIn(fs, GROUP)).toEqual(['snapshot.partial', 'snapshots', 'store-0']);
  });

  test('at any moment of taking a snapshot over leaves the old store or the new one, and it can be taken over again without its sender', async () => {
    const seed = testSeed();
    const { follower, entries, snapshot, disks, whole } = await followerBeforeAdopting(seed);
    await adopt(follower, snapshot);
    disks();
    await follower.restore(snapshot);
    const crashed = disks();
    await follower.close();
    const found = { old: 0, new: 0 };

    for (const [i, disk] of crashed.entries()) {
      if (i % 3 !== seed % 3) continue;
      const world = new MachineWorld(disk);
      const again = await world.open(snapshot);
      const isOld = again.appliedIndex <= 20;
      if (isOld) await again.restore(snapshot);
      found[isOld ? 'old' : 'new']++;
      expect(again.appliedIndex, `seed ${seed}, disk ${i}`).toBe(150);
      await again.apply(between(entries, 151, COUNT), COUNT);
      await sendAndClose(again, snapshot, await emptyDisk());
      await again.close();
      expect(await world.rows(), `seed ${seed}, disk ${i}`).toEqual(whole);
      expect(await namesIn(disk, GROUP), `seed ${seed}, disk ${i}`).toEqual([
        'snapshot.partial',
        'snapshots',
        'store-150',
      ]);
      expect(await namesIn(disk, `${GROUP}/snapshots`), `seed ${seed}, disk ${i}`).toEqual(['150']);
    }
    expect(found.old).toBeGreaterThan(10);
    expect(found.new).toBeGreaterThan(10);
  });
});

/** A follower at 20 to whose disk a leader's snapshot of 150 has come. `disks` gives what crashes since its last call would have left. */
async function followerBeforeAdopting(seed: number): Promise<{
  readonly fs: MemoryFileSystem;
  readonly follower: KayaMachine;
  readonly entries: ReturnType<typeof entriesOf>;
  readonly snapshot: Snapshot;
  readonly disks: () => MemoryFileSystem[];
  readonly whole: readonly string[];
}> {
  const random = seededRandom(seed);
  const { entries, leader, snapshot } = await leaderWithSnapshot(seed);
  const fs = new MemoryFileSystem();
  const follower = await (await MachineWorld.create(fs)).open();
  await follower.apply(between(entries, 1, 20), 20);
  await sendAndClose(leader, snapshot, fs);
  const crashed: MemoryFileSystem[] = [];
  fs.afterEachMutation(() => crashed.push(...crashClones(fs, () => random.next()).map(({ disk }) => disk)));
  const disks = (): MemoryFileSystem[] => crashed.splice(0);
  return { fs, follower, entries, snapshot, disks, whole: await rowsAfter(entries, COUNT) };
}

/** The data of a snapshot that lacks the last files. */
function snapshotDataWithout({ data }: Snapshot, count: number): Uint8Array {
  return encodeSnapshotData(decodeSnapshotData(data).slice(0, -count));
}

async function emptyDisk(): Promise<FileSystem> {
  const fs = new MemoryFileSystem();
  await fs.makeDirectory(GROUP);
  return fs;
}

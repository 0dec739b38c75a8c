/** A snapshot's arrival when the power goes, calls fail, the disk is full, or bytes come back wrong. */

import { seededRandom, testSeed } from '@kayadb/testkit';
import type { FileSystem } from '@kayadb/vfs';
import {
  crashClone,
  crashModes,
  diskFingerprint,
  type FaultEffect,
  FaultyFileSystem,
  InterceptedFileSystem,
  type MemoryFileSystem,
  MUTATING_OPERATIONS,
  type OperationKind,
} from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import type { SnapshotOffer, TransferMessage } from '../src/wire/transfer-message.ts';
import {
  CONTENTS,
  type Contents,
  converse,
  filesIn,
  FIRST_WINDOW,
  GROUP_FOLDER,
  MemorySnapshot,
  openDisk,
  openReceiver,
  openSender,
  requestOf,
  sentBy,
} from './transfer-world.ts';

const FILES_FOLDER = `${GROUP_FOLDER}/snapshot.partial/files`;
/** Of the same names and sizes as the others, so that one may be taken for the other. */
const OTHER_CONTENTS: Contents = CONTENTS.map(([name, bytes]) => [name, bytes.map((byte) => byte ^ 0xff)]);

/** Disks that differ, out of all that a crash now may leave. */
class CrashedDisks {
  readonly #random = seededRandom(testSeed());
  readonly #seen = new Set<string>();
  readonly disks: { readonly disk: MemoryFileSystem; readonly what: string; readonly hasSnapshot: boolean }[] = [];

  take(disk: MemoryFileSystem, at: string, hasSnapshot: boolean): void {
    for (const mode of crashModes(disk, () => this.#random.next())) {
      const clone = crashClone(disk, mode, () => this.#random.next());
      const key = `${hasSnapshot} ${diskFingerprint(clone)}`;
      if (this.#seen.has(key)) continue;
      this.#seen.add(key);
      this.disks.push({ disk: clone, what: `${at}, ${JSON.stringify(mode)}`, hasSnapshot });
    }
  }
}

async function expectArrival(fs: FileSystem, what: string, checkpointBytes = 24): Promise<void> {
  const events = await converse(openSender(), openReceiver(fs, checkpointBytes));

  expect([what, events.at(-2), events.at(-1)]).toMatchObject([what, { kind: 'received' }, { kind: 'delivered' }]);
  expect([what, await filesIn(fs, FILES_FOLDER)]).toEqual([what, CONTENTS]);
}

/** Whether all files of the snapshot survive whatever crash happens now. */
async function expectDurable(disk: MemoryFileSystem, what: string): Promise<void> {
  const crashed = new CrashedDisks();
  crashed.take(disk, what, true);
  for (const each of crashed.disks) {
    expect([each.what, await filesIn(each.disk, FILES_FOLDER)]).toEqual([each.what, CONTENTS]);
  }
}

/** What a receiver leaves that was stopped in the middle of the third file, with everything durable. */
async function leaveHalf(fs: FileSystem, request = requestOf(11), contents = CONTENTS): Promise<void> {
  const receiver = openReceiver(fs, 1);
  await converse(openSender({ request, transfer: 76, pinned: new MemorySnapshot(contents) }), receiver, FIRST_WINDOW);
  await receiver.close();
}

/** Where a receiver would have the files from. */
async function answerToOffer(fs: FileSystem): Promise<TransferMessage | undefined> {
  const receiver = openReceiver(fs);
  const [offer] = sentBy(openSender().offer());
  const [answer] = sentBy(await receiver.receive(offer as SnapshotOffer));
  await receiver.close();
  return answer;
}

describe('a snapshot that arrives', () => {
  test.each([1, 24, 1000])(
    'survives power loss after every change that is made, with %i bytes between checkpoints',
    async (checkpointBytes) => {
      const disk = await openDisk();
      // What is left of an earlier one is in the way.
      await leaveHalf(disk, requestOf(10), OTHER_CONTENTS);
      const crashed = new CrashedDisks();
      let step = 0;
      let hasSnapshot = false;
      disk.afterEachMutation(({ operation, path }) => {
        crashed.take(disk, `step ${++step}: ${operation} ${path}`, hasSnapshot);
      });

      const receiver = openReceiver(disk, checkpointBytes);
      await converse(openSender(), receiver);
      hasSnapshot = true;
      crashed.take(disk, 'handed over', true);
      await receiver.release();

      expect(crashed.disks.length).toBeGreaterThan(100);
      for (const { disk: found, what } of crashed.disks) {
        await expectArrival(found, what, checkpointBytes);
        // Of a process that died, what is in the machine's memory is still at risk.
        if (what.includes('"everything"')) await expectDurable(found, `${what}, then handed over`);
      }
    },
    60_000,
  );

  test('is all there after power loss, once it was handed over', async () => {
    const disk = await openDisk();

    const events = await converse(openSender(), openReceiver(disk));

    expect(events).toMatchObject([{ kind: 'received' }, { kind: 'delivered' }]);
    await expectDurable(disk, 'handed over');
  });

  test('survives power loss while it is taken up again', async () => {
    const random = seededRandom(testSeed());
    const disks: MemoryFileSystem[] = [await openDisk()];
    for (let round = 0; round < 150; round++) {
      const crashed = new CrashedDisks();
      const disk = random.pick(disks);
      disks.push(crashClone(disk, { kind: 'everything' }, () => random.next()));
      const stop = disk.afterEachMutation(({ operation }) => {
        if (random.chance(0.1)) crashed.take(disk, operation, false);
      });
      await expectArrival(disk, `round ${round}`);
      stop();
      if (crashed.disks.length > 0) disks.push(random.pick(crashed.disks).disk);
    }
    expect(disks.length).toBeGreaterThan(200);
  }, 60_000);

  test('is not begun from the start after a crash, but from the last checkpoint', async () => {
    const disk = await openDisk();
    await leaveHalf(disk);

    const after = crashClone(disk, { kind: 'nothing-unsynced' }, () => 0);
    const answer = await answerToOffer(after);

    expect(answer).toMatchObject({ kind: 'snapshot-position', file: 2, offset: 8 });
  });

  test('is begun again where a file has changed since', async () => {
    const disk = await openDisk();
    await leaveHalf(disk);
    const handle = await disk.open(`${FILES_FOLDER}/000004.sst`, 'write');
    await handle.write(Uint8Array.of(99), 20);
    await handle.close();

    const answer = await answerToOffer(disk);

    expect(answer).toMatchObject({ kind: 'snapshot-position', file: 0, offset: 0 });
    expect((await disk.readDirectory(FILES_FOLDER)).map(({ name }) => name)).toEqual([]);
    await expectArrival(disk, 'after the change');
  });
});

/** The disk's failures: an error, and what becomes of the bytes. */
const FAILURES: readonly (readonly [kinds: readonly OperationKind[], effect: FaultEffect])[] = [
  [[...MUTATING_OPERATIONS, 'open', 'close'], { kind: 'fail', errno: 'EIO' }],
  [['write', 'makeDirectory', 'open', 'rename'], { kind: 'fail', errno: 'ENOSPC' }],
  [['write'], { kind: 'short-write', bytes: 3, errno: 'ENOSPC' }],
  [['write'], { kind: 'late-error', errno: 'EIO' }],
  [['sync'], { kind: 'failed-sync', pages: 'dropped', errno: 'EIO' }],
  [['sync'], { kind: 'failed-sync', pages: 'clean', errno: 'EIO' }],
  [['sync', 'syncDirectory'], { kind: 'fail', errno: 'ENOSPC' }],
  [['read', 'readFile', 'stat', 'size', 'readDirectory', 'diskSpace'], { kind: 'fail', errno: 'EIO' }],
];

describe('a snapshot that arrives on a failing disk', () => {
  test.each(FAILURES)(
    'is whole or not there, whichever call of %j fails: %j',
    async (kinds, effect) => {
      const random = seededRandom(testSeed());
      let refused = 0;
      for (let at = 1; ; at++) {
        const what = `call ${at}`;
        const disk = await openDisk();
        await leaveHalf(disk);
        const fs = new FaultyFileSystem(disk, [{ at, kinds, effect }]);
        const receiver = openReceiver(fs);

        const events = await converse(openSender(), receiver);

        const isReceived = events.some(({ kind }) => kind === 'received');
        if (isReceived) await expectDurable(disk, what);
        else refused++;
        const outcome = isReceived ? 'handed over' : events.map(({ kind }) => kind).join(', ');
        expect([what, outcome]).toEqual([what, expect.stringMatching(/^(handed over|refused, failed)$/)]);
        // The same process tries again; then another one, before and after the power went.
        fs.heal();
        const again = await converse(openSender({ transfer: 78 }), receiver);
        if (again.some(({ kind }) => kind === 'received')) await expectDurable(disk, `${what}, again`);
        await receiver.close();
        expect([what, disk.openHandles]).toEqual([what, 0]);
        for (const mode of crashModes(disk, () => random.next())) {
          const left = crashClone(disk, mode, () => random.next());
          await expectArrival(left, `${what}, ${JSON.stringify(mode)}`);
          // What the failure has left in memory is still at risk.
          if (mode.kind === 'everything') await expectDurable(left, `${what}, then the next process`);
        }
        if (fs.countOf(kinds) < at) break;
      }
      expect(refused).toBeGreaterThan(0);
    },
    60_000,
  );

  test('is refused for good after a failed sync, and taken by the next process', async () => {
    const disk = await openDisk();
    const fs = new FaultyFileSystem(disk, [{ at: 2, kinds: ['sync'], effect: { kind: 'fail', errno: 'EIO' } }]);
    const receiver = openReceiver(fs);
    await converse(openSender(), receiver);

    const again = await converse(openSender({ transfer: 78 }), receiver);

    expect(again).toMatchObject([
      { kind: 'refused', reason: 'storage', cause: { code: 'KAYA_RAFT_POISONED' } },
      { kind: 'failed', reason: 'storage' },
    ]);
    await receiver.close();
    await expectArrival(disk, 'the next process');
  });

  test('is refused before anything is sent when the disk has no room for it', async () => {
    const disk = await openDisk(700);
    const pinned = new MemorySnapshot([['big', new Uint8Array(700)]]);

    const events = await converse(openSender({ pinned }), openReceiver(disk));

    expect(events).toMatchObject([
      { kind: 'refused', reason: 'no-room' },
      { kind: 'failed', reason: 'no-room' },
    ]);
    expect(await disk.readDirectory(GROUP_FOLDER)).toEqual([]);
  });

  test('gives its room back when the disk fills up, and arrives when there is room again', async () => {
    const disk = await openDisk();
    const receiver = openReceiver(disk);
    const sender = openSender();
    const writes = disk.afterEachMutation(({ path }) => {
      if (path.endsWith('000009.sst')) disk.setCapacity(1);
    });

    const events = await converse(sender, receiver);

    writes();
    expect(events).toMatchObject([
      { kind: 'refused', reason: 'no-room', cause: { code: 'KAYA_DISK_FULL' } },
      { kind: 'failed', reason: 'no-room' },
    ]);
    expect(await disk.readDirectory(GROUP_FOLDER)).toEqual([]);
    disk.setCapacity(undefined);
    expect(await converse(openSender({ transfer: 78 }), receiver)).toMatchObject([
      { kind: 'received' },
      { kind: 'delivered' },
    ]);
  });

  test('is sent again where the disk took other bytes than it was given', async () => {
    for (let wrong = 1; wrong <= 6; wrong++) {
      const disk = await openDisk();
      let writes = 0;
      const flipping = new InterceptedFileSystem(disk, {
        call: async ({ kind, paths, data }, run) => {
          const isWrong = kind === 'write' && paths[0]!.startsWith(FILES_FOLDER) && ++writes === wrong;
          if (isWrong) data![0]! ^= 1;
          const result = await run();
          if (isWrong) data![0]! ^= 1;
          return result;
        },
        callSync: (_operation, run) => run(),
      });

      await expectArrival(flipping, `write ${wrong}`);

      expect(writes).toBeGreaterThan(6);
    }
  });
});

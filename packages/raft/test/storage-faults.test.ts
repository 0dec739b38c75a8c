/** Every call to the disk fails in turn, in every way; and every bit of what is stored is flipped. */

import { seededRandom, testSeed } from '@kayadb/testkit';
import {
  crashClone,
  crashModes,
  diskFingerprint,
  type FaultEffect,
  FaultyFileSystem,
  MemoryFileSystem,
  type OperationKind,
} from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { openRaftStorage } from '../src/storage/open-raft-storage.ts';
import { batchOf, sampleEntries, sampleEntry, sampleSnapshot, vote } from '../src/testing/storage-samples.ts';
import { FaultRun } from './crash/fault-program.ts';
import { showStorage } from './crash/storage-history.ts';
import { CRASH_OPTIONS, DIRECTORY } from './crash/storage-workload.ts';
import { RaftDirectory } from './raft-directory.ts';

/** How many calls of these kinds, or of all, the fault-free course makes. */
async function countCalls(kinds: readonly OperationKind[] | undefined): Promise<number> {
  const fs = new FaultyFileSystem(new MemoryFileSystem());
  const isComplete = await new FaultRun(fs).run();
  expect(isComplete).toBe(true);
  return fs.countOf(kinds);
}

/** Opens what is left, as the process and as the machine would after it has died. */
async function judgeSurvivors(run: FaultRun, disk: MemoryFileSystem, random: () => number): Promise<readonly string[]> {
  const problems = [...run.problems];
  const modes = crashModes(disk, random);
  const seen = new Set<string>();
  for (const mode of [modes[0]!, { kind: 'nothing-unsynced' } as const, modes[Math.floor(random() * modes.length)]!]) {
    const survivor = crashClone(disk, mode, random);
    const fingerprint = diskFingerprint(survivor);
    if (seen.has(fingerprint)) continue;
    seen.add(fingerprint);
    try {
      const storage = await openRaftStorage(DIRECTORY, { ...CRASH_OPTIONS, fs: survivor });
      const shown = showStorage(storage);
      const verdict = run.history.judge(shown, run.history.owed);
      if (typeof verdict === 'string') problems.push(`${mode.kind}: ${verdict}`);
      const again = await openRaftStorage(DIRECTORY, {
        ...CRASH_OPTIONS,
        fs: crashClone(survivor, { kind: 'nothing-unsynced' }, random),
      });
      if (JSON.stringify(showStorage(again)) !== JSON.stringify(shown))
        problems.push(`${mode.kind}: what was read is not durable`);
      await Promise.all([storage.close(), again.close()]);
    } catch (error) {
      problems.push(`${mode.kind}: ${String(error)}`);
    }
  }
  return problems;
}

const WRITES: readonly OperationKind[] = ['write'];
const SYNCS: readonly OperationKind[] = ['sync'];
/** What takes a descriptor. */
const OPENINGS: readonly OperationKind[] = ['open', 'readFile', 'readDirectory', 'syncDirectory'];

/** Each with the kinds of calls that it applies to; undefined for all. */
const EFFECTS: readonly (readonly [string, FaultEffect, readonly OperationKind[] | undefined])[] = [
  ['fails with EIO', { kind: 'fail', errno: 'EIO' }, undefined],
  ['fails with ENOSPC', { kind: 'fail', errno: 'ENOSPC' }, undefined],
  ['fails with EMFILE', { kind: 'fail', errno: 'EMFILE' }, OPENINGS],
  ['writes 1 byte and fails with EIO', { kind: 'short-write', bytes: 1, errno: 'EIO' }, WRITES],
  ['writes 40 bytes and fails with ENOSPC', { kind: 'short-write', bytes: 40, errno: 'ENOSPC' }, WRITES],
  ['writes all and fails with ENOSPC', { kind: 'short-write', bytes: 1_000_000, errno: 'ENOSPC' }, WRITES],
  ['fails to sync and drops the pages', { kind: 'failed-sync', pages: 'dropped', errno: 'EIO' }, SYNCS],
  ['fails to sync and keeps the pages as clean', { kind: 'failed-sync', pages: 'clean', errno: 'EIO' }, SYNCS],
  // A sync that succeeds and forgets is a broken promise of the disk.
  ['fails to write back later', { kind: 'late-error', errno: 'EIO' }, WRITES],
];

describe('a storage on a disk of which one call', () => {
  test.each(EFFECTS)(
    '%s: fails with a typed error, acknowledges nothing that is not there, and opens again',
    async (_what, effect, kinds) => {
      const calls = await countCalls(kinds);
      const random = seededRandom(testSeed());
      const problems: string[] = [];
      let failures = 0;

      for (let at = 1; at <= calls; at++) {
        for (const forever of at % 3 === 0 ? [false, true] : [false]) {
          const disk = new MemoryFileSystem();
          const fault = { at, effect, forever, ...(kinds !== undefined && { kinds }) };
          const run = new FaultRun(new FaultyFileSystem(disk, [fault]));
          const isComplete = await run.run();
          if (!isComplete) failures++;
          if (disk.openHandles > 0) problems.push(`call ${at}: ${disk.openHandles} files stay open`);
          const found = await judgeSurvivors(run, disk, () => random.next());
          problems.push(...found.map((problem) => `call ${at}${forever ? ' and all later' : ''}: ${problem}`));
        }
      }

      expect(problems.slice(0, 5)).toEqual([]);
      expect(failures).toBeGreaterThan(calls / 5);
    },
    300_000,
  );
});

describe('a storage of which one bit is flipped', () => {
  async function build(end: 'killed' | 'closed'): Promise<RaftDirectory> {
    const directory = new RaftDirectory({ segmentBytes: 300 });
    const storage = await directory.build([
      { hardState: vote(1, 2), entries: sampleEntries(1, 2, 1) },
      { entries: sampleEntries(3, 5, 1) },
      { hardState: vote(2, 3, 2), entries: sampleEntries(4, 6, 2) },
    ]);
    await storage.saveSnapshot(sampleSnapshot(2, 1));
    await storage.write(batchOf({ entries: [sampleEntry(7, 2)] }));
    await storage.write(batchOf({ entries: [sampleEntry(8, 2)] }));
    if (end === 'closed') await storage.close();
    return directory;
  }

  test.each([
    ['closed', ['1/1 1/2 1/3 2/4 2/5 2/6 2/7 2/8, term 2, vote 3']],
    // Nobody vouches for the last batch.
    ['killed', ['1/1 1/2 1/3 2/4 2/5 2/6 2/7 2/8, term 2, vote 3', '1/1 1/2 1/3 2/4 2/5 2/6 2/7, term 2, vote 3']],
  ] as const)(
    'and that was %s answers rightly, or is refused',
    async (end, right) => {
      const built = await build(end);
      const wrong: string[] = [];
      const outcomes = new Map<string, number>();
      for (const name of await built.names()) {
        const { length } = await built.read(name);
        for (let offset = 0; offset < length; offset += name === 'raft-state' && offset % 4096 > 128 ? 97 : 1) {
          const fs = crashClone(built.fs, { kind: 'everything' }, () => 0);
          const handle = await fs.open(`/raft/${name}`, 'write');
          const byte = new Uint8Array(1);
          await handle.read(byte, offset);
          await handle.write(Uint8Array.of(byte[0]! ^ (1 << (offset % 8))), offset);
          await handle.close();

          const outcome = await built.outcome({ fs });

          const kind = right.some((text) => text === outcome) ? 'right' : outcome.split(' ')[0]!;
          outcomes.set(kind, (outcomes.get(kind) ?? 0) + 1);
          if (kind !== 'right' && kind !== 'KAYA_RAFT_CORRUPTION') wrong.push(`${name}:${offset}: ${outcome}`);
        }
      }

      expect(wrong).toEqual([]);
      expect(Math.min(outcomes.get('right') ?? 0, outcomes.get('KAYA_RAFT_CORRUPTION') ?? 0)).toBeGreaterThan(100);
    },
    300_000,
  );

  test('says so when the entry is read, by file and offset', async () => {
    const directory = new RaftDirectory({ cacheBytes: 0 });
    const storage = await directory.build([{ hardState: vote(1), entries: sampleEntries(1, 3, 1) }]);
    await directory.flip('000001.rlog', 96 + 48 + 31 + 30);

    const read = (from: number) => (): unknown => storage.entries(from, from + 1, 1000);

    expect(read(1)()).toEqual([sampleEntry(1, 1)]);
    expect(read(2)).toThrow(
      expect.objectContaining({ code: 'KAYA_RAFT_CORRUPTION', file: '000001.rlog', offset: 175 }),
    );
    await storage.close();
  });

  test('says so when an entry cannot be read, and never that there is none', async () => {
    const directory = new RaftDirectory({ cacheBytes: 0, segmentBytes: 200 });
    const fs = new FaultyFileSystem(directory.fs);
    const storage = await directory.open({ fs });
    for (const [i, entry] of sampleEntries(1, 6, 1).entries()) {
      await storage.write(batchOf({ entries: [entry], hardState: i === 0 ? vote(1) : undefined }));
    }
    const read = (index: number) => (): unknown => storage.entries(index, index + 1, 1000);
    fs.inject({ at: 1, kinds: ['read', 'open'], effect: { kind: 'fail', errno: 'EIO' }, forever: true });

    expect(read(1)).toThrow(expect.objectContaining({ code: 'KAYA_IO' }));
    expect(read(6)).toThrow(expect.objectContaining({ code: 'KAYA_IO' }));
    fs.heal();
    expect(read(1)()).toEqual([sampleEntry(1, 1)]);
    await storage.close();
  });
});

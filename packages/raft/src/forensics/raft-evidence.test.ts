import { seededRandom, testSeed } from '@kayadb/testkit';
import { crashClone, crashClones, diskFingerprint, MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { encodeConfigChange } from '../core/config-change-encoding.ts';
import type { Entry } from '../core/types.ts';
import type { DurableRaftStorage } from '../storage/durable-storage.ts';
import { openRaftStorage } from '../storage/open-raft-storage.ts';
import { batchOf, sampleEntries, sampleEntry, sampleSnapshot, vote } from '../testing/storage-samples.ts';
import { RaftEvidence } from './raft-evidence.ts';

const DIRECTORY = '/raft';
const identity = { clusterId: new Uint8Array(16).fill(7), nodeId: 1, incarnation: 5 };

function open(fs: MemoryFileSystem): Promise<DurableRaftStorage> {
  return openRaftStorage(DIRECTORY, { fs, identity, segmentBytes: 600 });
}

async function flip(fs: MemoryFileSystem, name: string, offset: number): Promise<void> {
  const handle = await fs.open(`${DIRECTORY}/${name}`, 'write');
  const byte = new Uint8Array(1);
  await handle.read(byte, offset);
  await handle.write(Uint8Array.of(byte[0]! ^ 0xff), offset);
  await handle.sync();
  await handle.close();
}

function textOf(entries: readonly Entry[]): string {
  return entries.map(({ term, index, data }) => `${term}/${index}:${Buffer.from(data).toString('hex')}`).join(' ');
}

/** All of them, however they lie. */
function allOf(
  source: Pick<RaftEvidence, 'firstIndex' | 'lastIndex'>,
  read: (from: number) => readonly Entry[],
): string {
  const entries: Entry[] = [];
  while (source.firstIndex + entries.length <= source.lastIndex) {
    entries.push(...read(source.firstIndex + entries.length));
  }
  return textOf(entries);
}

describe('RaftEvidence', () => {
  test('finds what opening finds, after a crash at any moment, and writes nothing', { timeout: 120_000 }, async () => {
    const seed = testSeed();
    const random = seededRandom(seed);
    const fs = new MemoryFileSystem();
    const crashes: MemoryFileSystem[] = [];
    const stop = fs.afterEachMutation(() => {
      if (random.chance(0.2)) for (const { disk } of crashClones(fs, () => random.next())) crashes.push(disk);
    });
    let storage = await open(fs);
    let term = 1;
    for (let round = 0; round < 40; round++) {
      if (random.chance(0.2)) term++;
      const from = Math.max(storage.firstIndex, storage.lastIndex + 1 - random.int(3));
      const entries = sampleEntries(from, from + random.int(4), term);
      await storage.write(batchOf({ entries, hardState: vote(term, 1, storage.firstIndex - 1) }));
      if (random.chance(0.1)) {
        const index = storage.firstIndex + random.int(storage.lastIndex - storage.firstIndex + 1);
        await storage.saveSnapshot(sampleSnapshot(index, storage.term(index) as number));
        await storage.compact(index);
      }
      if (random.chance(0.1)) {
        await storage.close();
        storage = await open(fs);
      }
    }
    stop();

    let compared = 0;
    for (const disk of crashes) {
      if ((await disk.stat(DIRECTORY)) === undefined) continue;
      const before = diskFingerprint(disk);
      const evidence = await RaftEvidence.read(DIRECTORY, { fs: disk, identity });
      const found = {
        log: allOf(evidence, (at) => evidence.entries(at, evidence.lastIndex + 1)),
        first: evidence.firstIndex,
        last: evidence.lastIndex,
        state: { term: evidence.state?.term ?? 0, vote: evidence.state?.vote ?? 0, commit: evidence.commit },
        snapshot: evidence.snapshot?.meta.index,
        removed: evidence.removedByOpening,
      };
      await evidence.close();
      expect(diskFingerprint(disk), `seed ${seed}`).toBe(before);

      const opened = await open(disk);
      const snapshot = opened.snapshot();
      expect(found, `seed ${seed}`).toMatchObject({
        log: allOf(opened, (at) => opened.entries(at, opened.lastIndex + 1, 1000) as readonly Entry[]),
        first: opened.firstIndex,
        last: opened.lastIndex,
        state: opened.initialState().hardState,
        snapshot: snapshot === 'unavailable' ? undefined : snapshot.meta.index,
      });
      const left = (await disk.readDirectory(DIRECTORY)).map(({ name }) => name);
      const kept = found.removed.filter((name) => left.includes(name) && !name.startsWith('next'));
      expect(kept, `seed ${seed}`).toEqual([]);
      await opened.close();
      compared++;
    }
    expect(compared).toBeGreaterThan(100);
  });

  test('reads where nothing may be written', async () => {
    const fs = new MemoryFileSystem();
    const storage = await open(fs);
    await storage.write(batchOf({ entries: sampleEntries(1, 3, 2), hardState: vote(2, 1, 2) }));
    await storage.close();
    const modes: string[] = [];
    const guarded = new Proxy(fs, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        return (...args: readonly unknown[]): unknown => {
          if (name === 'open' || name === 'openSync') modes.push(String(args[1]));
          else if (name !== 'readFile' && name !== 'readDirectory') throw new Error(`${String(name)} is no reading`);
          return Reflect.apply(value, target, [...args]);
        };
      },
    });

    const evidence = await RaftEvidence.read(DIRECTORY, { fs: guarded, identity });
    const entries = evidence.entries(1, 4);
    await evidence.close();

    expect(entries.map(({ index }) => index)).toEqual([1, 2, 3]);
    expect(evidence).toMatchObject({ lastTerm: 2, commit: 2, state: { term: 2, vote: 1 }, tail: { kind: 'blank' } });
    expect(new Set(modes)).toEqual(new Set(['read']));
  });

  test('says where damage is that opening refuses', async () => {
    const fs = new MemoryFileSystem();
    const storage = await open(fs);
    await storage.write(batchOf({ entries: sampleEntries(1, 2, 1), hardState: vote(1, 1, 0) }));
    await storage.close();
    await flip(fs, '000001.rlog', 96 + 60);

    const reading = RaftEvidence.read(DIRECTORY, { fs, identity });

    await expect(reading).rejects.toMatchObject({ code: 'KAYA_RAFT_CORRUPTION', file: '000001.rlog', offset: 96 });
  });

  test('tells a record that was not written whole from zeros', async () => {
    const fs = new MemoryFileSystem();
    const storage = await open(fs);
    await storage.write(batchOf({ entries: sampleEntries(1, 2, 1), hardState: vote(1, 1, 0) }));
    const disk = crashClone(fs, { kind: 'everything' }, () => 0);
    await storage.close();
    await flip(disk, '000001.rlog', 96 + 60);

    const evidence = await RaftEvidence.read(DIRECTORY, { fs: disk, identity });

    expect(evidence.lastIndex).toBe(0);
    expect(evidence.tail).toEqual({
      file: '000001.rlog',
      offset: 96,
      reason: 'the CRC of a record does not match',
      kind: 'torn',
    });
    await evidence.close();
  });

  test('knows who is in the group at each index', async () => {
    const fs = new MemoryFileSystem();
    const storage = await open(fs);
    const steps = [{ kind: 'remove' as const, node: 3 }];
    const data = encodeConfigChange({ transition: 'auto', steps, context: new Uint8Array(0) });
    await storage.write(batchOf({ snapshot: sampleSnapshot(4, 1), hardState: vote(1, 1, 4), entries: [] }));
    await storage.write(batchOf({ entries: [sampleEntry(5, 1), { index: 6, term: 1, kind: 'config', data }] }));
    await storage.close();

    const evidence = await RaftEvidence.read(DIRECTORY, { fs, identity });

    expect(evidence.configurationAt(5).voters).toEqual([1, 2, 3]);
    expect(evidence.configurationAt(6).voters).toEqual([1, 2]);
    await evidence.close();
  });

  test('knows that what the only voter has in its log is committed, up to the change that gives it company', async () => {
    const fs = new MemoryFileSystem();
    const storage = await open(fs);
    const { meta, data } = sampleSnapshot(4, 1);
    const alone = { meta: { ...meta, configuration: { ...meta.configuration, voters: [1] } }, data };
    const steps = [{ kind: 'add-voter' as const, node: 2 }];
    const change = encodeConfigChange({ transition: 'auto', steps, context: new Uint8Array(0) });
    await storage.write(batchOf({ snapshot: alone, hardState: vote(1, 1, 4), entries: [] }));
    await storage.write(batchOf({ entries: [sampleEntry(5, 1), { index: 6, term: 1, kind: 'config', data: change }] }));
    await storage.write(batchOf({ entries: [sampleEntry(7, 1)] }));
    await storage.close();

    const evidence = await RaftEvidence.read(DIRECTORY, { fs, identity });

    expect(evidence.commit).toBe(4);
    expect(evidence.certainCommit()).toBe(6);
    expect(evidence.certainCommit(7)).toBe(7);
    await evidence.close();
  });

  test('takes a change that cannot be read for the end of what it knows', async () => {
    const fs = new MemoryFileSystem();
    const storage = await open(fs);
    const strange = { index: 6, term: 1, kind: 'config' as const, data: Uint8Array.of(255) };
    await storage.write(batchOf({ snapshot: sampleSnapshot(4, 1), hardState: vote(1, 1, 4), entries: [] }));
    await storage.write(batchOf({ entries: [sampleEntry(5, 1), strange, sampleEntry(7, 1)] }));
    await storage.close();

    const evidence = await RaftEvidence.read(DIRECTORY, { fs, identity });

    expect(evidence.certainCommit()).toBe(4);
    expect(evidence.configurationAt(5).voters).toEqual([1, 2, 3]);
    expect(() => evidence.configurationAt(7)).toThrow(expect.objectContaining({ code: 'KAYA_RAFT_UNSUPPORTED' }));
    await evidence.close();
  });
});

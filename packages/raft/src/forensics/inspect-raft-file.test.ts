import { MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { encodeStagedSnapshot } from '../node/staging-format.ts';
import { openRaftStorage } from '../storage/open-raft-storage.ts';
import { batchOf, sampleEntries, sampleSnapshot, vote } from '../testing/storage-samples.ts';
import { inspectRaftFile } from './inspect-raft-file.ts';

const DIRECTORY = '/raft';
const identity = { clusterId: new Uint8Array(16).fill(7), nodeId: 3, incarnation: 5 };

/** Two records of two entries each, and the one that closing writes. */
async function filledDisk(): Promise<MemoryFileSystem> {
  const fs = new MemoryFileSystem();
  const storage = await openRaftStorage(DIRECTORY, { fs, identity });
  await storage.write(batchOf({ snapshot: sampleSnapshot(4, 1), hardState: vote(2, 3, 4) }));
  for (const from of [5, 7]) await storage.write(batchOf({ entries: sampleEntries(from, from + 1, 2) }));
  await storage.close();
  return fs;
}

async function flip(fs: MemoryFileSystem, name: string, offset: number): Promise<void> {
  const handle = await fs.open(`${DIRECTORY}/${name}`, 'write');
  const byte = new Uint8Array(1);
  await handle.read(byte, offset);
  await handle.write(Uint8Array.of(byte[0]! ^ 0xff), offset);
  await handle.close();
}

describe('inspectRaftFile', () => {
  test('takes a segment apart, whoever it belongs to', async () => {
    const fs = await filledDisk();

    const found = await inspectRaftFile(fs, `${DIRECTORY}/000001.rlog`);

    expect(found).toMatchObject({
      kind: 'raft-log',
      header: { checksum: 'ok', cluster: '07'.repeat(16), node: 3, incarnation: 5, segment: 1, firstIndex: 1 },
      damage: [],
    });
    if (found?.kind !== 'raft-log') throw new Error('it is a segment');
    expect(found.survey?.records.map(({ kind, firstIndex, count }) => [kind, firstIndex, count])).toEqual([
      [2, 5, 0],
      [1, 5, 2],
      [1, 7, 2],
      [1, 9, 0],
    ]);
    expect(found.survey?.records[1]?.entries.map(({ index, term, kind }) => [index, term, kind])).toEqual([
      [5, 2, 0],
      [6, 2, 0],
    ]);
    expect(found.survey?.tail.kind).toBe('blank');
  });

  test('goes on behind damage, and says which entries in it still verify', async () => {
    const fs = await filledDisk();
    const whole = await inspectRaftFile(fs, `${DIRECTORY}/000001.rlog`);
    if (whole?.kind !== 'raft-log') throw new Error('it is a segment');
    const hit = whole.survey!.records[1]!;
    await flip(fs, '000001.rlog', hit.entries[1]!.offset + 30);

    const found = await inspectRaftFile(fs, `${DIRECTORY}/000001.rlog`);

    if (found?.kind !== 'raft-log') throw new Error('it is a segment');
    expect(found.damage).toEqual([{ offset: hit.offset, reason: 'the CRC of a record does not match' }]);
    expect(found.survey?.records.map(({ firstIndex }) => firstIndex)).toEqual([5, 7, 9]);
    expect(found.survey?.gaps[0]?.entries.map(({ index, data }) => [index, data !== undefined])).toEqual([
      [5, true],
      [6, false],
    ]);
  });

  test('shows both slots of the state, and which of them is damaged', async () => {
    const fs = await filledDisk();
    await flip(fs, 'raft-state', 4096 + 20);

    const found = await inspectRaftFile(fs, `${DIRECTORY}/raft-state`);

    expect(found).toMatchObject({
      kind: 'raft-state',
      damage: [],
      state: { term: 2, vote: 3 },
      slots: [
        { slot: 0, offset: 4096, state: undefined },
        { slot: 1, offset: 8192, state: { term: 2, vote: 3 } },
      ],
    });
  });

  test.each([
    ['raft-snapshot.bin', 130, 96],
    ['raft-state', 20, 0],
    ['000001.rlog', 20, 0],
  ])('names the damage in %s', async (name, at, offset) => {
    const fs = await filledDisk();
    await flip(fs, name, at);

    const found = await inspectRaftFile(fs, `${DIRECTORY}/${name}`);

    expect(found?.damage).toMatchObject([{ offset, reason: expect.stringContaining('CRC') }]);
  });

  test('reads a snapshot and a transfer', async () => {
    const fs = await filledDisk();
    const files = [{ name: 'CURRENT', bytes: 3, crc: 9 }];
    const handle = await fs.open('/raft/TRANSFER', 'create');
    await handle.write(encodeStagedSnapshot({ snapshot: sampleSnapshot(9, 2), files }, identity), 0);
    await handle.close();

    const snapshot = await inspectRaftFile(fs, '/raft/raft-snapshot.bin');
    const transfer = await inspectRaftFile(fs, '/raft/TRANSFER');

    expect(snapshot).toMatchObject({ kind: 'raft-snapshot', snapshot: { meta: { index: 4, term: 1 } } });
    expect(transfer).toMatchObject({ kind: 'transfer', snapshot: { meta: { index: 9 } }, files });
  });

  test('knows its files by their first bytes or else their names, and no others', async () => {
    const fs = await filledDisk();
    for (const [name, text] of [
      ['a.txt', 'hello'],
      ['000009.rlog', ''],
    ] as const) {
      const handle = await fs.open(`/raft/${name}`, 'create');
      await handle.write(Buffer.from(text), 0);
      await handle.close();
    }

    const stranger = await inspectRaftFile(fs, '/raft/a.txt');
    const empty = await inspectRaftFile(fs, '/raft/000009.rlog');

    expect(stranger).toBeUndefined();
    expect(empty).toMatchObject({ kind: 'raft-log', damage: [{ offset: 0 }] });
  });
});

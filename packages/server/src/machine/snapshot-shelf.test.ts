import { encodeUtf8 } from '@kayadb/codec';
import { type Engine, openEngine } from '@kayadb/engine';
import type { SnapshotFile } from '@kayadb/raft';
import { VirtualClock } from '@kayadb/testkit';
import { fakeProcessTable, MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { GROUP, snapshotAt } from '../../test/machine/machine-world.ts';
import { checksumFile } from './file-checksum.ts';
import { decodeSnapshotData, encodeSnapshotData } from './snapshot-data.ts';
import { SnapshotShelf } from './snapshot-shelf.ts';

async function shelfAndStore(): Promise<{
  readonly fs: MemoryFileSystem;
  readonly shelf: SnapshotShelf;
  readonly engine: Engine;
}> {
  const fs = new MemoryFileSystem();
  for (const folder of [GROUP, `${GROUP}/snapshots`]) await fs.makeDirectory(folder);
  const clock = new VirtualClock();
  const processes = fakeProcessTable();
  const engine = await openEngine(`${GROUP}/store-0`, { fileSystem: fs, clock, processes, log: 'external' });
  await engine.put('k', 'v'.repeat(500), { appliedIndex: 10 });
  return { fs, shelf: new SnapshotShelf(fs, GROUP, () => undefined), engine };
}

/** Files of the same names and sizes as those in a folder, with other bytes. */
async function stage(fs: MemoryFileSystem, folder: string): Promise<readonly SnapshotFile[]> {
  await fs.makeDirectory('/staged');
  const staged: SnapshotFile[] = [];
  for (const { name } of await fs.readDirectory(folder)) {
    const { bytes } = await checksumFile(fs, `${folder}/${name}`);
    const handle = await fs.open(`/staged/${name}`, 'create');
    await handle.write(new Uint8Array(bytes).fill(7), 0);
    await handle.sync();
    await handle.close();
    staged.push({ name, ...(await checksumFile(fs, `/staged/${name}`)) });
  }
  return staged;
}

async function findWrong(fs: MemoryFileSystem, index: number, data: Uint8Array): Promise<readonly string[]> {
  const wrong: string[] = [];
  for (const { name, bytes, crc } of decodeSnapshotData(data)) {
    const actual = await checksumFile(fs, `${GROUP}/snapshots/${index}/${name}`);
    if (actual.bytes !== bytes || actual.crc !== crc) wrong.push(name);
  }
  return wrong;
}

describe('SnapshotShelf', () => {
  test('says how much a member is sent that is given the newest snapshot of its own', async () => {
    const { fs, shelf, engine } = await shelfAndStore();
    await engine.checkpoint('/probe');
    const foreign = await stage(fs, '/probe');

    const before = shelf.newestBytes;
    const data = await shelf.make(engine, 10, 0);
    await shelf.adopt(snapshotAt(20, encodeSnapshotData(foreign)), '/staged', foreign);
    await engine.close();

    const listed = decodeSnapshotData(data).map(({ bytes }) => bytes);
    expect(before).toBe(0);
    expect(listed.length).toBeGreaterThan(2);
    expect(shelf.newestBytes).toBe(listed.reduce((sum, bytes) => sum + bytes));
  });

  test.each([
    ['a leader’s that is ahead', 15, 0],
    ['a leader’s that the log has overtaken', 11, 0],
    ['one from before the store came', 5, 10],
  ])('does not take CRCs from another store’s snapshot: %s', async (_what, otherIndex, baseIndex) => {
    const { fs, shelf, engine } = await shelfAndStore();
    await engine.checkpoint('/probe');
    const files = await stage(fs, '/probe');
    await shelf.adopt(snapshotAt(otherIndex, encodeSnapshotData(files)), '/staged', files);
    await engine.put('l', 'w', { appliedIndex: 12 });

    const data = await shelf.make(engine, 12, baseIndex);

    expect(await findWrong(fs, 12, data)).toEqual([]);
    expect(decodeSnapshotData(data).filter(({ name }) => name.endsWith('.sst'))).toHaveLength(2);
  });

  test('refuses a checkpoint of another index, and keeps nothing of it', async () => {
    const { fs, shelf, engine } = await shelfAndStore();

    await expect(shelf.make(engine, 11, 0)).rejects.toMatchObject({ code: 'KAYA_CORRUPTION' });

    expect(await fs.readDirectory(`${GROUP}/snapshots`)).toEqual([]);
  });

  test('gives the same data again for an index that it has', async () => {
    const { shelf, engine } = await shelfAndStore();
    const data = await shelf.make(engine, 10, 0);
    await engine.put('l', 'w', { appliedIndex: 12 });

    expect(await shelf.make(engine, 10, 0)).toEqual(data);
  });

  test('that is opened keeps what Raft has and checksums come from there', async () => {
    const { fs, shelf, engine } = await shelfAndStore();
    const data = await shelf.make(engine, 10, 0);
    await engine.put('l', encodeUtf8('w'), { appliedIndex: 12 });
    await shelf.make(engine, 12, 0);
    const again = new SnapshotShelf(fs, GROUP, () => undefined);

    await again.open(snapshotAt(10, data));

    expect((await fs.readDirectory(`${GROUP}/snapshots`)).map(({ name }) => name)).toEqual(['10']);
    expect((await again.pin(snapshotAt(10, data))).files).toEqual(decodeSnapshotData(data));
  });
});

import { MemoryFileSystem, FaultyFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { filledSource, SOURCE, TestSource } from '../../test/support/source-store.ts';
import { verifyStore } from './verify-store.ts';

async function flip(fs: MemoryFileSystem, name: string, offset: number): Promise<void> {
  const handle = await fs.open(`${SOURCE}/${name}`, 'write');
  const byte = new Uint8Array(1);
  await handle.read(byte, offset);
  await handle.write(Uint8Array.of(byte[0]! ^ 0x10), offset);
  await handle.close();
}

describe('verifyStore', () => {
  test('counts what it has read', async () => {
    const fs = new MemoryFileSystem();
    const source = await filledSource(fs);
    const seen: object[] = [];

    const report = await verifyStore(source, { onProgress: (done) => seen.push(done) });

    const tables = source.versions.current.levels.flat();
    const totalBytes = tables.reduce((sum, { fileBytes }) => sum + fileBytes, 0);
    expect(report).toMatchObject({ tableCount: 2, entryCount: 16, bytes: totalBytes, damage: [] });
    expect(report.blockCount).toBeGreaterThan(4);
    expect(seen).toEqual([
      { bytes: tables[0]!.fileBytes, totalBytes },
      { bytes: totalBytes, totalBytes },
    ]);
  });

  test('finds nothing to read in an empty store', async () => {
    const source = await TestSource.create(new MemoryFileSystem());

    expect(await verifyStore(source)).toEqual({ tableCount: 0, blockCount: 0, entryCount: 0, bytes: 0, damage: [] });
  });

  test('names one place in each damaged table, and goes on', async () => {
    const fs = new MemoryFileSystem();
    const source = await filledSource(fs);
    await flip(fs, '000003.sst', 70);
    await flip(fs, '000003.sst', 300);
    await flip(fs, '000004.sst', 10);

    const { damage, tableCount } = await verifyStore(source);

    expect(tableCount).toBe(2);
    expect(damage.map(({ file, offset }) => ({ file, offset }))).toEqual([
      { file: '000004.sst', offset: 0 },
      { file: '000003.sst', offset: 64 },
    ]);
  });

  test('takes a missing table, another one in its place, and one that the disk does not give for damage', async () => {
    const memory = new MemoryFileSystem();
    const fs = new FaultyFileSystem(memory);
    const source = await filledSource(fs);
    await source.addTable('z#17,SET:late');
    await memory.unlink(`${SOURCE}/000005.sst`);
    await memory.unlink(`${SOURCE}/000004.sst`);
    await memory.link(`${SOURCE}/000003.sst`, `${SOURCE}/000004.sst`);
    fs.inject({
      at: 1,
      kinds: ['read'],
      matchesPath: (path) => path.endsWith('000003.sst'),
      effect: { kind: 'fail', errno: 'EIO' },
    });

    const { damage } = await verifyStore(source);

    expect(damage.map(({ message }) => message)).toEqual([
      expect.stringContaining('000005.sst is damaged at offset 0: the manifest names this table, and it is missing'),
      expect.stringContaining('000004.sst is damaged at offset 0: it is table 3, and table 4 was expected'),
      expect.stringContaining('000003.sst is damaged at offset 0: the disk does not give it'),
    ]);
  });

  test('holds on to its tables while compactions replace them', async () => {
    const fs = new MemoryFileSystem();
    const source = await filledSource(fs);

    const verifying = verifyStore(source, { onProgress: () => void source.dropTables().then(() => source.sweep()) });

    expect(await verifying).toMatchObject({ tableCount: 2, entryCount: 16, damage: [] });
    await source.sweep();
    expect(source.versions.liveTables().size).toBe(0);
  });

  test('ends when it is aborted, before it begins or on the way', async () => {
    const source = await filledSource(new MemoryFileSystem());
    const controller = new AbortController();

    const verifying = verifyStore(source, { signal: controller.signal, onProgress: () => controller.abort() });

    await expect(verifying).rejects.toMatchObject({ code: 'KAYA_ABORTED' });
    await expect(verifyStore(source, { signal: controller.signal })).rejects.toMatchObject({ code: 'KAYA_ABORTED' });
  });
});

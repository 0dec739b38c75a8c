/** `inspectFile` on every kind of file, also without being told the kind, and on files that can be read in part only. */

import { crc32c } from '@kayadb/codec';
import { FileSystemError } from '@kayadb/vfs';
import { InterceptedFileSystem, type MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import {
  abandonedStore,
  evidenceOptions,
  flip,
  manifestName,
  namesEnding,
  putMany,
  writeFile,
} from '../../test/support/evidence.ts';
import { DIRECTORY, openTestEngine, testWorld } from '../../test/support/open-test-engine.ts';
import { type FileInspection, inspectFile, type InspectableKind } from '../index.ts';

type Of<Kind extends InspectableKind> = Extract<FileInspection, { readonly kind: Kind }>;

async function inspectAs<Kind extends InspectableKind>(
  disk: MemoryFileSystem | InterceptedFileSystem,
  kind: Kind,
  name: string,
  options = {},
): Promise<Of<Kind>> {
  const inspection = await inspectFile(disk, `${DIRECTORY}/${name}`, kind, options);
  expect(inspection.kind).toBe(kind);
  return inspection as Of<Kind>;
}

/** A disk on which some stretch of one file cannot be read. */
function withBadSector(disk: MemoryFileSystem, name: string, from: number, to: number): InterceptedFileSystem {
  return new InterceptedFileSystem(disk, {
    call: async ({ kind, paths, position, bytes }, run) => {
      const isBad = kind === 'read' && paths[0]!.endsWith(name) && position! < to && position! + bytes! > from;
      if (isBad) throw new FileSystemError('EIO', 'read', paths[0]!);
      return run();
    },
    callSync: (_operation, run) => run(),
  });
}

describe('inspectFile without a kind', () => {
  test('finds it out by what the file holds, whatever its name, and else by the name', async () => {
    const disk = await abandonedStore();
    const [table] = await namesEnding(disk, '.sst');
    await writeFile(disk, 'copy-of-a-table', await disk.readFile(`${DIRECTORY}/${table}`));
    await writeFile(disk, 'copy-of-current', await disk.readFile(`${DIRECTORY}/CURRENT`));
    await writeFile(disk, '000099.wal', new Uint8Array(10));
    await writeFile(disk, 'RESERVE', new Uint8Array(5000));
    await writeFile(disk, 'BACKUP', new Uint8Array(3));
    await writeFile(disk, 'notes.txt', new Uint8Array(3));
    const names = [
      table!,
      'copy-of-a-table',
      'CURRENT',
      'copy-of-current',
      'LOCK',
      '000099.wal',
      'RESERVE',
      'BACKUP',
      'notes.txt',
      await manifestName(disk),
    ];

    const kinds = await Promise.all(names.map(async (name) => (await inspectFile(disk, `${DIRECTORY}/${name}`)).kind));

    expect(kinds).toEqual([
      'table',
      'table',
      'current',
      'current',
      'lock',
      'wal',
      'reserve',
      'backup',
      'other',
      'manifest',
    ]);
  });

  test('refuses a file of another kind, and says which one it is', async () => {
    const disk = await abandonedStore();
    const [table] = await namesEnding(disk, '.sst');

    const asCurrent = await inspectFile(disk, `${DIRECTORY}/${table}`, 'current');
    const asTable = await inspectFile(disk, `${DIRECTORY}/CURRENT`, 'table');

    expect(asCurrent).toEqual({ kind: 'other', found: 'table' });
    expect(asTable).toEqual({ kind: 'other', found: 'current' });
  });
});

describe('inspectFile on the small files', () => {
  test('CURRENT: what it names, and both checksums when it is damaged', async () => {
    const disk = await abandonedStore();

    const sound = await inspectAs(disk, 'current', 'CURRENT');
    await flip(disk, 'CURRENT', 30);
    const damaged = await inspectAs(disk, 'current', 'CURRENT');

    expect(sound).toMatchObject({ checksum: 'ok', formatVersion: 1, manifest: await manifestName(disk), damage: [] });
    expect(sound.storedCrc).toBe(sound.computedCrc);
    expect(damaged).toMatchObject({ checksum: 'damaged', manifest: null, storedCrc: sound.storedCrc });
    expect(damaged.computedCrc).not.toBe(sound.computedCrc);
    expect(damaged.damage).toHaveLength(1);
  });

  test('LOCK: who took it', async () => {
    const disk = await abandonedStore();

    const sound = await inspectAs(disk, 'lock', 'LOCK');
    await flip(disk, 'LOCK', 0);
    const damaged = await inspectAs(disk, 'lock', 'LOCK');

    expect(sound).toMatchObject({ host: 'test-host', damage: [] });
    expect(sound.pid).toBeGreaterThan(0);
    expect(damaged).toMatchObject({ pid: null, damage: [{ offset: 0 }] });
  });

  test('BACKUP: the files that it lists, with their checksums', async () => {
    const world = testWorld();
    const engine = await openTestEngine(world, evidenceOptions);
    await putMany(engine, 0, 30);
    await engine.backup('/backup');
    await engine.close();

    const list = (await inspectFile(world.fileSystem, '/backup/BACKUP')) as Of<'backup'>;

    expect(list).toMatchObject({ kind: 'backup', checksum: 'ok', formatVersion: 1, sequence: 30, damage: [] });
    expect(list.storedCrc).toBe(list.computedCrc);
    const [first] = list.files;
    const content = await world.fileSystem.readFile(`/backup/${first!.name}`);
    expect(first).toMatchObject({ bytes: content.length, crc: crc32c(content).toString(16).padStart(8, '0') });
  });
});

describe('inspectFile on tables', () => {
  test('shows filter, properties and index, and keys only if they are asked for', async () => {
    const disk = await abandonedStore();
    const [name] = await namesEnding(disk, '.sst');

    const table = await inspectAs(disk, 'table', name!);
    const shown = await inspectAs(disk, 'table', name!, { showKeys: true });

    const blocks = table.sections.filter(({ section }) => section === 'data');
    expect(table.index.map(({ offset }) => offset)).toEqual(blocks.map(({ offset }) => offset));
    expect(table.properties).toMatchObject({ entryCount: 21, blockCount: blocks.length, smallestKey: null });
    expect(table.filter).toMatchObject({ bits: 512, probes: 6 });
    expect(table.filter!.fill).toBeGreaterThan(0.1);
    expect(table.filter!.fill).toBeLessThan(0.5);
    expect(table.filter!.falsePositiveRate).toBeLessThan(0.02);
    expect(blocks[0]).toMatchObject({ compression: 'none' });
    expect(JSON.stringify(table)).not.toContain(Buffer.from('key-').toString('hex'));
    expect(Buffer.from(shown.index[0]!.lastKey!, 'hex').toString()).toMatch(/^key-/);
    expect(Buffer.from(shown.properties!.smallestKey!, 'hex').toString()).toMatch(/^key-/);
  });

  test('has for each structure the checksum that stands there and the one that its bytes have', async () => {
    const disk = await abandonedStore();
    const [name] = await namesEnding(disk, '.sst');
    const sound = await inspectAs(disk, 'table', name!);

    for (const { section, offset } of sound.sections) {
      await flip(disk, name!, offset + 9);
      const table = await inspectAs(disk, 'table', name!);
      await flip(disk, name!, offset + 9);

      const piece = table.sections.find((each) => each.offset === offset)!;
      expect({ section, stored: piece.storedCrc }).toEqual({
        section,
        stored: sound.sections.find((each) => each.offset === offset)!.storedCrc,
      });
      expect({ section, isOk: piece.storedCrc === piece.computedCrc }).toEqual({ section, isOk: false });
    }
    expect(sound.sections.every(({ storedCrc, computedCrc }) => storedCrc !== null && storedCrc === computedCrc)).toBe(
      true,
    );
  });
});

describe('inspectFile on logs', () => {
  test('has the checksums of each record, and of what does not verify', async () => {
    const disk = await abandonedStore();
    const [name] = await namesEnding(disk, '.wal');
    const sound = await inspectAs(disk, 'wal', name!);
    await flip(disk, name!, sound.records[2]!.offset + 40);

    const damaged = await inspectAs(disk, 'wal', name!);

    expect(sound.records.every(({ storedCrc, computedCrc }) => storedCrc !== null && storedCrc === computedCrc)).toBe(
      true,
    );
    const [gap] = damaged.gaps;
    expect(gap).toMatchObject({ offset: sound.records[2]!.offset, storedCrc: sound.records[2]!.storedCrc });
    expect(gap!.computedCrc).not.toBe(gap!.storedCrc);
  });
});

describe('inspectFile on a disk with a bad sector', () => {
  test('describes what can be read on both sides, and says what could not be', async () => {
    const disk = await abandonedStore();
    const [name] = await namesEnding(disk, '.wal');

    const log = await inspectAs(withBadSector(disk, name!, 9000, 9100), 'wal', name!);

    expect(log.unreadable).toEqual([{ offset: 8192, bytes: 4096, reason: expect.stringContaining('EIO') as string }]);
    expect(log.records).toHaveLength(10);
  });

  test('still finds the footer and every other block of a table', async () => {
    const disk = await abandonedStore();
    const [name] = await namesEnding(disk, '.sst');
    const sound = await inspectAs(disk, 'table', name!);

    const table = await inspectAs(withBadSector(disk, name!, 0, 10), 'table', name!);

    expect(sound.unreadable).toEqual([]);
    expect(table.unreadable.length).toBeGreaterThan(0);
    expect(table.damage.length).toBeGreaterThan(0);
  });

  test('fails where the file cannot be opened', async () => {
    const disk = await abandonedStore();
    const refusing = new InterceptedFileSystem(disk, {
      call: async (operation, run) => {
        if (operation.kind === 'open') throw new FileSystemError('EACCES', 'open', operation.paths[0]!);
        return run();
      },
      callSync: (_operation, run) => run(),
    });

    await expect(inspectFile(refusing, `${DIRECTORY}/CURRENT`)).rejects.toMatchObject({ code: 'KAYA_FS_PERMISSION' });
  });
});

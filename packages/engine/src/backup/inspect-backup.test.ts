import { FileSystemError } from '@kayadb/vfs';
import { InterceptedFileSystem, MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { filledSource } from '../../test/support/source-store.ts';
import { backup } from './backup.ts';
import { inspectBackup } from './inspect-backup.ts';

const BACKUP = '/backup';

async function backedUp(): Promise<MemoryFileSystem> {
  const fs = new MemoryFileSystem();
  await backup(await filledSource(fs, undefined), BACKUP);
  return fs;
}

async function flip(fs: MemoryFileSystem, name: string, offset: number): Promise<void> {
  const handle = await fs.open(`${BACKUP}/${name}`, 'write');
  const byte = new Uint8Array(1);
  await handle.read(byte, offset);
  await handle.write(Uint8Array.of(byte[0]! ^ 0x10), offset);
  await handle.close();
}

/** A disk on which one file cannot be read from `position` on. */
function withBadSector(disk: MemoryFileSystem, name: string, position: number): InterceptedFileSystem {
  return new InterceptedFileSystem(disk, {
    call: async (operation, run) => {
      const isBad = operation.kind === 'read' && operation.paths[0]!.endsWith(name) && operation.position! >= position;
      if (isBad) throw new FileSystemError('EIO', 'read', operation.paths[0]!);
      return run();
    },
    callSync: (_operation, run) => run(),
  });
}

describe('inspectBackup', () => {
  test('finds nothing in a whole backup', async () => {
    const fs = await backedUp();

    const report = await inspectBackup(BACKUP, { fileSystem: fs });

    expect(report).toMatchObject({ fileCount: 5, info: { sequence: 16, tableCount: 2 }, damage: [] });
  });

  test('names every file that is not what was written, in the order of names, with the place', async () => {
    const fs = await backedUp();
    await flip(fs, '000003.sst', 100);
    await fs.unlink(`${BACKUP}/000004.sst`);
    await (await fs.open(`${BACKUP}/000099.sst`, 'create')).close();
    await flip(fs, 'CURRENT', 3);

    const { damage } = await inspectBackup(BACKUP, { fileSystem: fs });

    expect(damage).toEqual([
      { file: '000003.sst', offset: 64, reason: 'the checksum of the block does not match', isUnreadable: false },
      { file: '000004.sst', offset: 0, reason: expect.stringContaining('missing') as string, isUnreadable: false },
      { file: '000099.sst', offset: 0, reason: 'the backup does not list it', isUnreadable: false },
      { file: 'CURRENT', offset: 0, reason: expect.stringContaining('the CRC') as string, isUnreadable: false },
    ]);
  });

  test('goes on behind a file that the operating system does not give, and says so', async () => {
    const fs = await backedUp();
    await flip(fs, 'CURRENT', 3);
    const steps: { readonly bytes: number; readonly totalBytes: number }[] = [];

    const { damage } = await inspectBackup(BACKUP, {
      fileSystem: withBadSector(fs, '000003.sst', 0),
      onProgress: (step) => steps.push(step),
    });

    expect(damage.map(({ file, isUnreadable }) => [file, isUnreadable])).toEqual([
      ['000003.sst', true],
      ['CURRENT', false],
    ]);
    expect(steps.at(-1)!.bytes).toBe(steps.at(-1)!.totalBytes);
  });
});

import { FaultyFileSystem, MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import type { FileNumber } from '../key/internal-key.ts';
import { ObsoleteRemover } from './obsolete-remover.ts';

interface World {
  readonly fs: FaultyFileSystem;
  readonly remover: ObsoleteRemover;
  readonly failures: string[];
  readonly forgotten: FileNumber[];
  isAllowed: boolean;
  names: () => Promise<readonly string[]>;
}

/** A folder with all kinds of files, of which 000005.sst, 000006.wal and MANIFEST-000007 are in use. */
async function removerWorld(): Promise<World> {
  const fs = new FaultyFileSystem(new MemoryFileSystem());
  const names = ['000003.sst', '000004.wal', '000005.sst', '000006.wal', '000012.sst', 'CURRENT', 'CURRENT.tmp'];
  for (const name of [...names, 'MANIFEST-000002', 'MANIFEST-000007', 'MANIFEST-000009']) {
    await (await fs.open(`/${name}`, 'create')).close();
  }
  const world: World = {
    fs,
    failures: [],
    forgotten: [],
    isAllowed: true,
    names: async () => (await fs.readDirectory('/')).map(({ name }) => name),
    remover: new ObsoleteRemover({
      fileSystem: fs,
      directory: '',
      filesInUse: () => ({ tables: new Set([5]), manifestNumber: 7, oldestSegment: 6, nextFileNumber: 12 }),
      isAllowed: () => world.isAllowed,
      onRemoveTable: (fileNumber) => void world.forgotten.push(fileNumber),
      onFailure: ({ message }) => void world.failures.push(message),
    }),
  };
  return world;
}

const inUse = [
  '000005.sst',
  '000006.wal',
  '000012.sst',
  'CURRENT',
  'CURRENT.tmp',
  'MANIFEST-000007',
  'MANIFEST-000009',
];

describe('ObsoleteRemover', () => {
  test('removes what nothing needs, and nothing that may be on its way to be published', async () => {
    const { remover, names, forgotten } = await removerWorld();

    remover.kick();
    await remover.idle();

    expect(await names()).toEqual(inUse);
    expect(forgotten).toEqual([3]);
  });

  // One file that could not be removed kept all that came after it in the alphabet.
  test('goes on when one file cannot be removed', async () => {
    const { fs, remover, names, failures } = await removerWorld();
    fs.inject({ at: 1, kinds: ['unlink'], effect: { kind: 'fail', errno: 'EPERM' } });

    remover.kick();
    await remover.idle();

    expect(await names()).toEqual(['000003.sst', ...inUse]);
    expect(failures).toEqual([expect.stringContaining('000003.sst')]);
  });

  test('asks before every removal whether it is allowed still', async () => {
    const world = await removerWorld();
    const before = await world.names();
    world.isAllowed = false;

    world.remover.kick();
    await world.remover.idle();

    expect(await world.names()).toEqual(before);
    expect(world.forgotten).toEqual([]);
  });
});

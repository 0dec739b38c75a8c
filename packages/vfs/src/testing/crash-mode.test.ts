import { describe, expect, test } from 'vitest';

import { crashModes } from './crash-mode.ts';
import { MemoryFileSystem } from './memory-file-system.ts';

const never = (): number => 0.999;

/** The modes as words: `torn-last-write 512`. */
function namesOf(fs: MemoryFileSystem): readonly string[] {
  return crashModes(fs, never).map((mode) => Object.values(mode).join(' '));
}

describe('crashModes', () => {
  test('is the death of the process alone when nothing is unsynced', async () => {
    const fs = new MemoryFileSystem();
    await fs.makeDirectory('/db');
    await fs.syncDirectory('/');

    expect(namesOf(fs)).toEqual(['everything']);
  });

  test('tears the last write at each sector and at random bytes', async () => {
    const fs = new MemoryFileSystem();
    const handle = await fs.open('/a', 'create');
    await fs.syncDirectory('/');
    await handle.write(new Uint8Array(1100), 0);

    const torn = namesOf(fs).filter((name) => name.startsWith('torn'));

    expect(torn).toEqual([
      'torn-last-write 0',
      'torn-last-write 512',
      'torn-last-write 1024',
      'torn-last-write 1098',
      'torn-last-write 1098',
    ]);
  });

  test('loses each file and each change of names alone, and keeps each of these alone', async () => {
    const fs = new MemoryFileSystem();
    for (const path of ['/a', '/b', '/c']) {
      const handle = await fs.open(path, 'create');
      if (path !== '/c') await handle.write(new Uint8Array(1), 0);
    }

    const alone = namesOf(fs).filter((name) => name.startsWith('one-'));

    expect(alone.toSorted()).toEqual([
      'one-file-lost 0',
      'one-file-lost 1',
      'one-name-kept 0',
      'one-name-kept 1',
      'one-name-kept 2',
      'one-name-lost 0',
      'one-name-lost 1',
      'one-name-lost 2',
    ]);
  });

  test('spreads what it tries over a long list, with its first and its last', async () => {
    const fs = new MemoryFileSystem();
    const handle = await fs.open('/a', 'create');
    await handle.write(new Uint8Array(512 * 100), 0);

    const torn = crashModes(fs, never).flatMap((mode) => (mode.kind === 'torn-last-write' ? [mode.bytes] : []));

    expect(torn).toHaveLength(16 + 2);
    expect([torn[0], torn[15]]).toEqual([0, 512 * 99]);
  });
});

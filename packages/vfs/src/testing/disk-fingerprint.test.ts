import { describe, expect, test } from 'vitest';

import { crashClone } from './crash-clone.ts';
import { diskFingerprint } from './disk-fingerprint.ts';
import { MemoryFileSystem } from './memory-file-system.ts';

async function openDisk(): Promise<MemoryFileSystem> {
  const fs = new MemoryFileSystem();
  await fs.makeDirectory('/d');
  const handle = await fs.open('/d/a', 'create');
  await handle.write(new Uint8Array(5000).fill(1), 0);
  return fs;
}

const clone = (fs: MemoryFileSystem): MemoryFileSystem => crashClone(fs, { kind: 'everything' }, () => 0);

describe('diskFingerprint', () => {
  test('is the same for the same names and bytes, synced or not', async () => {
    const one = await openDisk();
    const other = await openDisk();
    await other.syncDirectory('/');

    expect(diskFingerprint(one)).toBe(diskFingerprint(other));
    expect(diskFingerprint(clone(one))).toBe(diskFingerprint(one));
  });

  test('is another one after any change', async () => {
    const fs = await openDisk();
    const seen = new Set([diskFingerprint(fs)]);
    const handle = await fs.open('/d/a', 'write');

    await handle.write(Uint8Array.of(2), 0);
    seen.add(diskFingerprint(fs));
    await handle.truncate(4999);
    seen.add(diskFingerprint(fs));
    await handle.truncate(5000);
    seen.add(diskFingerprint(fs));
    await fs.link('/d/a', '/d/b');
    seen.add(diskFingerprint(fs));
    await fs.rename('/d/b', '/b');
    seen.add(diskFingerprint(fs));
    await fs.makeDirectory('/e');
    seen.add(diskFingerprint(fs));

    expect(seen.size).toBe(7);
  });

  test('notices a change that is made after it was taken, in the copy and in the original', async () => {
    const fs = await openDisk();
    const before = diskFingerprint(fs);
    const copy = clone(fs);
    diskFingerprint(copy);
    const handle = await copy.open('/d/a', 'write');

    await handle.write(Uint8Array.of(2), 4999);

    expect(diskFingerprint(clone(copy))).not.toBe(before);
    expect(diskFingerprint(fs)).toBe(before);
  });
});

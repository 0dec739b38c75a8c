import type { FileSystem } from '@kayadb/vfs';
import { FaultyFileSystem, MemoryFileSystem, TraceFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { STORE_ID } from '../../test/support/log-disk.ts';
import { CorruptionError, EngineError } from '../errors.ts';
import { inspectManifest, type ManifestContent, ManifestWriter, readManifest } from './manifest.ts';
import type { VersionEdit } from './version-edit.ts';

const identity = { storeId: STORE_ID, fileNumber: 7 };
const edits: readonly VersionEdit[] = [
  { nextFileNumber: 9, oldestSegment: 8, flushedSequence: 0 },
  { flushedSequence: 5, nextFileNumber: 12 },
  { cleanClose: { segment: 8, endLsn: 100, lastSequence: 5 } },
];

async function writeManifest(fs: FileSystem): Promise<ManifestWriter> {
  await fs.makeDirectory('/db');
  const manifest = await ManifestWriter.create(fs, '/db', identity, edits[0]!);
  for (const edit of edits.slice(1)) await manifest.append(edit);
  return manifest;
}

async function read(fs: FileSystem): Promise<ManifestContent & { readonly edits: readonly VersionEdit[] }> {
  const found: VersionEdit[] = [];
  return { ...(await readManifest(fs, '/db', identity, (edit) => found.push(edit))), edits: found };
}

async function cut(fs: FileSystem, length: number): Promise<void> {
  const handle = await fs.open('/db/MANIFEST-000007', 'write');
  await handle.truncate(length);
  await handle.close();
}

async function flip(fs: FileSystem, offset: number): Promise<void> {
  const byte = (await fs.readFile('/db/MANIFEST-000007'))[offset]!;
  const handle = await fs.open('/db/MANIFEST-000007', 'write');
  handle.writeSync(Uint8Array.of(byte ^ 1), offset);
  await handle.close();
}

describe('manifest', () => {
  test('gives back the edits that were appended', async () => {
    const fs = new MemoryFileSystem();
    const manifest = await writeManifest(fs);

    const content = await read(fs);

    expect(content.edits).toEqual(edits);
    expect(content).toMatchObject({ editCount: 3, verdict: { kind: 'end', offset: manifest.bytes } });
  });

  test('does these file operations', async () => {
    const fs = new TraceFileSystem(new MemoryFileSystem(), '/db', ['write', 'sync', 'syncDirectory', 'close']);

    const manifest = await writeManifest(fs);
    await manifest.close();

    await expect(`${fs.takeLines().join('\n')}\n`).toMatchFileSnapshot('../../test/golden/manifest-files.txt');
  });

  test('drops a last edit that is cut anywhere', async () => {
    const fs = new MemoryFileSystem();
    const whole = await writeManifest(fs);
    const lastStart = whole.bytes - 40;

    const contents: ManifestContent[] = [];
    for (let length = whole.bytes - 4; length > lastStart; length--) {
      await cut(fs, length);
      contents.push(await read(fs));
    }

    expect(contents.map(({ editCount }) => editCount)).toEqual(contents.map(() => 2));
    expect(contents.every(({ verdict }) => verdict.kind === 'torn' && verdict.offset === lastStart)).toBe(true);
  });

  test('is damaged where an edit before the last does not verify', async () => {
    const fs = new MemoryFileSystem();
    await writeManifest(fs);
    await flip(fs, 70);

    const reading = read(fs);

    await expect(reading).rejects.toThrow(CorruptionError);
    await expect(reading).rejects.toMatchObject({ file: 'MANIFEST-000007', offset: 64 });
  });

  test.each([
    ['missing', async (fs: FileSystem) => fs.unlink('/db/MANIFEST-000007'), 0],
    ['empty', async (fs: FileSystem) => cut(fs, 0), 0],
    ['without an edit', async (fs: FileSystem) => cut(fs, 64), 64],
    ['cut inside its first edit', async (fs: FileSystem) => cut(fs, 80), 64],
    ['damaged in its header', async (fs: FileSystem) => flip(fs, 20), 0],
  ])('is refused when it is %s', async (_, damage, offset) => {
    const fs = new MemoryFileSystem();
    await writeManifest(fs);
    await damage(fs);

    const reading = read(fs);

    await expect(reading).rejects.toThrow(CorruptionError);
    await expect(reading).rejects.toMatchObject({ file: 'MANIFEST-000007', offset });
  });

  test('of another store is refused', async () => {
    const fs = new MemoryFileSystem();
    await writeManifest(fs);

    const reading = readManifest(fs, '/db', { ...identity, storeId: new Uint8Array(16) }, () => undefined);

    await expect(reading).rejects.toThrow('belongs to another store');
  });

  test('with an edit of a newer version is refused as such', async () => {
    const fs = new MemoryFileSystem();
    await writeManifest(fs);

    const reading = readManifest(fs, '/db', identity, () => {
      throw new EngineError('KAYA_UNSUPPORTED', 'field 9');
    });

    await expect(reading).rejects.toMatchObject({ code: 'KAYA_UNSUPPORTED' });
  });

  test('is looked into without an exception', async () => {
    const fs = new MemoryFileSystem();
    await writeManifest(fs);
    await flip(fs, 70);

    const outcome = await inspectManifest(fs, '/db', identity, () => undefined);

    expect(outcome).toMatchObject({ verdict: { kind: 'refused' }, files: [{ state: 'stopped', strayRecordCount: 2 }] });
  });
});

describe('ManifestWriter', () => {
  test('undoes an edit that found the disk full, and goes on', async () => {
    const fs = new MemoryFileSystem();
    const manifest = await writeManifest(fs);
    fs.setCapacity(manifest.bytes + 10);

    await expect(manifest.append({ flushedSequence: 8 })).rejects.toThrow('ENOSPC');

    fs.setCapacity(undefined);
    await manifest.append({ flushedSequence: 9 });
    expect((await read(fs)).edits.at(-1)).toEqual({ flushedSequence: 9 });
  });

  test('takes nothing more after a failed sync', async () => {
    const fs = new FaultyFileSystem(new MemoryFileSystem());
    const manifest = await writeManifest(fs);
    fs.inject({ at: 1, effect: { kind: 'failed-sync', pages: 'clean', errno: 'EIO' } });

    await expect(manifest.append({ flushedSequence: 8 })).rejects.toThrow('EIO');

    await expect(manifest.append({ flushedSequence: 8 })).rejects.toThrow('EIO');
  });
});

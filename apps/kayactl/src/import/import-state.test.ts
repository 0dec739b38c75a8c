import { encodeUtf8 } from '@kayadb/codec';
import { MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { identifyInput, type InputIdentity, ImportStateFile } from './import-state.ts';

const identity: InputIdentity = { bytes: 10, modified_ms: 5, sha256_of_first_mib: 'aa' };
const counts = { lines: 4, imported: 2, bad: 1, blank: 1 };

async function writeFile(fileSystem: MemoryFileSystem, path: string, text: string): Promise<void> {
  const handle = await fileSystem.open(path, 'create');
  await handle.write(encodeUtf8(text), 0);
  await handle.close();
}

describe('ImportStateFile', () => {
  test('gives back what was written for the same input and target', async () => {
    const fileSystem = new MemoryFileSystem();
    await new ImportStateFile(fileSystem, '/in.state', identity, 'here').write(counts);

    const read = await new ImportStateFile(fileSystem, '/in.state', identity, 'here').read();

    expect(read).toEqual(counts);
  });

  test('has nothing before the first write and after remove, which may be repeated', async () => {
    const file = new ImportStateFile(new MemoryFileSystem(), '/in.state', identity, 'here');

    const before = await file.read();
    await file.write(counts);
    await file.remove();
    await file.remove();
    const after = await file.read();

    expect([before, after]).toEqual([undefined, undefined]);
  });

  test.each([
    ['another size', { ...identity, bytes: 11 }, 'here'],
    ['another time', { ...identity, modified_ms: 6 }, 'here'],
    ['another content', { ...identity, sha256_of_first_mib: 'bb' }, 'here'],
    ['another target', identity, 'there'],
  ])('refuses progress that belongs to %s, and names --restart', async (_what, input, target) => {
    const fileSystem = new MemoryFileSystem();
    await new ImportStateFile(fileSystem, '/in.state', identity, 'here').write(counts);

    const reading = new ImportStateFile(fileSystem, '/in.state', input, target).read();

    await expect(reading).rejects.toMatchObject({
      code: 'KAYA_INPUT_CHANGED',
      hint: expect.stringContaining('--restart'),
    });
  });

  test.each([
    '',
    'null',
    '[]',
    '{"format":"kayactl-import 1"}',
    '{"format":"kayactl-import 1","input":{},"target":"here"}',
  ])('refuses to guess at a file that holds %j', async (text) => {
    const fileSystem = new MemoryFileSystem();
    await writeFile(fileSystem, '/in.state', text);

    const reading = new ImportStateFile(fileSystem, '/in.state', identity, 'here').read();

    await expect(reading).rejects.toMatchObject({ code: 'KAYA_INPUT_CHANGED' });
  });
});

describe('identifyInput', () => {
  test('tells files apart by their size and by their first MiB', async () => {
    const fileSystem = new MemoryFileSystem();
    await writeFile(fileSystem, '/a', 'same');
    await writeFile(fileSystem, '/b', 'diff');
    await writeFile(fileSystem, '/c', 'same but longer');

    const [a, b, c] = await Promise.all(['/a', '/b', '/c'].map((path) => identifyInput(fileSystem, path)));

    expect(a).toMatchObject({
      bytes: 4,
      sha256_of_first_mib: '0967115f2813a3541eaef77de9d9d5773f1c0c04314b0bbfe4ff3b3b1c55b5d5',
    });
    expect(b?.sha256_of_first_mib).not.toBe(a?.sha256_of_first_mib);
    expect(c?.bytes).toBe(15);
  });
});

import type { FileStat } from '@kayadb/vfs';
import { describe, expect, test } from 'vitest';

import { checkDataDirectory } from './data-directory.ts';

/** A folder `/data` with one file. */
function folder(mode: number, fileMode = 0o600) {
  const stat = (kind: 'file' | 'directory', bits: number): FileStat => ({ kind, bytes: 0, modifiedMs: 0, mode: bits });
  return {
    stat: async (path: string) => (path === '/data' ? stat('directory', mode) : stat('file', fileMode)),
    readDirectory: async () => [{ name: '000001.wal', kind: 'file' as const }],
  };
}

describe('checkDataDirectory', () => {
  test('has nothing to say about a folder and files of the owner alone, nor about no folder', async () => {
    const missing = { stat: async () => undefined, readDirectory: async () => [] };

    const warnings = [await checkDataDirectory(folder(0o700), '/data'), await checkDataDirectory(missing, '/data')];

    expect(warnings).toEqual([[], []]);
  });

  test.each([0o750, 0o701, 0o770])('warns of mode %o', async (mode) => {
    const warnings = await checkDataDirectory(folder(mode), '/data');

    expect(warnings).toEqual([
      expect.stringContaining(`other users can get at the data folder /data (mode ${mode.toString(8)})`),
    ]);
  });

  test('warns of files that others can read, once', async () => {
    const warnings = await checkDataDirectory(folder(0o700, 0o644), '/data');

    expect(warnings).toEqual(['1 files in /data can be read by other users; run chmod 600 on them']);
  });

  test.each([0o777, 0o702])('refuses mode %o, which lets everybody write', async (mode) => {
    await expect(checkDataDirectory(folder(mode), '/data')).rejects.toMatchObject({
      code: 'KAYA_USAGE',
      message: expect.stringContaining('every user of this machine can write'),
      hint: expect.stringContaining('chmod 700 /data'),
    });
  });

  test('refuses a file', async () => {
    const file = {
      ...folder(0o700),
      stat: async (): Promise<FileStat> => ({ kind: 'file', bytes: 1, modifiedMs: 0, mode: 0o600 }),
    };

    await expect(checkDataDirectory(file, '/data')).rejects.toThrow('--data /data is not a folder');
  });
});

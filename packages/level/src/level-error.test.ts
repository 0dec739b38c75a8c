import { CorruptionError, EngineError } from '@kayadb/engine';
import { describe, expect, test } from 'vitest';

import { LevelError, toLevelError } from './level-error.ts';

describe('toLevelError', () => {
  test.each([
    ['KAYA_ENGINE_CLOSED', 'LEVEL_DATABASE_NOT_OPEN'],
    ['KAYA_ENGINE_POISONED', 'LEVEL_IO_ERROR'],
    ['KAYA_SNAPSHOT_CLOSED', 'LEVEL_SNAPSHOT_NOT_OPEN'],
    ['KAYA_ABORTED', 'LEVEL_ABORTED'],
    ['KAYA_STORE_MISSING', 'LEVEL_DATABASE_NOT_OPEN'],
  ] as const)('gives %s the code %s and keeps it as the cause', (engineCode, code) => {
    const cause = new EngineError(engineCode, 'what happened');

    const error = toLevelError(cause);

    expect(error).toBeInstanceOf(LevelError);
    expect(error).toMatchObject({ code, message: 'what happened', cause });
  });

  test.each([
    ['KAYA_LOCKED', 'LEVEL_LOCKED'],
    ['KAYA_DISK_FULL', 'LEVEL_IO_ERROR'],
    ['KAYA_IO', 'LEVEL_IO_ERROR'],
    ['KAYA_FS_PERMISSION', 'LEVEL_IO_ERROR'],
  ])('knows %s of the file system as %s', (fileSystemCode, code) => {
    const cause = Object.assign(new Error('what happened'), { code: fileSystemCode });

    expect(toLevelError(cause)).toMatchObject({ code, cause });
  });

  test('names file and offset of damage in its message', () => {
    const error = toLevelError(new CorruptionError('000007.sst', 42, 'a checksum is wrong'));

    expect(error).toMatchObject({
      code: 'LEVEL_CORRUPTION',
      message: '000007.sst is damaged at offset 42: a checksum is wrong',
    });
  });

  test('calls an abort AbortError, as the web does', () => {
    expect(toLevelError(new EngineError('KAYA_ABORTED', 'stopped'))).toMatchObject({ name: 'AbortError' });
  });

  test.each([
    ['wrong arguments', new RangeError('too long')],
    ['what Level has no code for', new EngineError('KAYA_UNSUPPORTED', 'too new')],
    ['what is no error', 'text'],
  ])('leaves %s as it is', (_, error) => {
    expect(toLevelError(error)).toBe(error);
  });
});

import { FileSystemError } from '@kayadb/vfs';
import { describe, expect, test } from 'vitest';

import { foundNoRoom } from './reserve-file.ts';

describe('foundNoRoom', () => {
  test.each([
    ['ENOSPC', 'write', true],
    ['EDQUOT', 'open', true],
    ['ENOSPC', 'sync', false],
    ['ENOSPC', 'syncDirectory', false],
    // What a close says comes too late: the work may be in effect.
    ['EDQUOT', 'close', false],
    ['EIO', 'write', false],
  ])('of %s at %s: %j', (errno, operation, expected) => {
    expect(foundNoRoom(new FileSystemError(errno, operation, '/db/000001.wal'))).toBe(expected);
  });
});

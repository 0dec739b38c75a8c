import { describe, expect, test } from 'vitest';

import { FileSystemError, isDiskFull } from './file-system-error.ts';

describe('FileSystemError', () => {
  test.each([
    ['ENOENT', 'no such file or folder; check the path'],
    ['ENOTDIR', 'it is a file, or lies below one, and a folder was expected; check the path'],
    ['ENAMETOOLONG', 'the name is too long; choose a shorter one'],
    ['EXDEV', 'the operating system reported an input/output error; check the disk'],
  ])('says what %s means, and what to do', (errno, advice) => {
    const error = new FileSystemError(errno, 'open', '/a/b');

    expect(error.message).toBe(`open of /a/b failed with ${errno}: ${advice}`);
  });
});

describe('isDiskFull', () => {
  test.each([
    ['ENOSPC', 'write', true],
    ['EDQUOT', 'open', true],
    ['ENOSPC', 'sync', false],
    ['ENOSPC', 'syncDirectory', false],
    // What a close says comes too late: the work may be in effect.
    ['EDQUOT', 'close', false],
    ['EIO', 'write', false],
  ])('of %s at %s: %j', (errno, operation, expected) => {
    expect(isDiskFull(new FileSystemError(errno, operation, '/db/000001.wal'))).toBe(expected);
  });
});

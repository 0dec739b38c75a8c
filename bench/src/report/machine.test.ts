import { describe, expect, test } from 'vitest';

import { fileSystemOf } from './machine.ts';

const MOUNTS = ['/dev/a / ext4 rw,relatime 0 0', 'tmpfs /tmp tmpfs rw 0 0', '/dev/b /tmp/x xfs rw 0 0', ''].join('\n');

describe('fileSystemOf', () => {
  test.each([
    ['/home/me', 'ext4 (rw,relatime)'],
    ['/tmp', 'tmpfs (rw)'],
    ['/tmp/xy', 'tmpfs (rw)'],
    ['/tmp/x/y', 'xfs (rw)'],
  ])('finds the innermost mount of %s', (path, found) => {
    expect(fileSystemOf(path, MOUNTS)).toBe(found);
  });
});

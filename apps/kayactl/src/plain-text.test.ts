import { describe, expect, test } from 'vitest';

import { plainText } from './plain-text.ts';

describe('plainText', () => {
  test('lets no name of a file reach the terminal as a command', () => {
    expect(plainText('a\u001B[2Jb\rc\u202Ed\u0000')).toBe('a\uFFFD[2Jb\uFFFDc\uFFFDd\uFFFD');
  });

  test('leaves lines and letters as they are', () => {
    expect(plainText('DAMAGE: größe 100 µs\nnext')).toBe('DAMAGE: größe 100 µs\nnext');
  });
});

import { describe, expect, test } from 'vitest';

import { shellWord } from './shell-word.ts';

describe('shellWord', () => {
  test.each([
    ['/srv/kaya-1/data', '/srv/kaya-1/data'],
    ['/srv/my data', "'/srv/my data'"],
    ["/it's", String.raw`'/it'\''s'`],
    ['$(reboot)', "'$(reboot)'"],
    ['', "''"],
  ])('%s is %s', (text, word) => {
    expect(shellWord(text)).toBe(word);
  });
});

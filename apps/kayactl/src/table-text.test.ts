import { describe, expect, test } from 'vitest';

import { formatTable } from './table-text.ts';

describe('formatTable', () => {
  test('aligns columns, and lets a short row run on without widening them', async () => {
    const rows = [
      ['a', '1', '2'],
      ['other', 'no answer: $& the server is down'],
      ['b', '100', '-'],
      ['c', 'gone'],
    ];

    const text = await formatTable(['NAME', 'X', 'Y'], rows);

    expect(text.split('\n')).toEqual([
      'NAME   X    Y',
      'a      1    2',
      'other  no answer: $& the server is down',
      'b      100  -',
      'c      gone',
    ]);
  });
});

import { describe, expect, test } from 'vitest';

import { nearestName } from './nearest-name.ts';

describe('nearestName', () => {
  test.each([
    ['client-adr', 'client-addr'],
    ['clientaddr', 'client-addr'],
    ['dta', 'data'],
    ['colour', undefined],
  ])('takes %s for %s', (name, expected) => {
    const found = nearestName(name, ['client-addr', 'raft-addr', 'data']);

    expect(found).toBe(expected);
  });
});

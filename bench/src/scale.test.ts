import { describe, expect, test } from 'vitest';

import { scaleOf } from './scale.ts';

describe('scaleOf', () => {
  test('follows from the number of entries', () => {
    const scale = scaleOf(1_000_000, 'usual');

    expect(scale).toMatchObject({
      entries: 1_000_000,
      largeEntries: 500_000,
      longEntries: 20_000_000,
      getCount: 300_000,
    });
  });

  test('leaves no workload without operations however few entries there are', () => {
    const scale = scaleOf(1, 'smoke');

    const counts = Object.entries(scale).filter(([name]) => name.endsWith('Count') || name.endsWith('Entries'));
    expect(counts.length).toBeGreaterThan(5);
    for (const [, count] of counts) expect(count).toBeGreaterThanOrEqual(100);
  });
});

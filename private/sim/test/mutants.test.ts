import { describe, expect, test } from 'vitest';

import { findStale } from '../src/mutants/mutant.ts';
import { mutants } from '../src/mutants/mutants.ts';

describe('mutants', () => {
  test('still have the place that they change, once', () => {
    const stale = findStale(mutants);

    expect(stale).toEqual([]);
  });

  test('have names of their own', () => {
    const names = new Set(mutants.map(({ name }) => name));

    expect(names.size).toBe(mutants.length);
  });
});

import { describe, expect, test } from 'vitest';

import { checkOps, shrinkOps } from './shrink.ts';

/** Fails when `a` comes before `b`, wherever they stand. */
async function failsOnAThenB(ops: readonly string[]): Promise<void> {
  const a = ops.indexOf('a');
  if (a >= 0 && ops.indexOf('b', a) > a) throw new Error('a before b');
}

describe('shrinkOps', () => {
  test('keeps only what the failure needs', async () => {
    const ops = ['x', 'a', 'x', 'x', 'x', 'a', 'x', 'b', 'x', 'x', 'b'];

    const result = await shrinkOps(ops, failsOnAThenB);

    expect(result?.ops).toEqual(['a', 'b']);
    expect(result?.failure).toEqual(new Error('a before b'));
  });

  test('finds nothing in a run that passes', async () => {
    const result = await shrinkOps(['b', 'a'], failsOnAThenB);

    expect(result).toBeUndefined();
  });

  test('stops at its bound of runs', async () => {
    const ops = [...Array.from({ length: 1000 }, () => 'x'), 'a', 'b'];

    const result = await shrinkOps(ops, failsOnAThenB, 5);

    expect(result?.runs).toBe(5);
    expect(result?.ops.slice(-2)).toEqual(['a', 'b']);
  });

  test('takes a rejection without a reason for a failure', async () => {
    const result = await shrinkOps(['x', 'y'], () => Promise.reject(undefined));

    expect(result?.ops).toEqual([]);
  });
});

describe('checkOps', () => {
  test('throws the seed, the shortest list and the reason', async () => {
    const ops = ['x', 'a', 'x', 'b'];

    const check = checkOps({ ops, run: failsOnAThenB, print: (op) => `op ${op}`, seed: 9 });

    await expect(check).rejects.toThrow('seed 9: 2 of 4 operations still fail:\n  op a\n  op b\na before b');
  });

  test('is silent about a run that passes', async () => {
    const check = checkOps({ ops: ['b', 'a'], run: failsOnAThenB, print: String, seed: 9 });

    await expect(check).resolves.toBeUndefined();
  });
});

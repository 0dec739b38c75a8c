import { resolve } from 'node:path';

import { describe, expect, test } from 'vitest';

import { parseOptions } from './options.ts';

describe('parseOptions', () => {
  test('measures a million entries of every engine in five rounds unless told otherwise', () => {
    const options = parseOptions([]);

    expect(options).toMatchObject({ size: 'usual', rounds: 5, entries: 1_000_000, out: resolve('bench/results') });
    expect(options.engines).toEqual(['kayadb', 'classic-level', 'lmdb', 'rocksdb', 'better-sqlite3']);
    expect(options.families.map(({ name }) => name)).not.toContain('load-long');
  });

  test('takes every workload once in a small size with --smoke', () => {
    const options = parseOptions(['--smoke']);

    expect(options).toMatchObject({ size: 'smoke', rounds: 1, entries: 3000 });
    expect(options.families.map(({ name }) => name)).toContain('load-long');
  });

  test('takes the long load along with --long', () => {
    const options = parseOptions(['--long']);

    expect(options).toMatchObject({ size: 'long', rounds: 5, entries: 1_000_000 });
    expect(options.families.map(({ name }) => name)).toContain('load-long');
  });

  test('takes sizes, workloads, engines and folders', () => {
    const words = '--rounds 7 --entries 5000 --only get-hit,fillseq --engines lmdb,kayadb --out o --data d'.split(' ');

    const options = parseOptions(words);

    expect(options).toMatchObject({ rounds: 7, entries: 5000, out: resolve('o'), data: resolve('d') });
    expect(options.engines).toEqual(['kayadb', 'lmdb']);
    expect(options.families.map(({ name }) => name)).toEqual(['fillseq', 'reads']);
  });
});

import { existsSync } from 'node:fs';

import { describe, expect, test } from 'vitest';

import { FILE_COSTS } from './file-costs.ts';
import { orderFiles, type PlannedFile } from './order-files.ts';

const ROOT = new URL('../../', import.meta.url);

function file(name: string, project = 'engine'): PlannedFile {
  return { path: name, project: `@kayadb/${project}` };
}

function pathsOf(files: readonly PlannedFile[]): string {
  return files.map(({ path }) => path).join(' ');
}

describe('orderFiles', () => {
  test('puts the dearest first, and keeps short ones of a project together', () => {
    const files = [file('a'), file('b', 'raft'), file('c'), file('d', 'raft'), file('dear', 'raft')];

    const order = orderFiles(files, { dear: 20 }, 2);

    expect(pathsOf(order)).toBe('dear a c b d');
  });

  test('has one of two workers wait while the other computes, for as long as there is something to compute', () => {
    const costs = { w1: 30, w2: 20, w3: 10, c1: 25, c2: 15 };
    const waiting = ['w1', 'w2', 'w3'].map((name) => file(name, 'e2e'));
    const computing = ['c1', 'c2'].map((name) => file(name));

    const order = orderFiles([...computing, ...waiting], costs, 2);

    // One goes from w1 to w2, the other from c1 to c2, and what is left is taken by whoever is free.
    expect(pathsOf(order)).toBe('w1 c1 c2 w2 w3');
  });

  test('has half of the workers wait where there are more', () => {
    const waiting = ['w1', 'w2', 'w3'].map((name) => file(name, 'e2e'));
    const computing = ['c1', 'c2'].map((name) => file(name));

    const order = orderFiles([...waiting, ...computing], {}, 4);

    expect(pathsOf(order)).toBe('w1 w2 c1 c2 w3');
  });

  test.each([0, 1, 2, 7])('keeps every file once with %i workers', (workers) => {
    const files = Array.from({ length: 40 }, (_, at) => file(`f${at}`, at % 3 === 0 ? 'e2e' : 'engine'));

    const order = orderFiles(files, { f0: 9, f1: 9 }, workers);

    expect(order.toSorted((a, b) => (a.path < b.path ? -1 : 1))).toEqual(
      files.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
    );
  });
});

describe('the costs of files', () => {
  test('are of files that are there', () => {
    const gone = Object.keys(FILE_COSTS).filter((path) => !existsSync(new URL(path, ROOT)));

    expect(gone).toEqual([]);
  });
});

import { describe, expect, test } from 'vitest';

import { findFilesWithoutOpening, findLongFiles } from '../src/file-shape.ts';
import { repositoryFiles } from '../src/repository.ts';

describe('the shape of files', () => {
  test('keeps sources at 400 lines and tests at 800', () => {
    const long = findLongFiles(repositoryFiles());

    expect(long).toEqual([]);
  });

  test('opens every source with a comment that says what it is', () => {
    const bare = findFilesWithoutOpening(repositoryFiles());

    expect(bare).toEqual([]);
  });
});

describe('findLongFiles', () => {
  test.each([
    ['packages/a/src/x.ts', 400, 0],
    ['packages/a/src/x.ts', 401, 1],
    ['packages/a/src/x.test.ts', 800, 0],
    ['packages/a/test/x.ts', 801, 1],
    ['docs/x.md', 5000, 0],
  ])('measures %s with %i lines', (path, lines, violations) => {
    const text = 'x\n'.repeat(lines);

    expect(findLongFiles([{ path, text }])).toHaveLength(violations);
  });
});

describe('findFilesWithoutOpening', () => {
  test.each([
    [`import { a } from './a.ts';\n\n/** What a is for. */\nexport const b = a;\n`, 1],
    [`export const a = 1;\n`, 1],
    [`/** What it is. */\nexport const a = 1;\n`, 0],
    [`// What it is.\nexport const a = 1;\n`, 0],
    [`#!/usr/bin/env node\n// What it is.\nrun();\n`, 0],
    [`export { a, type B } from './a.ts';\nexport * from './c.ts';\nexport type { D } from './d.ts';\n`, 0],
    [`export {};\n`, 0],
  ])('judges %j', (text, violations) => {
    expect(findFilesWithoutOpening([{ path: 'packages/a/src/x.ts', text }])).toHaveLength(violations);
  });
});

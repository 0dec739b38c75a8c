import { describe, expect, test } from 'vitest';

import { countNamedTests, findDeadTests } from '../src/named-tests.ts';
import { filesMatching } from '../src/repository.ts';

const tests = filesMatching(/\.test\.ts$/);

describe('the pages that argue with tests', () => {
  test.each([
    ['docs/internals/durability.md', 15],
    ['docs/internals/proof.md', 8],
    ['docs/internals/real-clusters.md', 5],
    ['docs/operating/threat-model.md', 25],
  ])('%s names tests that are there', (path, least) => {
    const [page] = filesMatching(new RegExp(`^${path.replaceAll('.', String.raw`\.`)}$`));

    const dead = findDeadTests(page!, tests);

    expect(dead).toEqual([]);
    expect(countNamedTests(page!).files).toBeGreaterThanOrEqual(least);
  });
});

describe('findDeadTests', () => {
  const file = { path: 'a/b.test.ts', text: `test('opens and closes', () => {});\ntest('reads', () => {});` };
  const deadIn = (text: string): readonly string[] => findDeadTests({ path: 'x.md', text }, [file]);

  test.each([
    ['`a/b.test.ts`'],
    ['`a/b.test.ts`, "opens and closes"; more'],
    ['`a/b.test.ts`,\n"opens and\ncloses", and "reads" (twice)'],
    ['`a/b.ts`, "nothing"'],
  ])('accepts %j', (text) => {
    expect(deadIn(text)).toEqual([]);
  });

  test.each([
    ['`a/c.test.ts`', 'x.md:1: there is no a/c.test.ts'],
    ['\n`a/b.test.ts`, "writes"', 'x.md:2: a/b.test.ts has no test "writes"'],
    ['`a/b.test.ts`, "reads", and "writes"', 'x.md:1: a/b.test.ts has no test "writes"'],
  ])('reports %j', (text, line) => {
    expect(deadIn(text)).toEqual([line]);
  });
});

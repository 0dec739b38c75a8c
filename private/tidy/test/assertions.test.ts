import { describe, expect, test } from 'vitest';

import { findBadTests } from '../src/assertions.ts';
import { repositoryFiles } from '../src/repository.ts';

describe('the tests', () => {
  test('assert something, are switched on, and do not sleep', () => {
    const bad = findBadTests(repositoryFiles());

    expect(bad).toEqual([]);
  });
});

describe('findBadTests', () => {
  test.each([
    [`test('a', () => {\n  run();\n});\n`, 'x.test.ts:1: no assertion'],
    [`test('a', () => {\n  // expect(1).toBe(1)\n});\n`, 'x.test.ts:1: no assertion'],
    [`test('a expect(', async () => {\n  await run('expect(1)');\n});\n`, 'x.test.ts:1: no assertion'],
    [`test.each([1, 2])('a', (n) => {\n  run(n);\n});\nexpect(1);\n`, 'x.test.ts:1: no assertion'],
    [`\nit('a', function () {\n  run();\n});\n`, 'x.test.ts:2: no assertion'],
    [`test.skip('a', () => expect(1).toBe(1));`, 'x.test.ts:1: test.skip: switched off'],
    [`describe.only('a', () => {});`, 'x.test.ts:1: describe.only: switched off'],
    [`test.concurrent.fails('a', () => expect(1).toBe(1));`, 'x.test.ts:1: test.concurrent.fails: switched off'],
    [`test.todo('a');`, 'x.test.ts:1: test.todo: switched off'],
    [`ctx.skip();`, 'x.test.ts:1: ctx.skip(: switched off'],
    [
      `test.skipIf(process.getuid?.() === 0)('a', () => expect(1).toBe(1));`,
      'x.test.ts:1: a condition needs a name that gives the reason',
    ],
    [`await new Promise((done) => setTimeout(done, 10));`, 'x.test.ts:1: a test waits for an event, not for time'],
    [
      `new Promise((resolve) => setTimeout(() => resolve(), 1));`,
      'x.test.ts:1: a test waits for an event, not for time',
    ],
    [`await sleep(10);`, 'x.test.ts:1: a test waits for an event, not for time'],
  ])('reports %j', (text, expected) => {
    const bad = findBadTests([{ path: 'x.test.ts', text }]);

    expect(bad).toEqual([expected]);
  });

  test.each([
    `test('a', () => {\n  expect(1).toBe(1);\n});\n`,
    `test('a', () => expect(1).toBe(1));`,
    `test('a', async () => {\n  await expect(run()).rejects.toThrow();\n});\n`,
    `test('a', async () => {\n  await runTranscript(file, commands);\n});\n`,
    `test.each([[1, ')']])('a', (n) => {\n  expectSound(n);\n});\n`,
    `test.skipIf(isRoot)('a', () => expect(1).toBe(1));`,
    `test.runIf(!hasProc)('a', () => expect(1).toBe(1));`,
    `const ok = pattern.test('a', () => 1);`,
    `const deadline = setTimeout(() => reject(new Error('late')), 1000);`,
  ])('accepts %j', (text) => {
    expect(findBadTests([{ path: 'x.test.ts', text }])).toEqual([]);
  });
});

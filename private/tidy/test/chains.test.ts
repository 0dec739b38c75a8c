import { describe, expect, test } from 'vitest';

import { countChainReferences, declares, findBrokenChains } from '../src/chains.ts';
import { filesMatching } from '../src/repository.ts';

const sources = filesMatching(/^(?:packages|apps|private)\/.*\.ts$/);
const pages = filesMatching(/^(?:ARCHITECTURE\.md|docs\/internals\/.*\.md)$/);

describe('the chains of ARCHITECTURE.md', () => {
  test('lead to files that declare the names', () => {
    const broken = pages.flatMap((page) => findBrokenChains(page, sources));

    expect(broken).toEqual([]);
  });

  test('are there, once the page is', () => {
    const page = pages.find(({ path }) => path === 'ARCHITECTURE.md');

    expect(page === undefined || countChainReferences(page.text) >= 12).toBe(true);
  });
});

describe('findBrokenChains', () => {
  const planted = [
    { path: 'packages/a/src/x.ts', text: 'export class X {\n  async put(key: string): Promise<void> {}\n}' },
  ];

  test.each([
    ['`packages/a/src/x.ts#X.put`', []],
    ['a/src/x.ts#X', []],
    ['`a/src/y.ts#X`', ['ARCHITECTURE.md:2: a/src/y.ts#X: no such file']],
    ['`a/src/x.ts#X.get`', ['ARCHITECTURE.md:2: a/src/x.ts#X.get: get is not declared there']],
  ])('judges %s', (reference, expected) => {
    const broken = findBrokenChains({ path: 'ARCHITECTURE.md', text: `# Chains\n1. ${reference}\n` }, planted);

    expect(broken).toEqual(expected);
  });
});

describe('declares', () => {
  test.each([
    ['export function a(): void {}', true],
    ['export async function* a(): void {}', true],
    ['export class a {}', true],
    ['  async *a(): void {}', true],
    ['  #a(): void {}', true],
    ['  get a(): number {', true],
    ['export const a = 1;', true],
    ['b(a);', false],
    ['// function a()', false],
    ['export const ab = 1;', false],
  ])('answers for %j', (text, expected) => {
    expect(declares(text, 'a')).toBe(expected);
  });
});

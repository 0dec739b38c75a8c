import { readFileSync } from 'node:fs';

import { describe, expect, test } from 'vitest';

import { planRecovery, type RecoveryPlan, salvageStore } from '../src/index.ts';
import { abandonedStore, flip, namesEnding } from './support/evidence.ts';
import { DIRECTORY, testWorld } from './support/open-test-engine.ts';

const page = readFileSync(new URL('../../../docs/reference/recovery-plan.md', import.meta.url), 'utf8');
const source = readFileSync(new URL('../src/recover/plan/recovery-plan.ts', import.meta.url), 'utf8');

function sectionOf(heading: string): string {
  return page.split(`# ${heading}\n`)[1]?.split('\n#')[0] ?? '';
}

/** The table of fields under a heading: name to type. */
function documentedFields(heading: string): Readonly<Record<string, string>> {
  const rows = sectionOf(heading).matchAll(/^\| `(?<name>\w+)` \| (?<type>[a-z ]+) \|/gm);
  return Object.fromEntries([...rows].map(({ groups }) => [groups!['name']!, groups!['type']!]));
}

/** The words of the first column of a table under a heading. */
function documentedWords(heading: string): readonly string[] {
  return [...sectionOf(heading).matchAll(/^\| `(?<word>[a-z-]+)` \|/gm)].map(({ groups }) => groups!['word']!);
}

function wordsOf(declaration: RegExp): readonly string[] {
  return [...(declaration.exec(source)?.[1] ?? '').matchAll(/'([a-z-]+)'/g)].map(([, word]) => word!);
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

interface Example {
  readonly plan: RecoveryPlan;
  readonly report: object;
}

/** A damaged block, with and without keys. */
async function example(): Promise<Example> {
  const disk = await abandonedStore();
  const [table] = await namesEnding(disk, '.sst');
  await flip(disk, table!, 400);
  const { clock, nextProcess } = testWorld();
  const options = { clock, processes: nextProcess(), showKeys: true };
  const plan = await planRecovery(disk, DIRECTORY, options);
  return { plan, report: await salvageStore(disk, DIRECTORY, '/saved', { ...options, policy: 'provable' }) };
}

describe('the page of the recovery plan', () => {
  test.each<[string, (example: Example) => readonly object[]]>([
    ['Plan', ({ plan }) => [plan]],
    ['tables', ({ plan }) => plan.levels.flat()],
    ['ways out', ({ plan }) => plan.waysOut],
    ['losses', ({ plan }) => plan.waysOut.flatMap(({ losses }) => losses)],
    ['Salvage report', ({ report }) => [report]],
  ])('%s: has a row for every field, with its type', async (heading, select) => {
    const documented = documentedFields(heading);

    const objects = select(await example());

    expect(objects.length).toBeGreaterThan(0);
    for (const object of objects) {
      expect(Object.keys(object).toSorted()).toEqual(Object.keys(documented).toSorted());
      const wrong = Object.entries(object).filter(
        ([name, value]) => !documented[name]!.split(' or ').includes(typeOf(value)),
      );
      expect(wrong).toEqual([]);
    }
  });

  test('explains the words that the interfaces have', () => {
    const words = {
      Bases: wordsOf(/basis: ([^;]+);/),
      Kinds: wordsOf(/export type WayOutKind =([^;]+);/),
      'Loss kinds': wordsOf(/export type LossKind =([^;]+);/),
    };

    expect(words.Kinds).toHaveLength(4);
    for (const [heading, found] of Object.entries(words)) expect(documentedWords(heading)).toEqual(found);
  });
});

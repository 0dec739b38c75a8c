import { readFileSync } from 'node:fs';

import { MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import type { RecoveryReport } from '../src/index.ts';
import { afterKill, endOfLog, evidenceOptions, inspect, namesEnding, truncate } from './support/evidence.ts';
import { openTestEngine, testWorld } from './support/open-test-engine.ts';

const page = readFileSync(new URL('../../../docs/reference/recovery-report.md', import.meta.url), 'utf8');

/** The table of fields under a heading: name to type. */
function documentedFields(heading: string): Readonly<Record<string, string>> {
  const section = page.split(`\n### ${heading}\n`)[1]?.split('\n#')[0] ?? '';
  const rows = section.matchAll(/^\| `(?<name>\w+)` \| (?<type>[a-z ]+) \|/gm);
  return Object.fromEntries([...rows].map(({ groups }) => [groups!['name']!, groups!['type']!]));
}

/** The words of the first column of a table under a heading. */
function documentedWords(heading: string): readonly string[] {
  const section = page.split(`# ${heading}\n`)[1]?.split('\n#')[0] ?? '';
  return [...section.matchAll(/^\| `(?<word>[a-z-]+)` \|/gm)].map(({ groups }) => groups!['word']!);
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

/** Killed with a table, a log, and half a record at its end. */
async function exampleReport(): Promise<RecoveryReport> {
  const disk = new MemoryFileSystem();
  const engine = await openTestEngine(testWorld(disk), evidenceOptions);
  await engine.put('user/1', 'Ada');
  await engine.put('user/2', 'Grace');
  await engine.flush();
  await engine.put('user/3', 'Barbara');
  await engine.delete('user/1');
  const killed = afterKill(disk);
  const [wal] = await namesEnding(killed, '.wal');
  await truncate(killed, wal!, (await endOfLog(killed, wal!)) - 12);
  return inspect(killed);
}

/** Numbers of processes and boots, and so the size of the lock, depend on what else has run. */
function withoutCounts({ files, lock, ...report }: RecoveryReport): object {
  return {
    ...report,
    lock: { ...lock, pid: 1 },
    files: files.map((file) => (file.name === 'LOCK' ? { ...file, bytes: 1 } : file)),
    warnings: [],
  };
}

describe('the page of the recovery report', () => {
  test.each<[string, (report: RecoveryReport) => readonly object[]]>([
    ['Report', (report) => [report]],
    ['lock', (report) => [report.lock]],
    ['opening', (report) => [report.opening]],
    ['files', (report) => report.files],
  ])('%s: has a row for every field, with its type', async (heading, select) => {
    const documented = documentedFields(heading);

    const report = await exampleReport();

    for (const object of select(report)) {
      expect(Object.keys(object).toSorted()).toEqual(Object.keys(documented).toSorted());
      const wrong = Object.entries(object).filter(
        ([name, value]) => !documented[name]!.split(' or ').includes(typeOf(value)),
      );
      expect(wrong).toEqual([]);
    }
    expect(Object.keys(documented)).not.toEqual([]);
  });

  test('explains the words that the interfaces have', () => {
    const source = readFileSync(new URL('../src/recover/recovery-report.ts', import.meta.url), 'utf8');
    const wordsOf = (type: string): readonly string[] => {
      const union = new RegExp(`export type ${type} =([^;]+);`).exec(source)?.[1] ?? '';
      return [...union.matchAll(/'([a-z-]+)'/g)].map(([, word]) => word!);
    };

    const words = {
      Verdict: wordsOf('RecoveryVerdict'),
      States: wordsOf('RecoveredFileState'),
      Actions: wordsOf('OpeningAction'),
    };

    expect(words.States.length).toBeGreaterThan(5);
    expect(words).toEqual({
      Verdict: documentedWords('Verdict'),
      States: documentedWords('States'),
      Actions: documentedWords('Actions'),
    });
  });

  test('shows a report that is really made', async () => {
    const example: unknown = JSON.parse(/```json\n([^`]+)```/.exec(page)?.[1] ?? 'null');

    const report = await exampleReport();

    expect(withoutCounts(report)).toEqual(withoutCounts(example as RecoveryReport));
  });
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, test } from 'vitest';

import { formatHistory } from '../history/history-file.ts';
import type { SeenRow } from '../history/operation.ts';
import { checkFiles } from './check-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'kayadb-histories-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A file of one read. */
function fileOf(name: string, row: SeenRow | null): string {
  const path = join(folder, name);
  const action = { kind: 'read', keys: ['x'] } as const;
  const outcome = { kind: 'rows', rows: [row] } as const;
  const operations = [{ id: 1, client: 1, action, calledUs: 1, returnedUs: 2, outcome }];
  writeFileSync(path, formatHistory({ operations, notes: [] }));
  return path;
}

describe('checkFiles', () => {
  test('says of each history what it comes to, and answers with the worst', () => {
    const right = fileOf('right.jsonl', null);
    const wrong = fileOf('wrong.jsonl', { value: 'a', revision: 1 });
    const printed: string[] = [];

    const code = checkFiles([right, wrong, right], (text) => printed.push(text));

    expect(code).toBe(1);
    expect(checkFiles([right], () => {})).toBe(0);
    expect(checkFiles([], () => {})).toBe(0);
    expect(printed).toEqual([
      `${right}: 1 operations: linearizable\n`,
      `${wrong}: 1 operations: faulty: phantom: #1 of client 1 saw x as a at 1, which nobody had written.
      0.001 ms  |-|   #1 client 1: get x -> a at 1
`,
      `${right}: 1 operations: linearizable\n`,
    ]);
  });

  test('refuses what is no history', () => {
    const path = join(folder, 'other.txt');
    writeFileSync(path, 'hello\n');

    expect(() => checkFiles([path], () => {})).toThrow(SyntaxError);
  });
});

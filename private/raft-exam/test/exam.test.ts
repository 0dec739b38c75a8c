/** The public scripts of the most deployed implementation, each directive of each file. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { describe, expect, test } from 'vitest';

import { describeDifference } from '../src/report.ts';
import { runScript } from '../src/run-script.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const EXAM = join(ROOT, '../shared/exam/etcd-raft');

/** Outside of a pipeline, a clone alone has no exam; a pipeline must have it. */
const isAbsent = !existsSync(EXAM) && process.env['CI'] === undefined;

/** Files and directives of each folder. */
const SIZES = { interaction: [28, 558], confchange: [9, 58], quorum: [4, 127] } as const;

describe.skipIf(isAbsent)(`the exam in ${EXAM}${isAbsent ? ', which was not found here' : ''}`, () => {
  describe.each(Object.entries(SIZES))('%s', (folder, [fileCount, directiveCount]) => {
    const files = isAbsent ? [] : readdirSync(join(EXAM, folder)).toSorted();

    test.each(files)('%s prints what is expected', (file) => {
      const result = runScript(readFileSync(join(EXAM, folder, file), 'utf8'), { checkInvariants: true });

      expect(result.differences.map((difference) => describeDifference(file, difference)).join('\n')).toBe('');
      expect(result.directiveCount).toBeGreaterThan(0);
    });

    test(`has ${fileCount} files with ${directiveCount} directives`, () => {
      const counts = files.map((file) => runScript(readFileSync(join(EXAM, folder, file), 'utf8')).directiveCount);

      expect(counts).toHaveLength(fileCount);
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(directiveCount);
    });
  });
});

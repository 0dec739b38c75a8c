/** The shape of a file: how long it may be, and that it opens by saying what it is. */

import { maskAll } from './mask.ts';
import { isSource, isTest, type TextFile } from './repository.ts';

/** Bound: lines of a source and of a test; beyond them a file holds more than one concept. */
export const MAX_SOURCE_LINES = 400;
export const MAX_TEST_LINES = 800;

export function findLongFiles(files: readonly TextFile[]): readonly string[] {
  return files
    .filter(({ path }) => isSource(path))
    .flatMap(({ path, text }) => {
      const lines = text.trimEnd().split('\n').length;
      const most = isTest(path) ? MAX_TEST_LINES : MAX_SOURCE_LINES;
      return lines > most ? [`${path} has ${lines} lines, ${most} at most`] : [];
    });
}

/** Sources, tests and `.d.ts` files aside, that open neither with a comment nor are imports and exports only. */
export function findFilesWithoutOpening(files: readonly TextFile[]): readonly string[] {
  return files
    .filter(({ path }) => isSource(path) && !isTest(path) && !path.endsWith('.d.ts'))
    .filter(({ text }) => !/^(?:#!.*\n)?\s*\/[/*]/.test(text) && !isIndex(text))
    .map(({ path }) => `${path} does not open with a comment`);
}

/** Nothing but `import ... from`, `export ... from` and `export {}`. */
function isIndex(text: string): boolean {
  const statements =
    /(?:import|export)\s+(?:type\s+)?(?:\*(?:\s+as\s+\w+)?|\w+|\{[^}]*\})\s*(?:from\s*(['"])\s*\1\s*)?;/g;
  return maskAll(text).replaceAll(statements, '').trim() === '';
}

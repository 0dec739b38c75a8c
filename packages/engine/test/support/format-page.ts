/** Reads the tables named "Constants" of a page in docs/format, so that a test can hold code and page to each other. */

import { readFileSync } from 'node:fs';

/**
 * Every row of every table under a heading "Constants" of `page`, for example `wal.md`: name to value, as printed,
 * without backticks.
 *
 * @throws Error when the page has no such table or names a constant twice: a test that compares nothing must not pass.
 */
export function readConstants(page: string): Map<string, string> {
  const text = readFileSync(new URL(`../../../../docs/format/${page}`, import.meta.url), 'utf8');
  const constants = new Map<string, string>();
  let inside = false;
  for (const line of text.split('\n')) {
    if (line.startsWith('#')) inside = /^#+ Constants$/.test(line);
    const row = inside ? /^\| `([A-Z][A-Z0-9_]*)` \| (.+) \|$/.exec(line) : null;
    if (row === null) continue;
    const [, name, value] = row as unknown as [string, string, string];
    if (constants.has(name)) throw new Error(`${page} names ${name} twice`);
    constants.set(name, value.replaceAll('`', ''));
  }
  if (constants.size === 0) throw new Error(`${page} has no table of constants`);
  return constants;
}

/** The value a printed constant stands for: a number in decimal or 0x notation, otherwise the text itself. */
export function parseConstant(printed: string): number | string {
  return /^(\d+|0x[0-9a-f]+)$/.test(printed) ? Number(printed) : printed;
}

/** The page's constants as `expect(...)` wants them: name to number or text. */
export function readConstantValues(page: string): Record<string, number | string> {
  return Object.fromEntries([...readConstants(page)].map(([name, printed]) => [name, parseConstant(printed)]));
}

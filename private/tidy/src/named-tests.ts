/** Tests that a page names, as a file in backquotes, and claims in quotation marks behind it: all of them have to be there. */

import { lineAt } from './mask.ts';
import type { TextFile } from './repository.ts';

/** `path.test.ts`, and maybe: , "claim", and "claim" */
const NAMED_TEST = /`([\w./-]+\.test\.ts)`((?:,?\s+(?:and\s+)?"[^"]+")*)/g;
const CLAIM = /"([^"]+)"/g;

/** `page:line: what is missing`. A claim is a title of a test, or the part of one that does not change. */
export function findDeadTests(page: TextFile, tests: readonly TextFile[]): readonly string[] {
  return [...page.text.matchAll(NAMED_TEST)].flatMap((match) => {
    const [, path = '', claims = ''] = match;
    const where = `${page.path}:${lineAt(page.text, match.index)}`;
    const file = tests.find((each) => each.path === path);
    if (file === undefined) return [`${where}: there is no ${path}`];
    return [...claims.matchAll(CLAIM)]
      .map(([, claim = '']) => claim.replaceAll(/\s+/g, ' '))
      .filter((claim) => !file.text.includes(claim))
      .map((claim) => `${where}: ${path} has no test "${claim}"`);
  });
}

/** How many files and claims the page names. */
export function countNamedTests(page: TextFile): { readonly files: number; readonly claims: number } {
  const all = [...page.text.matchAll(NAMED_TEST)];
  const claims = all.flatMap(([, , text = '']) => [...text.matchAll(CLAIM)]);
  return { files: new Set(all.map(([, path]) => path)).size, claims: claims.length };
}

/** A page of docs, for the tests that hold pages and code to each other. */

import { readFileSync } from 'node:fs';

/** @param name - Such as `reference/server.md`. */
export function readPage(name: string): string {
  return readFileSync(new URL(`../../../../docs/${name}`, import.meta.url), 'utf8');
}

/** From a heading, with its marks, to the next one of the same depth or to the end. */
export function sectionOf(page: string, heading: string): string {
  const marks = heading.slice(0, heading.indexOf(' ') + 1);
  const start = page.indexOf(`\n${heading}\n`);
  if (start < 0) throw new Error(`the page has no heading "${heading}"`);
  const end = page.indexOf(`\n${marks}`, start + heading.length);
  return page.slice(start, end < 0 ? undefined : end);
}

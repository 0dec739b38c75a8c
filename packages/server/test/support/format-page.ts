/** Reads the tables of a page of docs/format, for the tests that hold pages and code to each other. */

import { readFileSync } from 'node:fs';

/** Rows of the tables under one heading, cells without their backticks; the headers and rulers are left out. */
export function rowsUnder(page: string, heading: string): readonly (readonly string[])[] {
  const text = readFileSync(new URL(`../../../../docs/format/${page}`, import.meta.url), 'utf8');
  const start = text.indexOf(`\n${heading}\n`);
  const rest = start < 0 ? '' : text.slice(start + heading.length + 2);
  const end = rest.search(/^#/m);
  const rows = (end < 0 ? rest : rest.slice(0, end))
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) => cellsOf(line));
  if (rows.length < 3) throw new Error(`${page} has no table under "${heading}"`);
  return rows.slice(2);
}

export function fromHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** Vectors write byte fields in hex. */
export function parseVector(json: string, byteFields: ReadonlySet<string>): unknown {
  return JSON.parse(json, (field, value: unknown) =>
    byteFields.has(field) && typeof value === 'string' ? fromHex(value) : value,
  );
}

function cellsOf(line: string): readonly string[] {
  return line
    .slice(1, -1)
    .split('|')
    .map((cell) => cell.trim().replaceAll('`', ''));
}

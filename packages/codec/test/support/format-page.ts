/** Reads the tables of a page of docs/format, for the tests that hold pages and code to each other. */

import { readFileSync } from 'node:fs';

export class FormatPage {
  readonly text: string;

  /** @param name - Of the file in docs/format. */
  constructor(name: string) {
    this.text = readFileSync(new URL(`../../../../docs/format/${name}`, import.meta.url), 'utf8');
  }

  /** Rows of the tables under one heading, cells without their backticks; the headers and rulers are left out. */
  rowsUnder(heading: string): string[][] {
    return this.tablesUnder(heading).flat();
  }

  /** The same, table by table. */
  tablesUnder(heading: string): string[][][] {
    const start = this.text.indexOf(`\n${heading}\n`);
    const rest = start < 0 ? '' : this.text.slice(start + heading.length + 2);
    const end = rest.search(/^#/m);
    const tables: string[][][] = [];
    let isInTable = false;
    for (const line of (end < 0 ? rest : rest.slice(0, end)).split('\n')) {
      const isRow = line.startsWith('|');
      if (isRow && !isInTable) tables.push([]);
      if (isRow) tables.at(-1)!.push(cellsOf(line));
      isInTable = isRow;
    }
    const rows = tables.map((table) => table.slice(2));
    if (rows.length === 0 || rows.some((table) => table.length === 0)) {
      throw new Error(`the page has no table under "${heading}"`);
    }
    return rows;
  }
}

function cellsOf(line: string): string[] {
  return line
    .slice(1, -1)
    .split('|')
    .map((cell) => cell.trim().replaceAll('`', ''));
}

export function fromHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** Vectors write byte fields in hex, and null for what is undefined. */
export function parseVector(json: string, byteFields: ReadonlySet<string>): unknown {
  return revive(JSON.parse(json), byteFields, '');
}

function revive(value: unknown, byteFields: ReadonlySet<string>, field: string): unknown {
  if (value === null) return undefined;
  if (typeof value === 'string') return byteFields.has(field) ? fromHex(value) : value;
  if (Array.isArray(value)) return value.map((each) => revive(each, byteFields, field));
  if (typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, revive(each, byteFields, name)]));
}

/** Reads the tables of a page of docs/format, so that tests hold page and code to each other. */

import { readFileSync } from 'node:fs';

export class FormatPage {
  readonly text: string;

  /** @param name - Such as `raft-messages.md`. */
  constructor(name: string) {
    this.text = readFileSync(new URL(`../../../docs/format/${name}`, import.meta.url), 'utf8');
  }

  /** Rows of the first table under a heading, cells without their backticks; the header and the ruler are left out. */
  rowsUnder(heading: string): string[][] {
    const start = this.text.indexOf(`\n${heading}\n`);
    const rest = start < 0 ? '' : this.text.slice(start + heading.length + 2);
    const end = rest.search(/^#/m);
    const rows = (end < 0 ? rest : rest.slice(0, end))
      .split('\n')
      .filter((line) => line.startsWith('|'))
      .map((line) => line.slice(2, -2).split(' | '))
      .map((cells) => cells.map((cell) => cell.trim().replaceAll('`', '')));
    if (rows.length < 3) throw new Error(`the page has no table under "${heading}"`);
    return rows.slice(2);
  }
}

export function fromHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** @param byteFields - Fields whose text is hex. */
export function parseWithBytes(json: string, byteFields: readonly string[]): unknown {
  return JSON.parse(json, (field, value: unknown) =>
    byteFields.includes(field) && typeof value === 'string' ? fromHex(value) : value,
  );
}

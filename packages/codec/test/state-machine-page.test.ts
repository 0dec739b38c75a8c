/** Holds docs/format/state-machine.md and the code of operations and conditions to each other. */

import { describe, expect, test } from 'vitest';

import { DecodeError } from '../src/errors.ts';
import { decodeConditions, encodeConditions } from '../src/protocol-2/conditions.ts';
import { decodeOperations, encodeOperations } from '../src/protocol-2/operations.ts';
import * as writeFormat from '../src/protocol-2/write-format.ts';
import type { WriteCondition, WriteOperation } from '../src/protocol-2/write.ts';
import { FormatPage, fromHex, parseVector, toHex } from './support/format-page.ts';

const page = new FormatPage('state-machine.md');
const BYTE_FIELDS = new Set(['key', 'value', 'from', 'to']);

/** What a table of names and first bytes should say. */
function kindsOf(tags: Readonly<Record<string, number>>): string[][] {
  return Object.entries(tags).map(([name, tag]) => [
    name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
    String(tag),
  ]);
}

describe('docs/format/state-machine.md', () => {
  test('names the constants of writes with the values that the code has', () => {
    const onPage = page.rowsUnder('### Constants');

    const inCode = Object.entries(writeFormat)
      .filter(([, value]) => typeof value === 'number')
      .map(([name, value]) => [name, String(value as number)]);

    expect(onPage).toEqual(expect.arrayContaining(inCode));
  });

  test('lists the operations and conditions of the code', () => {
    const tables = page.tablesUnder('## Commands').slice(-2);

    const [operations, conditions] = tables.map((rows) => rows.map(([name, bytes]) => [name, bytes!.slice(0, 1)]));

    expect(operations).toEqual(kindsOf(writeFormat.OPERATION));
    expect(conditions).toEqual(kindsOf(writeFormat.CONDITION));
  });

  test.each(page.rowsUnder('### Operation vectors'))('operations %s', (json, hex) => {
    const operations = parseVector(json, BYTE_FIELDS) as readonly WriteOperation[];

    expect(toHex(encodeOperations(operations))).toBe(hex.replaceAll(' ', ''));
    expect(decodeOperations(fromHex(hex))).toEqual(operations);
  });

  test.each(page.rowsUnder('### Condition vectors'))('conditions %s', (json, hex) => {
    const conditions = parseVector(json, BYTE_FIELDS) as readonly WriteCondition[];

    expect(toHex(encodeConditions(conditions))).toBe(hex.replaceAll(' ', ''));
    expect(decodeConditions(fromHex(hex))).toEqual(conditions);
  });

  test.each(page.rowsUnder('### Malformed operations'))('refuses operations %s: %s', (hex) => {
    expect(() => decodeOperations(fromHex(hex))).toThrow(DecodeError);
  });

  test.each(page.rowsUnder('### Malformed conditions'))('refuses conditions %s: %s', (hex) => {
    expect(() => decodeConditions(fromHex(hex))).toThrow(DecodeError);
  });

  test('has a vector for every operation and condition', () => {
    const kindsUnder = (heading: string): Set<unknown> => {
      const values = page.rowsUnder(heading).flatMap(([json]) => parseVector(json!, BYTE_FIELDS) as { kind: string }[]);
      return new Set(values.map(({ kind }) => kind));
    };

    expect(kindsUnder('### Operation vectors').size).toBe(Object.keys(writeFormat.OPERATION).length);
    expect(kindsUnder('### Condition vectors').size).toBe(Object.keys(writeFormat.CONDITION).length);
  });
});

/** docs/format/state-machine.md and the code say the same. */

import * as codec from '@kayadb/codec';
import { describe, expect, test } from 'vitest';

import type { Command } from '../../src/machine/command.ts';
import { decodeCommand } from '../../src/machine/decode-command.ts';
import { encodeCommand } from '../../src/machine/encode-command.ts';
import * as machineFormat from '../../src/machine/machine-format.ts';
import { fromHex, parseVector, rowsUnder, toHex } from '../support/format-page.ts';

const PAGE = 'state-machine.md';
const BYTE_FIELDS = new Set(['key', 'value', 'from', 'to', 'bytes']);

describe('state-machine.md', () => {
  test('names the constants that the code has', () => {
    const code: Record<string, unknown> = { ...codec, ...machineFormat };

    const differing = rowsUnder(PAGE, '### Constants').filter(([name, value]) => code[name!] !== Number(value));

    expect(differing).toEqual([]);
  });

  test('numbers kinds and tags as the code does', () => {
    const numbers = rowsUnder(PAGE, '## Commands').filter(
      ([number, name]) => /^\d$/.test(number!) && /^\S+$/.test(name!),
    );

    const kinds = Object.entries(machineFormat.COMMAND_KIND).map(([name, number]) => [String(number), name]);
    const tags = Object.entries(machineFormat.COMMAND_TAG).map(([name, number]) => [String(number), name]);

    expect(numbers.map(([number, name]) => [number, name])).toEqual([...kinds, ...tags]);
  });

  test.each(rowsUnder(PAGE, '### Command vectors'))('writes and reads %s', (json, hex) => {
    const command = parseVector(json, BYTE_FIELDS) as Command;

    const bytes = encodeCommand(command);

    expect(toHex(bytes)).toBe(hex.replaceAll(' ', ''));
    expect(decodeCommand(fromHex(hex))).toEqual(command);
  });

  test.each(rowsUnder(PAGE, '### Malformed commands'))('refuses %s', (hex) => {
    expect(() => decodeCommand(fromHex(hex))).toThrow(codec.DecodeError);
  });
});

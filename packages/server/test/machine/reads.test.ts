/** Reads of users' rows: one state, in pages, in both directions, and never a row of the machine's own. */

import type { RowRange } from '@kayadb/codec';
import { seededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import type { Command } from '../../src/machine/command.ts';
import type { KayaMachine } from '../../src/machine/kaya-machine.ts';
import type { RowScanOptions } from '../../src/replica/replica.ts';
import { MachineModel, textOf } from './machine-model.ts';
import { entriesOf, MachineWorld } from './machine-world.ts';
import { randomCommands } from './random-commands.ts';

const EMPTY = new Uint8Array(0);
const ALL: RowRange = { from: EMPTY, isFromExclusive: false, to: EMPTY, isToInclusive: false };

function scanOf(options: Partial<RowScanOptions> = {}): RowScanOptions {
  return { range: ALL, isDescending: false, isWithoutValues: false, limit: 0, ...options };
}

function putAll(rows: readonly (readonly [string | Uint8Array, string | Uint8Array])[]): Command {
  const operations = rows.map(([key, value]) => ({
    kind: 'put' as const,
    key: Buffer.from(key),
    value: Buffer.from(value),
  }));
  return { kind: 'write', timeMs: 0, write: { conditions: [], operations, otherwise: [] } };
}

async function filled(rows: readonly (readonly [string | Uint8Array, string | Uint8Array])[]): Promise<KayaMachine> {
  const machine = await (await MachineWorld.create()).open();
  const session: Command = { kind: 'open-session', expiryMs: 1000, timeMs: 0 };
  await machine.apply(entriesOf([session, putAll(rows)]), 2);
  return machine;
}

async function pagesOf(
  machine: KayaMachine,
  options: RowScanOptions,
  maxBytes: number,
  maxRows: number,
): Promise<readonly (readonly string[])[]> {
  const scan = machine.scan(options);
  const pages: string[][] = [];
  for (let isLast = false; !isLast;) {
    const batch = await scan.next(maxBytes, maxRows);
    pages.push(batch.rows.map(({ key, value }) => `${textOf(key)}${value.length > 0 ? `=${textOf(value)}` : ''}`));
    ({ isLast } = batch);
  }
  await scan.close();
  return pages;
}

/** Of a machine whose values fit. */
async function manyOf(
  machine: KayaMachine,
  keys: readonly string[],
  maxBytes = 1_000_000,
): Promise<readonly (string | undefined)[] | 'too-large'> {
  const buffers = keys.map((key) => Buffer.from(key));
  const rows = await machine.getMany(buffers, maxBytes);
  return rows === 'too-large' ? rows : rows.map((row) => row && `${textOf(row.value)}@${row.revision}`);
}

describe('get and getMany', () => {
  test('give values and revisions, in the order of the keys', async () => {
    const machine = await filled([
      ['a', '1'],
      ['b', ''],
    ]);

    const one = await machine.get(Buffer.from('a'));
    const many = await manyOf(machine, ['b', 'x', 'a', 'b']);

    expect(one).toEqual({ value: Uint8Array.of(0x31), revision: 2 });
    expect(many).toEqual(['@2', undefined, '1@2', '@2']);
  });

  test('do not see the rows of the machine', async () => {
    const machine = await filled([]);

    const rows = await manyOf(machine, ['\u0001machine', 'machine', '', '\u0001session/']);

    expect(rows).toEqual([undefined, undefined, undefined, undefined]);
  });

  test('give many keys of one state, whatever is written meanwhile', async () => {
    const keys = Array.from({ length: 100 }, (_, i) => `k${i}`);
    const machine = await filled(keys.map((key) => [key, 'old']));

    const reading = manyOf(machine, keys);
    await machine.apply(entriesOf([putAll(keys.map((key) => [key, 'new']))], 3), 3);

    expect(new Set(await reading)).toEqual(new Set(['old@2']));
  });

  test('stop at the bytes that were asked for, a few values behind', async () => {
    const keys = Array.from({ length: 100 }, (_, i) => `k${i}`);
    const machine = await filled(keys.map((key) => [key, '0123456789']));
    const gets = (): number => machine.stats().getCount;

    const exact = await manyOf(machine, keys, 1000);
    const before = gets();
    const over = await manyOf(machine, keys, 99);

    expect(exact).toHaveLength(100);
    expect(over).toBe('too-large');
    expect(gets() - before).toBeLessThan(20);
  });
});

describe('a scan', () => {
  test('sees all users’ keys and no others, in both directions', async () => {
    const edges = [Uint8Array.of(0), Uint8Array.of(1), Uint8Array.of(255), Uint8Array.of(255, 255)];
    const machine = await filled(edges.map((key) => [key, 'v']));
    const up = edges.map((key) => `${textOf(key)}=v`);

    const pages = await pagesOf(machine, scanOf(), 1000, 100);
    const down = await pagesOf(machine, scanOf({ isDescending: true }), 1000, 100);

    expect(pages.flat()).toEqual(up);
    expect(down.flat()).toEqual(up.toReversed());
  });

  test.each<[string, Partial<RowRange>, string]>([
    ['from a key', { from: Buffer.from('b') }, 'bcd'],
    ['from behind a key', { from: Buffer.from('b'), isFromExclusive: true }, 'cd'],
    ['up to a key', { to: Buffer.from('c') }, 'ab'],
    ['up to a key and with it', { to: Buffer.from('c'), isToInclusive: true }, 'abc'],
    ['from behind nothing', { isFromExclusive: true }, 'abcd'],
    ['of nothing', { from: Buffer.from('c'), to: Buffer.from('b') }, ''],
  ])('goes %s', async (_what, range, keys) => {
    const machine = await filled(Array.from('abcd').map((key) => [key, '']));

    const pages = await pagesOf(machine, scanOf({ range: { ...ALL, ...range } }), 1000, 100);

    expect(pages.flat().join('')).toBe(keys);
  });

  test('cuts pages by rows and by bytes, over the latter by less than a row, and never without a row', async () => {
    const machine = await filled(Array.from('abcdefgh').map((key) => [key, '12345']));

    expect((await pagesOf(machine, scanOf(), 1000, 3)).map((page) => page.length).slice(0, 3)).toEqual([3, 3, 2]);
    expect((await pagesOf(machine, scanOf(), 13, 100)).map((page) => page.length).slice(0, 3)).toEqual([3, 3, 2]);
    expect((await pagesOf(machine, scanOf(), 12, 100)).map((page) => page.length).slice(0, 4)).toEqual([2, 2, 2, 2]);
    expect((await pagesOf(machine, scanOf(), 1, 100)).slice(0, 8).every((page) => page.length === 1)).toBe(true);
  });

  test('counts the keys alone where values are not asked for', async () => {
    const machine = await filled(Array.from('abcdefgh').map((key) => [key, '12345']));

    const pages = await pagesOf(machine, scanOf({ isWithoutValues: true }), 4, 100);

    expect(pages.slice(0, 2)).toEqual([
      ['a', 'b', 'c', 'd'],
      ['e', 'f', 'g', 'h'],
    ]);
  });

  test('ends at its limit', async () => {
    const machine = await filled(Array.from('abcdefgh').map((key) => [key, '']));

    const pages = await pagesOf(machine, scanOf({ limit: 5, isDescending: true }), 1000, 2);

    expect(pages.flat().join('')).toBe('hgfed');
  });

  test('shows the state of one revision, whatever is applied meanwhile', async () => {
    const random = seededRandom(testSeed());
    const commands = randomCommands(random, 200);
    const machine = await (await MachineWorld.create()).open();
    const model = new MachineModel();
    const scans: { readonly expected: readonly string[]; readonly scan: ReturnType<KayaMachine['scan']> }[] = [];
    for (const [i, command] of commands.entries()) {
      if (command === undefined) continue;
      model.apply(command, i + 1, 1);
      await machine.apply(entriesOf([command], i + 1), i + 1);
      if (!random.chance(0.1)) continue;
      const expected = [...model.rows].map(([key, { value, revision }]) => `${key}=${value}@${revision}`).toSorted();
      const scan = machine.scan(scanOf());
      expect(scan.revision).toBe(i + 1);
      scans.push({ expected, scan });
    }

    for (const { expected, scan } of scans) {
      const rows: string[] = [];
      for (let isLast = false; !isLast;) {
        const batch = await scan.next(random.int(200), 1 + random.int(5));
        rows.push(...batch.rows.map(({ key, value, revision }) => `${textOf(key)}=${textOf(value)}@${revision}`));
        ({ isLast } = batch);
      }
      expect(rows.toSorted()).toEqual(expected);
    }
    expect(scans.length).toBeGreaterThan(8);
  });
});

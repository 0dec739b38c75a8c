/** docs/format/node.md and the code say the same. NODE itself: node-file.test.ts. */

import { DecodeError } from '@kayadb/codec';
import type { SnapshotFile } from '@kayadb/raft';
import { describe, expect, test } from 'vitest';

import * as nodeFile from '../../src/directory/node-file.ts';
import * as foundCluster from '../../src/forensics/found-cluster.ts';
import * as snapshotData from '../../src/machine/snapshot-data.ts';
import { fromHex, rowsUnder, toHex } from '../support/format-page.ts';

const PAGE = 'node.md';

describe('node.md', () => {
  test('names the constants that the code has', () => {
    const code: Record<string, unknown> = { ...nodeFile, ...snapshotData, ...foundCluster };

    const differing = rowsUnder(PAGE, '### Constants').filter(([name, value]) => code[name!] !== Number(value));

    expect(differing).toEqual([]);
  });

  test.each(rowsUnder(PAGE, '### Snapshot data vectors'))('writes and reads %s', (json, hex) => {
    const files = JSON.parse(json) as readonly SnapshotFile[];

    expect(toHex(snapshotData.encodeSnapshotData(files))).toBe(hex.replaceAll(' ', ''));
    expect(snapshotData.decodeSnapshotData(fromHex(hex))).toEqual(files);
  });

  test.each([
    ['', 'nothing at all'],
    ['02 00', 'version 2'],
    ['01 01', 'no file where there is one'],
    ['01 00 00', 'a byte too many'],
    ['01 818004', 'more files than there may be'],
    ['01 01 00 00 00000000', 'a name without a character'],
    ['01 01 02 2e61 00 00000000', 'a name that begins with a dot'],
    ['01 01 03 612f62 00 00000000', 'a name with a slash'],
    ['01 01 01 ff 00 00000000', 'a name that is not UTF-8'],
    ['01 02 01 61 00 00000000 01 61 00 00000000', 'a name twice'],
    ['01 02 01 62 00 00000000 01 61 00 00000000', 'names that do not ascend'],
  ])('data %s are refused: %s', (hex) => {
    expect(() => snapshotData.decodeSnapshotData(fromHex(hex))).toThrow(DecodeError);
  });
});

import { CorruptionError } from '@kayadb/engine';
import { describe, expect, test } from 'vitest';

import { rowsUnder } from '../../test/support/format-page.ts';
import { decodeNodeFile, encodeNodeFile, type NodeIdentity } from './node-file.ts';

const full: NodeIdentity = {
  node: 3,
  incarnation: 9_007_199_254_740_991,
  boot: 17,
  cluster: '00112233445566778899aabbccddeeff',
  hasBegun: false,
  isRemoved: true,
};
const fresh: NodeIdentity = { node: 1, incarnation: 5, boot: 1, cluster: undefined, hasBegun: false, isRemoved: false };

function textOf(identity: NodeIdentity): string {
  return Buffer.from(encodeNodeFile(identity)).toString();
}

describe('NODE', () => {
  test.each([full, fresh])('reads what it wrote: %o', (identity) => {
    expect(decodeNodeFile(encodeNodeFile(identity))).toEqual(identity);
  });

  test.each(rowsUnder('node.md', '### NODE vectors'))('has the text of the page: %s', (text) => {
    const identity = decodeNodeFile(Buffer.from(`${text}\n`));

    expect(textOf(identity)).toBe(`${text}\n`);
  });

  test('does not verify with any bit changed', () => {
    const bytes = encodeNodeFile(full);

    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Uint8Array.from(bytes);
      changed[bit >> 3]! ^= 1 << (bit & 7);

      expect(() => decodeNodeFile(changed), `bit ${bit}`).toThrow(CorruptionError);
    }
  });

  test.each([
    ['', 'no JSON'],
    ['{}', 'CRC'],
    ['[]', 'no object'],
    ['null', 'no object'],
    ['\u0000', 'no JSON'],
    [`{"format":"two","node":1,"crc":"85a8fb23"}`, 'format is no number'],
    [`${textOf(fresh)} `, 'known form'],
    [textOf(fresh).replace('{', '{ '), 'known form'],
  ])('refuses %j', (text, reason) => {
    expect(() => decodeNodeFile(Buffer.from(text))).toThrow(reason);
  });

  test('of a later format says so', () => {
    const later = `{"format":2,"node":1,"color":"blue","crc":"e194bc2e"}`;

    expect(() => decodeNodeFile(Buffer.from(later))).toThrow(/^NODE says format 2/);
  });
});

import { crc32c, decodeUtf8, encodeUtf8 } from '@kayadb/codec';
import { describe, expect, test } from 'vitest';

import { exampleBackupList as list } from '../../test/support/example-backup-list.ts';
import { encodeBackupList, parseBackupList } from './backup-format.ts';

/** `text` up to its last line, with the CRC that it should have. */
function sealed(text: string): Uint8Array {
  const covered = text.slice(0, text.lastIndexOf('end ') + 4);
  return encodeUtf8(`${covered}${crc32c(encodeUtf8(covered)).toString(16).padStart(8, '0')}\n`);
}

const text = decodeUtf8(encodeBackupList(list));

describe('the list of a backup', () => {
  test('is read as it was written', () => {
    expect(parseBackupList(encodeBackupList(list))).toEqual(list);
    const external = { ...list, info: { ...list.info, durableIndex: 7 }, files: [] };
    expect(parseBackupList(encodeBackupList(external))).toEqual(external);
  });

  test('is refused when any of its bytes is another, or the last ones are missing', () => {
    const bytes = encodeBackupList(list);
    for (let at = 0; at < bytes.length; at++) {
      const changed = bytes.slice();
      changed[at]! ^= 0x20;
      expect(() => parseBackupList(changed), `byte ${at}`).toThrow(/BACKUP is damaged/);
      expect(() => parseBackupList(bytes.subarray(0, at)), `cut at ${at}`).toThrow(/BACKUP is damaged/);
    }
  });

  test.each([
    ['a name that leads out of the directory', ['000004.sst', '../../etc/passwd']],
    ['a name that no store gives', ['000004.sst', '4.sst']],
    ['its own name', ['CURRENT', 'BACKUP']],
    ['names out of order', ['000004.sst', '000007.sst']],
    ['a name twice', ['000006.sst', '000004.sst']],
    ['a number that is not spelled as it is written', ['sequence 81', 'sequence 081']],
    ['an unknown line', ['tables 2', 'tables 2\ncolour blue']],
    ['two spaces', ['bytes 822', 'bytes  822']],
    ['a checksum in capitals', ['5a0f3c11', '5A0F3C11']],
    ['a number that is too large to be one', ['sequence 81', 'sequence 99999999999999999']],
  ] as const)('is refused for %s, even if its CRC is right', (_what, [from, to]) => {
    const changed = sealed(text.replace(from, to));

    expect(() => parseBackupList(changed)).toThrow(/not of the known form/);
  });

  test('says when a newer version wrote it', () => {
    const newer = sealed(text.replace('kayadb backup 1\n', 'kayadb backup 2\nhash sha256\n'));

    expect(() => parseBackupList(newer)).toThrow(expect.objectContaining({ code: 'KAYA_UNSUPPORTED' }) as Error);
  });
});

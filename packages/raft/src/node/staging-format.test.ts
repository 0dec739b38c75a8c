import { describe, expect, test } from 'vitest';

import { IDENTITY, MemorySnapshot, requestOf } from '../../test/transfer-world.ts';
import { decodeProgress, decodeStagedSnapshot, encodeProgress, encodeStagedSnapshot } from './staging-format.ts';

const STAGED = { snapshot: requestOf(11).snapshot, files: new MemorySnapshot().files };
const PROGRESS = { file: 2, offset: 8, crc: 0xfedc_ba98 };
const transfer = Uint8Array.from(encodeStagedSnapshot(STAGED, IDENTITY));
const progress = Uint8Array.from(encodeProgress(PROGRESS, transfer, IDENTITY));

describe('TRANSFER and PROGRESS', () => {
  test('come back as they were written', () => {
    expect(decodeStagedSnapshot(transfer, IDENTITY)).toEqual(STAGED);
    expect(decodeProgress(progress, transfer, IDENTITY)).toEqual(PROGRESS);
  });

  test('are refused when any one byte is another, or an end is missing', () => {
    for (let at = 0; at < transfer.length; at++) {
      const changed = transfer.slice();
      changed[at]! ^= 1;
      expect(() => decodeStagedSnapshot(changed, IDENTITY)).toThrow('TRANSFER is damaged');
      expect(() => decodeStagedSnapshot(transfer.slice(0, at), IDENTITY)).toThrow('TRANSFER is damaged');
    }
    for (let at = 0; at < progress.length; at++) {
      const changed = progress.slice();
      changed[at]! ^= 1;
      expect(() => decodeProgress(changed, transfer, IDENTITY)).toThrow('PROGRESS is damaged');
      expect(() => decodeProgress(progress.slice(0, at), transfer, IDENTITY)).toThrow('PROGRESS is damaged');
    }
  });

  test('belong together', () => {
    const other = encodeStagedSnapshot({ ...STAGED, snapshot: requestOf(12).snapshot }, IDENTITY);

    expect(() => decodeProgress(progress, other, IDENTITY)).toThrow('it belongs to another transfer');
  });

  test('belong to one life of one node of one cluster', () => {
    const foreign = expect.objectContaining({ code: 'KAYA_RAFT_FOREIGN' });

    for (const other of [{ nodeId: 4 }, { incarnation: 2 }, { clusterId: new Uint8Array(16) }]) {
      const identity = { ...IDENTITY, ...other };
      expect(() => decodeStagedSnapshot(transfer, identity)).toThrow(foreign);
      expect(() => decodeProgress(progress, transfer, identity)).toThrow(foreign);
    }
  });
});

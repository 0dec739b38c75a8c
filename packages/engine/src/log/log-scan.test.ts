import { MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { describeVerdict, LogDisk, readDisk, RECORD_KIND } from '../../test/support/log-disk.ts';
import { encodeRecordHeader } from './log-format.ts';
import { type LogScan, scanLog } from './log-scan.ts';
import { ReadWindow } from './read-window.ts';

const SEED = 0x1234_5678;

/** Bytes of a record of `payloadBytes` bytes of 1. */
function record(payloadBytes: number, firstOrdinal: number, durableLsn = 0): Uint8Array {
  const bytes = new Uint8Array(Math.ceil((32 + payloadBytes) / 8) * 8);
  bytes.fill(1, 32, 32 + payloadBytes);
  encodeRecordHeader(bytes, 0, { payloadBytes, firstOrdinal, count: 1, durableLsn, kind: RECORD_KIND }, SEED);
  return bytes;
}

interface ScanSetup {
  /** Where ordinal 10 is due, unless `unknown`. */
  readonly nextOrdinal?: number | 'unknown';
  readonly allowanceBytes?: number;
}

/** Scans a file that holds `parts` at their offsets, from offset 64, which is LSN 0. */
async function scan(
  parts: readonly (readonly [offset: number, bytes: Uint8Array])[],
  { nextOrdinal = 10, allowanceBytes = 1_000_000 }: ScanSetup = {},
): Promise<LogScan & { readonly spentBytes: number }> {
  const handle = await new MemoryFileSystem().open('/file', 'create');
  for (const [offset, bytes] of parts) handle.writeSync(bytes, offset);
  const allowance = { bytes: allowanceBytes };
  const segment = { window: new ReadWindow(handle), fileBytes: await handle.size(), seed: SEED, startLsn: 0 };
  const due = nextOrdinal === 'unknown' ? undefined : nextOrdinal;
  const search = { recordKind: RECORD_KIND, stopLsn: 0, nextOrdinal: due, allowance };
  const result = await scanLog(segment, 64, search);
  return { ...result, spentBytes: allowanceBytes - allowance.bytes };
}

describe('scanLog', () => {
  test('finds records at any multiple of 8, across the edges of its buffer', async () => {
    const offsets = [72, 1000, 262_144 - 16, 262_144 * 2 + 40, 262_144 * 3 - 8];

    const found = await scan(offsets.map((offset, i) => [offset, record(100, 10 + i)]));

    expect(found).toMatchObject({ recordCount: 5, exhausted: false, spentBytes: 0 });
    expect(found.contentEnd).toBe(offsets.at(-1)! + 132);
  });

  test('finds a record wherever it stands across the first edge of the buffer', async () => {
    const edge = 64 + 256 * 1024;
    const offsets = Array.from({ length: 20 }, (_, i) => edge + 8 * (i - 15));

    const found = await Promise.all(offsets.map((offset) => scan([[offset, record(16, 20)]])));

    expect(found.map(({ recordCount }) => recordCount)).toEqual(offsets.map(() => 1));
  });

  test('finds a record larger than its buffer', async () => {
    const found = await scan([
      [200_000, record(600_000, 20)],
      [900_000, record(8, 21, 5)],
    ]);

    expect(found).toMatchObject({ recordCount: 2, witness: { offset: 900_000, durableLsn: 5 } });
  });

  test('does not look inside a valid record', async () => {
    const outer = record(200, 20);
    outer.set(record(20, 21, 9), 64);
    encodeRecordHeader(
      outer,
      0,
      { payloadBytes: 200, firstOrdinal: 20, count: 1, durableLsn: 0, kind: RECORD_KIND },
      SEED,
    );

    const found = await scan([[128, outer]]);

    expect(found).toMatchObject({ recordCount: 1, witness: undefined });
  });

  test.each([
    ['between multiples of 8', 132, record(16, 20, 9)],
    ['with an ordinal that came before', 128, record(16, 9, 9)],
    ['with an ordinal further on than there are bytes', 128, record(16, 10 + 65, 9)],
    ['with a durable LSN beyond its own', 128, record(16, 20, 65)],
    ['of another file', 128, record(16, 20, 9).fill(0, 0, 4)],
  ])('does not take a record %s', async (_, offset, bytes) => {
    const found = await scan([[offset, bytes]]);

    expect(found).toMatchObject({ recordCount: 0, witness: undefined });
  });

  test('takes any ordinal when no record was read before', async () => {
    const found = await scan([[128, record(16, 3, 9)]], { nextOrdinal: 'unknown' });

    expect(found).toMatchObject({ recordCount: 1, witness: { offset: 128, durableLsn: 9 } });
  });

  test('says where zeros begin', async () => {
    const found = await Promise.all([
      scan([[500_000, new Uint8Array(1)]]),
      scan([
        [300_000, Uint8Array.of(1)],
        [500_000, new Uint8Array(1)],
      ]),
    ]);

    expect(found.map(({ contentEnd }) => contentEnd)).toEqual([64, 300_001]);
  });

  test('spends its allowance on records that are none, and stops when it is used up', async () => {
    const fake = record(1000, 20);
    fake[40] = 2;
    const parts = Array.from({ length: 5 }, (_, i) => [1024 * (i + 1), fake] as const);

    const found = await Promise.all([5 * 1032, 5 * 1032 - 1].map((allowanceBytes) => scan(parts, { allowanceBytes })));

    expect(found.map(({ exhausted }) => exhausted)).toEqual([false, true]);
  });
});

describe('content made to look like records', () => {
  test('cannot make reading quadratic: it is called undecided', async () => {
    const payload = new Uint8Array(4 * 1024 * 1024);
    for (let at = 0; at + 32 <= payload.length; at += 32) {
      const header = {
        payloadBytes: payload.length - at - 32,
        firstOrdinal: 3,
        count: 1,
        durableLsn: 0,
        kind: RECORD_KIND,
      };
      new DataView(payload.buffer).setUint32(at + 4, header.payloadBytes, true);
      payload.set([3, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, RECORD_KIND, 0, 0x52, 0x4b], at + 16);
    }
    const disk = await LogDisk.build([{ payload: 'a' }, { payload }]);
    await disk.flip('000001.wal', disk.records[1]!.offset);

    const result = await readDisk(disk);

    expect(describeVerdict(result)).toMatch(/^refused 000001\.wal:104: .*too much that looks like records/);
  });
});

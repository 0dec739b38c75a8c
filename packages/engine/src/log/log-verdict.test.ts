import { crc32c, DecodeError, writeU16, writeU32 } from '@kayadb/codec';
import { describe, expect, test } from 'vitest';

import { describeVerdict, LogDisk, readDisk, type RecordSpec } from '../../test/support/log-disk.ts';
import { encodeFileHeader, fileSeed, WAL_MAGIC } from '../files/file-header.ts';
import {
  decodeRecordHeader,
  encodeRecordHeader,
  type LogRecordHeader,
  RECORD_HEADER_BYTES,
  RECORD_MARKER,
} from './log-format.ts';
import { readLog } from './log-verdict.ts';

const abc: readonly RecordSpec[] = [{ payload: 'a' }, { payload: 'bb' }, { payload: 'ccc' }];
/** The last record says that everything before it is on disk. */
const vouched: readonly RecordSpec[] = [{ payload: 'a' }, { payload: 'bb' }, { payload: 'ccc', durable: 'before' }];

/** Offsets inside a record, one in each field. */
const fields = { crc: 0, length: 4, 'durable LSN': 8, ordinal: 16, count: 24, kind: 28, marker: 30, payload: 32 };

/** Changes a record's header and makes its CRC match again. */
async function rewriteHeader(
  disk: LogDisk,
  index: number,
  change: Partial<LogRecordHeader>,
  marker: number = RECORD_MARKER,
): Promise<void> {
  const { file, offset } = disk.records[index]!;
  const bytes = await disk.read(file);
  const header = { ...decodeRecordHeader(bytes, offset), ...change };
  const seed = fileSeed(bytes);
  encodeRecordHeader(bytes, offset, header, seed);
  writeU16(bytes, offset + 30, marker);
  const end = offset + RECORD_HEADER_BYTES + header.payloadBytes;
  writeU32(bytes, offset, crc32c(bytes, seed, offset + 4, end));
  await disk.replace(file, bytes);
}

describe('a log without damage', () => {
  test('is handed out in order, over all its segments, and ends where the last record ends', async () => {
    const disk = await LogDisk.build(abc, [], [{ payload: 'd', durable: 'before' }]);

    const result = await readDisk(disk);

    expect(result.payloads).toEqual(['a', 'bb', 'ccc', 'd']);
    expect(describeVerdict(result)).toBe('end 000003.wal:104');
    expect(result.verdict).toMatchObject({ lsn: disk.records.at(-1)!.endLsn });
    expect(result.lastOrdinal).toBe(4);
  });

  test('may begin with an empty segment and hold nothing', async () => {
    const disk = await LogDisk.build([]);

    const result = await readDisk(disk);

    expect(result.payloads).toEqual([]);
    expect(describeVerdict(result)).toBe('end 000001.wal:64');
    expect(result.lastOrdinal).toBeUndefined();
  });

  test('ends cleanly in front of zeros', async () => {
    const disk = await LogDisk.build(abc);
    await disk.patch('000001.wal', disk.records[2]!.endOffset, new Uint8Array(5000));

    const result = await readDisk(disk);

    expect(describeVerdict(result)).toBe(`end 000001.wal:${disk.records[2]!.offset + 40}`);
  });

  test('is reported file by file', async () => {
    const disk = await LogDisk.build(abc, [{ payload: 'd', count: 5 }]);

    const { files } = await readDisk(disk);

    expect(files).toEqual([
      {
        file: '000001.wal',
        state: 'whole',
        fileBytes: 184,
        startLsn: 0,
        recordCount: 3,
        recordBytes: 120,
        firstOrdinal: 1,
        lastOrdinal: 3,
        strayRecordCount: 0,
        note: '',
      },
      {
        file: '000002.wal',
        state: 'stopped',
        fileBytes: 104,
        startLsn: 120,
        recordCount: 1,
        recordBytes: 40,
        firstOrdinal: 4,
        lastOrdinal: 8,
        strayRecordCount: 0,
        note: 'nothing but zeros stands here',
      },
    ]);
  });

  test('reads records larger than the reading buffer', async () => {
    const payload = 'x'.repeat(700_000);
    const disk = await LogDisk.build([{ payload: 'a' }, { payload }, { payload: 'b' }]);

    const result = await readDisk(disk);

    expect(result.payloads).toEqual(['a', payload, 'b']);
  });
});

describe('a torn tail', () => {
  test('is dropped wherever the file is cut', async () => {
    const whole = await LogDisk.build(abc);
    const bytes = await whole.read('000001.wal');

    for (let length = 64; length < bytes.length; length++) {
      const disk = await LogDisk.build(abc);
      await disk.replace('000001.wal', bytes.subarray(0, length));
      const result = await readDisk(disk);
      // Padding may be missing: the record is whole without it.
      const kept = whole.records.filter((record, i) => record.offset + 32 + i + 1 <= length).length;
      expect(result.payloads, `cut at ${length}`).toEqual(['a', 'bb', 'ccc'].slice(0, kept));
      expect(result.verdict.kind, `cut at ${length}`).toBe(
        length <= (whole.records[kept - 1]?.endOffset ?? 64) ? 'end' : 'torn',
      );
    }
  });

  test('is dropped wherever the data turns into zeros', async () => {
    const whole = await LogDisk.build(abc);
    const bytes = await whole.read('000001.wal');

    for (let from = 64; from < bytes.length; from++) {
      const disk = await LogDisk.build(abc);
      await disk.patch('000001.wal', from, new Uint8Array(bytes.length - from));
      const result = await readDisk(disk);
      expect(['end', 'torn'], `zeros from ${from}`).toContain(result.verdict.kind);
      expect(['a', 'bb', 'ccc'].join().startsWith(result.payloads.join()), `zeros from ${from}`).toBe(true);
    }
  });

  test('may have whole records behind it, which are not applied', async () => {
    const disk = await LogDisk.build([...abc, { payload: 'd' }]);
    await disk.flip('000001.wal', disk.records[1]!.offset + 32);

    const result = await readDisk(disk);

    expect(result.payloads).toEqual(['a']);
    expect(describeVerdict(result)).toBe('torn 000001.wal:104 -113');
    expect(result.files[0]).toMatchObject({ state: 'stopped', recordCount: 1, strayRecordCount: 2 });
  });

  test('may reach over segments, as long as no record vouches for it', async () => {
    const disk = await LogDisk.build(abc, [{ payload: 'd', durable: 40 }], []);
    await disk.patch('000001.wal', disk.records[1]!.offset, new Uint8Array(80));

    const result = await readDisk(disk);

    expect(result.payloads).toEqual(['a']);
    expect(describeVerdict(result)).toBe('torn 000001.wal:104 -33');
    expect(result.files.map(({ state }) => state)).toEqual(['stopped', 'behind', 'behind']);
  });

  test('is one even when nothing of it arrived but the header of the next segment', async () => {
    const disk = await LogDisk.build(abc, []);
    const record = disk.records[2]!;
    await disk.patch('000001.wal', record.offset, new Uint8Array(40));

    const result = await readDisk(disk);

    expect(describeVerdict(result)).toBe(`torn 000001.wal:${record.offset} -0`);
  });

  test('may be what the disk held before', async () => {
    const disk = await LogDisk.build(abc);
    const garbage = Uint8Array.from({ length: 999 }, (_, i) => (i * 7) | 1);
    await disk.patch('000001.wal', disk.records[2]!.endOffset, garbage);

    const result = await readDisk(disk);

    expect(result.payloads).toEqual(['a', 'bb', 'ccc']);
    expect(describeVerdict(result)).toBe('torn 000001.wal:184 -999');
  });

  test("may be another file's records, which do not verify here", async () => {
    const disk = await LogDisk.build(abc);
    const other = await LogDisk.build([], [...abc, { payload: 'd' }, { payload: 'e', durable: 'before' }]);
    const foreign = (await other.read('000002.wal')).subarray(64);
    await disk.patch('000001.wal', disk.records[2]!.endOffset, foreign);

    const result = await readDisk(disk);

    expect(result.payloads).toEqual(['a', 'bb', 'ccc']);
    expect(result.verdict.kind).toBe('torn');
    expect(result.files[0]!.strayRecordCount).toBe(0);
  });
});

describe('damage', () => {
  test.each(Object.entries(fields))('in the %s of a record that was durable is refused', async (_, at) => {
    const disk = await LogDisk.build(vouched);
    await disk.flip('000001.wal', disk.records[1]!.offset + at);

    const result = await readDisk(disk);

    expect(describeVerdict(result)).toMatch(/^refused 000001\.wal:104: .*000001\.wal at offset 144 says/);
  });

  test.each(Object.entries(fields))('in the %s of a record that nothing vouches for is a torn tail', async (_, at) => {
    const disk = await LogDisk.build(abc);
    await disk.flip('000001.wal', disk.records[1]!.offset + at);

    const result = await readDisk(disk);

    expect(describeVerdict(result)).toBe('torn 000001.wal:104 -75');
  });

  test('is told by a record in a later segment', async () => {
    const disk = await LogDisk.build(abc, [], [{ payload: 'd', durable: 120 }]);
    await disk.flip('000001.wal', disk.records[2]!.offset);

    const result = await readDisk(disk);

    expect(describeVerdict(result)).toMatch(/^refused 000001\.wal:144: .*000003\.wal at offset 64 says/);
  });

  test('is told by durable LSNs to the byte', async () => {
    const tellers = [39, 40, 41].map((durable) => [...abc.slice(0, 2), { payload: 'ccc', durable }]);

    const kinds = tellers.map(async (records) => {
      const disk = await LogDisk.build(records);
      await disk.flip('000001.wal', disk.records[1]!.offset);
      return (await readDisk(disk)).verdict.kind;
    });

    expect(await Promise.all(kinds)).toEqual(['torn', 'torn', 'refused']);
  });

  test('by zeros in the middle is refused', async () => {
    const filler = 'x'.repeat(5000);
    const disk = await LogDisk.build([{ payload: filler }, { payload: filler }, { payload: 'c', durable: 'before' }]);
    await disk.patch('000001.wal', 4096, new Uint8Array(4096));

    const result = await readDisk(disk);

    expect(describeVerdict(result)).toMatch(/^refused 000001\.wal:64:/);
  });

  test('by a flipped bit in any byte is never handed out, and refused where a record vouches', async () => {
    const segments = [vouched, [{ payload: 'dd', durable: 'before' }, { payload: 'e' }]] as const;
    const disk = await LogDisk.build(...segments);
    const surprises: string[] = [];

    for (const { file } of disk.files) {
      const { length } = await disk.read(file);
      for (let at = 0; at < length; at++) {
        await disk.flip(file, at, 1 << (at & 7));
        const { payloads, verdict } = await readDisk(disk);
        await disk.flip(file, at, 1 << (at & 7));
        const isPrefix = payloads.every((payload, i) => payload === ['a', 'bb', 'ccc', 'dd', 'e'][i]);
        if (isPrefix && (verdict.kind === 'refused' || payloads.length >= 3)) continue;
        surprises.push(`byte ${at} of ${file}: ${payloads.join()} ${verdict.kind}`);
      }
    }

    expect(surprises).toEqual([]);
  });

  test('by a record written twice is refused', async () => {
    const disk = await LogDisk.build(abc);
    const [, second, third] = disk.records;
    const bytes = await disk.read('000001.wal');
    await disk.patch('000001.wal', third!.offset, bytes.subarray(second!.offset, second!.endOffset));

    const result = await readDisk(disk);

    expect(describeVerdict(result)).toBe(
      'refused 000001.wal:144: 000001.wal is damaged at offset 144: a record begins at number 2, and 3 should come next',
    );
  });

  test('by swapped records is refused', async () => {
    const disk = await LogDisk.build(abc);
    const [, second, third] = disk.records;
    const bytes = Uint8Array.from(await disk.read('000001.wal'));
    await disk.patch('000001.wal', second!.offset, bytes.subarray(third!.offset, third!.endOffset));
    await disk.patch('000001.wal', third!.offset, bytes.subarray(second!.offset, second!.endOffset));

    const result = await readDisk(disk);

    expect(describeVerdict(result)).toMatch(/^refused 000001\.wal:104: .*begins at number 3, and 2 should come next/);
  });

  test.each<readonly [string, RecordSpec, RegExp]>([
    ['of an unknown kind', { payload: 'x', kind: 2 }, /^refused KAYA_UNSUPPORTED: 000001.wal has a record of kind 2/],
    ['with number 0', { payload: 'x', firstOrdinal: 0 }, /claims 1 numbers from 0/],
    [
      'with numbers past 2^53',
      { payload: 'x', firstOrdinal: Number.MAX_SAFE_INTEGER },
      /claims 1 numbers from 9007199254740991/,
    ],
    ['that skips a number', { payload: 'x', firstOrdinal: 3 }, /begins at number 3, and 2 should come next/],
  ])('by a valid record %s is refused', async (_, record, expected) => {
    const disk = await LogDisk.build([{ payload: 'a' }, record]);

    const result = await readDisk(disk);

    expect(describeVerdict(result)).toMatch(expected);
    expect(result.payloads).toEqual(['a']);
  });

  test('by a record that was durable before it was written is refused', async () => {
    const disk = await LogDisk.build(abc);
    await rewriteHeader(disk, 1, { durableLsn: disk.records[1]!.lsn + 1 });

    const result = await readDisk(disk);

    expect(describeVerdict(result)).toMatch(
      /^refused 000001\.wal:104: .*claims that what comes after it had been durable/,
    );
  });

  test('by a record without ordinals is refused', async () => {
    const disk = await LogDisk.build(abc);
    await rewriteHeader(disk, 1, { count: 0 });

    const result = await readDisk(disk);

    expect(describeVerdict(result)).toMatch(/^refused 000001\.wal:104: .*claims 0 numbers/);
  });

  test('of the marker alone ends the log, even where the CRC matches', async () => {
    const disk = await LogDisk.build(abc);
    await rewriteHeader(disk, 1, {}, 0x1111);

    const result = await readDisk(disk);

    expect(describeVerdict(result)).toBe('torn 000001.wal:104 -75');
  });

  test('by a lost beginning is refused', async () => {
    const disk = await LogDisk.build([{ payload: 'x', firstOrdinal: 8 }]);

    const results = [await readDisk(disk, { maxFirstOrdinal: 7 }), await readDisk(disk, { maxFirstOrdinal: 8 })];

    expect(results.map(({ verdict }) => verdict.kind)).toEqual(['refused', 'end']);
    expect(describeVerdict(results[0]!)).toContain('the log begins at number 8, and 7 is missing');
  });

  test('by a payload that the visitor cannot read is refused at its record', async () => {
    const disk = await LogDisk.build(abc);
    const source = {
      fs: disk.fs,
      directory: '',
      magic: WAL_MAGIC,
      files: disk.files,
      recordKind: 1,
      maxFirstOrdinal: 1,
    } as const;

    const outcome = await readLog(
      { ...source, storeId: Uint8Array.from({ length: 16 }, (_, i) => 0xa0 + i) },
      ({ firstOrdinal }) => {
        if (firstOrdinal === 2) throw new DecodeError('no such thing', 5);
      },
    );

    expect(describeVerdict(outcome)).toMatch(/^refused 000001\.wal:104: .*malformed: no such thing/);
  });
});

describe('segments', () => {
  test('missing in the middle are refused when a later record vouches for them', async () => {
    const disk = await LogDisk.build(abc, [{ payload: 'd' }], [{ payload: 'e', durable: 'before' }]);
    await disk.remove('000002.wal');

    const result = await readDisk(disk);

    expect(describeVerdict(result)).toMatch(/^refused 000001\.wal:184:/);
  });

  test('missing in the middle are a torn tail when nothing vouches for them', async () => {
    const disk = await LogDisk.build(abc, [{ payload: 'd' }], [{ payload: 'e' }]);
    await disk.remove('000002.wal');

    const result = await readDisk(disk);

    expect(describeVerdict(result)).toBe('torn 000001.wal:184 -33');
    expect(result.payloads).toEqual(['a', 'bb', 'ccc']);
  });

  test('that overlap are refused', async () => {
    const disk = await LogDisk.build(abc);
    await disk.addSegment([{ payload: 'd' }], 80);

    const result = await readDisk(disk);

    expect(describeVerdict(result)).toMatch(
      /^refused 000002\.wal:0: .*begin at LSN 80, and 000001\.wal goes on to 120/,
    );
  });

  test('that join but skip a number are refused', async () => {
    const disk = await LogDisk.build(abc, [{ payload: 'e', firstOrdinal: 5 }]);

    const result = await readDisk(disk);

    expect(describeVerdict(result)).toMatch(/^refused 000002\.wal:64: .*begins at number 5, and 4 should come next/);
  });

  test.each([
    ['of another store', { storeId: new Uint8Array(16) }, 'belongs to another store'],
    ['of another number', { fileNumber: 9 }, 'was written as number 9'],
  ])('%s are refused', async (_, change, message) => {
    const disk = await LogDisk.build(abc, []);
    const storeId = Uint8Array.from({ length: 16 }, (__, i) => 0xa0 + i);
    const header = encodeFileHeader({ magic: WAL_MAGIC, storeId, fileNumber: 2, startLsn: 120, ...change });
    await disk.patch('000002.wal', 0, header);

    const result = await readDisk(disk);

    expect(describeVerdict(result)).toMatch(new RegExp(`^refused 000002\\.wal:0: .*${message}`));
    expect(result.payloads).toEqual([]);
    expect(result.files[1]).toMatchObject({ state: 'damaged' });
  });

  test.each([
    ['empty', 0],
    ['cut inside the header', 40],
  ])('at the end that are %s were never used', async (_, length) => {
    const disk = await LogDisk.build(abc, [], []);
    for (const file of ['000002.wal', '000003.wal'])
      await disk.replace(file, (await disk.read(file)).subarray(0, length));

    const result = await readDisk(disk);

    expect(describeVerdict(result)).toBe('end 000001.wal:184');
    expect(result.files.map(({ state }) => state)).toEqual(['stopped', 'blank', 'blank']);
  });

  test('never used are passed over between segments that join', async () => {
    const disk = await LogDisk.build(abc, [], [{ payload: 'd', durable: 'before' }]);
    await disk.replace('000002.wal', new Uint8Array(500));

    const result = await readDisk(disk);

    expect(result.payloads).toEqual(['a', 'bb', 'ccc', 'd']);
    expect(describeVerdict(result)).toBe('end 000003.wal:104');
  });

  test('that look never used are refused where records are missing between used ones', async () => {
    const disk = await LogDisk.build(abc, [{ payload: 'd' }], [{ payload: 'e' }]);
    await disk.replace('000002.wal', new Uint8Array(104));

    const result = await readDisk(disk);

    expect(describeVerdict(result)).toMatch(/^refused 000002\.wal:0:/);
  });

  test('that look never used are named where a later record says that they held some', async () => {
    const disk = await LogDisk.build(abc, [{ payload: 'd', durable: 'before' }], [{ payload: 'e', durable: 'before' }]);
    await disk.replace('000002.wal', new Uint8Array(104));

    const result = await readDisk(disk);

    expect(describeVerdict(result)).toMatch(/^refused 000002\.wal:0:.*no record is left in it/);
  });

  test('made ahead of need are not blamed for zeros before them', async () => {
    const disk = await LogDisk.build(
      abc.map((record) => ({ ...record, durable: 'before' as const })),
      [],
    );
    await disk.replace('000002.wal', new Uint8Array(104));
    const { offset } = disk.records[0]!;
    await disk.patch('000001.wal', offset, new Uint8Array(disk.records[1]!.offset - offset));

    const result = await readDisk(disk);

    expect(describeVerdict(result)).toMatch(new RegExp(`^refused 000001\\.wal:${offset}:`));
  });

  test('that look never used do not stand in the way of a torn tail', async () => {
    const disk = await LogDisk.build(abc, [], []);
    await disk.replace('000002.wal', new Uint8Array(0));
    await disk.patch('000001.wal', disk.records[1]!.offset, new Uint8Array(80));

    const result = await readDisk(disk);

    expect(describeVerdict(result)).toBe('torn 000001.wal:104 -0');
  });

  test('with a damaged header and something behind it are refused', async () => {
    const disk = await LogDisk.build(abc, [{ payload: 'd' }]);
    await disk.flip('000002.wal', 20);

    const result = await readDisk(disk);

    expect(describeVerdict(result)).toMatch(/^refused 000002\.wal:0: .*header CRC/);
  });

  test('in the first place must verify, since they are known to have been used', async () => {
    const disk = await LogDisk.build([]);
    await disk.replace('000001.wal', new Uint8Array(64));

    const result = await readDisk(disk);

    expect(describeVerdict(result)).toMatch(/^refused 000001\.wal:0:/);
  });
});

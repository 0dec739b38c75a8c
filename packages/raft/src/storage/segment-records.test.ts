import { concatBytes, crc32c, writeU32, writeU64 } from '@kayadb/codec';
import { describe, expect, test } from 'vitest';

import type { Entry } from '../core/types.ts';
import { sampleEntries, sampleEntry } from '../testing/storage-samples.ts';
import { decodeFileHeader, encodeFileHeader, fileSeed, RAFT_HEADER_BYTES, SEGMENT_MAGIC } from './file-header.ts';
import {
  APPEND_RECORD,
  encodeRecord,
  ENTRY_HEADER_BYTES,
  payloadBytesOf,
  RECORD_HEADER_BYTES,
  recordBytes,
  type RecordFields,
} from './segment-format.ts';
import {
  findWitness,
  type SegmentBytes,
  type SegmentRecord,
  type SegmentStop,
  walkSegment,
} from './segment-records.ts';

const FILE = '000004.rlog';
const START_LSN = 1000;
const IDENTITY = { clusterId: new Uint8Array(16).fill(7), nodeId: 3, incarnation: 1 };
const HEADER = encodeFileHeader(SEGMENT_MAGIC, IDENTITY, {
  segment: 4,
  startLsn: START_LSN,
  firstIndex: 1,
  previousTerm: 0,
});
const SEED = fileSeed(HEADER);
const ENTRY_AT = RECORD_HEADER_BYTES;
const COUNT_AT = 40;
const MIB = 1024 * 1024;

function recordOf(entries: readonly Entry[], fields: Partial<RecordFields> = {}): Uint8Array {
  const bytes = new Uint8Array(recordBytes(payloadBytesOf(entries)));
  const firstIndex = entries[0]?.index ?? 1;
  const all = { kind: APPEND_RECORD, firstIndex, previousTerm: 1, commit: 0, durableLsn: START_LSN, ...fields };
  encodeRecord(bytes, all, entries, SEED);
  return bytes;
}

/** The record after a change to its bytes, with a CRC that matches. */
function changed(record: Uint8Array, change: (bytes: Uint8Array) => void): Uint8Array {
  const bytes = record.slice();
  change(bytes);
  const end = RECORD_HEADER_BYTES + new DataView(bytes.buffer).getUint32(4, true);
  writeU32(bytes, 0, crc32c(bytes, SEED, 4, end));
  return bytes;
}

function torn(record: Uint8Array): Uint8Array {
  return record.map((byte, i) => (i === 0 ? byte ^ 1 : byte));
}

function segmentOf(parts: readonly Uint8Array[], limitLsn = Number.POSITIVE_INFINITY): SegmentBytes {
  const bytes = concatBytes([HEADER, ...parts]);
  return { file: FILE, header: decodeFileHeader(FILE, bytes, SEGMENT_MAGIC, IDENTITY), bytes, limitLsn };
}

interface Walked {
  readonly records: readonly SegmentRecord[];
  readonly stop: SegmentStop;
  readonly witness: string | undefined;
}

function walk(parts: readonly Uint8Array[], limitLsn?: number): Walked {
  const segment = segmentOf(parts, limitLsn);
  const records: SegmentRecord[] = [];
  const stop = walkSegment(segment, (record) => records.push(record));
  return { records, stop, witness: findWitness(segment, stop) };
}

const one = recordOf(sampleEntries(1, 2, 1));
const two = recordOf([sampleEntry(3, 1)]);

describe('walkSegment', () => {
  test('hands out records with the places of their entries, up to where none begins', () => {
    const { records, stop } = walk([one, two, new Uint8Array(64)]);

    const entryBytes = ENTRY_HEADER_BYTES + 3;
    const at = RAFT_HEADER_BYTES + RECORD_HEADER_BYTES;
    expect(records.map(({ lsn, firstIndex }) => [lsn, firstIndex])).toEqual([
      [START_LSN, 1],
      [START_LSN + one.length, 3],
    ]);
    expect(records[0]!.entries).toEqual([
      { term: 1, offset: at, bytes: entryBytes },
      { term: 1, offset: at + entryBytes, bytes: entryBytes },
    ]);
    expect(stop).toEqual({
      offset: RAFT_HEADER_BYTES + one.length + two.length,
      lsn: START_LSN + one.length + two.length,
      reason: 'no record begins',
    });
  });

  test('ends where the next segment begins, whatever follows', () => {
    const { records, stop } = walk([one, two], START_LSN + one.length);

    expect([records.length, stop.reason]).toEqual([1, 'the next segment begins']);
  });

  test.each([
    ['the file ends', [one, two.subarray(0, RECORD_HEADER_BYTES - 1)]],
    ['no record begins', [one, new Uint8Array(RECORD_HEADER_BYTES)]],
    ['a record goes on behind the end of the file', [one, two.subarray(0, RECORD_HEADER_BYTES + 5)]],
    ['the CRC of a record does not match', [one, torn(two)]],
    ['a record is of what the file held before', [one, recordOf([sampleEntry(3, 1)], { durableLsn: START_LSN - 8 })]],
  ])('ends where %s', (reason, parts) => {
    const { records, stop } = walk(parts);

    expect([records.length, stop.offset, stop.reason]).toEqual([1, RAFT_HEADER_BYTES + one.length, reason]);
  });

  test.each([
    ['claims that what comes after it had been durable', recordOf([sampleEntry(1, 1)], { durableLsn: START_LSN + 8 })],
    ['begins at index 0', recordOf([sampleEntry(0, 1)])],
    ['begins at index 9007199254740991', recordOf([sampleEntry(Number.MAX_SAFE_INTEGER, 1)])],
    ['the last entry of a record is cut off', changed(one, (bytes) => writeU32(bytes, ENTRY_AT + 4, 14))],
    ["stands in another's place", recordOf([sampleEntry(2, 1)], { firstIndex: 1 })],
    ['the term of entry 2 goes down', recordOf([sampleEntry(1, 2), sampleEntry(2, 1)])],
    ['the term of entry 1 goes down', recordOf([sampleEntry(1, 1)], { previousTerm: 2 })],
    [
      'the term of entry 1 goes down',
      changed(two, (bytes) => {
        writeU64(bytes, 16, 1);
        writeU64(bytes, ENTRY_AT + 8, 1);
        writeU32(bytes, ENTRY_AT + 20, 0xffff_ffff);
      }),
    ],
    ['do not fill it: 3 are said to', changed(one, (bytes) => writeU32(bytes, COUNT_AT, 3))],
    ['do not fill it: 1 are said to', changed(one, (bytes) => writeU32(bytes, COUNT_AT, 1))],
    ['do not fill it: 1 are said to', changed(two, (bytes) => writeU32(bytes, ENTRY_AT + 4, 9))],
  ])('refuses a record that verifies and %s', (reason, record) => {
    expect(() => walk([record])).toThrow(
      expect.objectContaining({
        code: 'KAYA_RAFT_CORRUPTION',
        file: FILE,
        offset: RAFT_HEADER_BYTES,
        message: expect.stringContaining(reason) as unknown,
      }),
    );
  });

  test('refuses a record that reaches into the next segment', () => {
    expect(() => walk([one, two], START_LSN + one.length + 8)).toThrow('a record reaches into the next segment');
  });

  test.each([
    ['a record of kind 3', recordOf([sampleEntry(1, 1)], { kind: 3 })],
    ['an entry of kind 3', changed(one, (bytes) => (bytes[ENTRY_AT + 24] = 3))],
  ])('says that %s was written by a newer version', (what, record) => {
    expect(() => walk([record])).toThrow(
      expect.objectContaining({ code: 'KAYA_RAFT_UNSUPPORTED', message: expect.stringContaining(what) as unknown }),
    );
  });
});

describe('findWitness', () => {
  const behind = START_LSN + one.length;

  test('finds a later record that says that the place had been durable', () => {
    const { witness } = walk([one, torn(two), recordOf([sampleEntry(4, 1)], { durableLsn: behind + 8 })]);

    const offset = RAFT_HEADER_BYTES + one.length + two.length;
    expect(witness).toBe(`although the record at offset ${offset} says that this place was durable`);
  });

  test('finds it behind others that do not say so, and behind what is no record', () => {
    const witnessRecord = recordOf([sampleEntry(5, 1)], { durableLsn: behind + 8 });

    const { witness } = walk([one, torn(two), two, new Uint8Array(8).fill(0xab), torn(two), witnessRecord]);

    expect(witness).toContain('says that this place was durable');
  });

  test('takes no record for one that was written when nobody had synced the place', () => {
    const { witness } = walk([one, torn(two), recordOf([sampleEntry(4, 1)], { durableLsn: behind })]);

    expect(witness).toBeUndefined();
  });

  test('looks into no record that verifies: its entries are their writers’ business', () => {
    const forged = recordOf([sampleEntry(5, 1)], { durableLsn: behind + 8 });
    // Eight bytes on from where the data begin, a multiple of 8 again.
    const data = concatBytes([new Uint8Array(4), forged]);
    const carrier = recordOf([{ index: 4, term: 1, kind: 'normal', data }]);

    const { witness } = walk([one, torn(two), carrier]);

    expect((RECORD_HEADER_BYTES + ENTRY_HEADER_BYTES + 4) % 8).toBe(0);
    expect(witness).toBeUndefined();
  });

  /** A file full of headers of records of `payloadBytes`, none of which verifies. */
  function headers(fields: Partial<RecordFields>, payloadBytes: number): Uint8Array {
    const header = recordOf([], { durableLsn: behind + 8, ...fields }).slice();
    writeU32(header, 0, 1);
    writeU32(header, 4, payloadBytes);
    return concatBytes(Array.from({ length: Math.floor((2 * MIB) / header.length) }, () => header));
  }

  test('does not look without end at what looks like records', () => {
    const { witness } = walk([one, torn(two), headers({}, MIB)]);

    expect(witness).toBe('and behind it is too much that looks like records to decide what it means');
  });

  test.each([
    ['are of another kind', headers({ kind: 7 }, MIB)],
    ['are older than the segment', headers({ durableLsn: START_LSN - 8 }, MIB)],
    ['speak of what comes after them', headers({ durableLsn: START_LSN + 8 * MIB }, MIB)],
    ['go on behind the end of the file', headers({}, 0xffff_fff0)],
  ])('does not spend on records that %s', (_what, bytes) => {
    const { witness } = walk([one, torn(two), bytes]);

    expect(witness).toBeUndefined();
  });
});

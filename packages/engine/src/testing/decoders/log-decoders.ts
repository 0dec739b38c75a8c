/** Readers of the write-ahead log and the manifest. Formats: docs/format/record-log.md, docs/format/wal.md, docs/format/manifest.md. */

import { assert, concatBytes, copyBytes, crc32c, readU32, writeU32 } from '@kayadb/codec';

import {
  encodeFileHeader,
  FILE_HEADER_BYTES,
  type FileMagic,
  fileSeed,
  MANIFEST_MAGIC,
  WAL_MAGIC,
} from '../../files/file-header.ts';
import { manifestFileName, walFileName } from '../../files/file-names.ts';
import { PUT_KIND, RANGE_DELETE_KIND } from '../../key/internal-key.ts';
import { decodeOperations, type Operation, WriteBatch } from '../../key/write-batch.ts';
import { encodeRecordHeader, RECORD_HEADER_BYTES, recordBytes } from '../../log/log-format.ts';
import { readStoreState, type StoreState } from '../../version/store-state.ts';
import {
  decodeVersionEdit,
  encodeVersionEdit,
  VERSION_EDIT_RECORD,
  type VersionEdit,
} from '../../version/version-edit.ts';
import { COMMIT_GROUP_RECORD } from '../../wal/wal-format.ts';
import { inspectWal, replayWal } from '../../wal/wal-replay.ts';
import { TEST_STORE_ID } from '../write-table.ts';
import { BytesFileSystem } from './bytes-file-system.ts';
import type { Decoder, SampleSource } from './decoder.ts';
import { resealFileHeader } from './file-decoders.ts';
import { sampleEdit, sampleEdits } from './sample-edits.ts';
import { sampleKey, sampleSpan, sampleValue } from './sample-values.ts';

const DIRECTORY = '/db';
const FIRST_SEGMENT = 1;
const MANIFEST_NUMBER = 3;
/** Where the length of the first of two segments stands in a sample. */
const LENGTH_BYTES = 2;

const operations: Decoder<readonly Operation[]> = {
  name: 'write-batch',
  refusals: ['KAYA_MALFORMED'],
  isCanonical: () => true,
  copies: false,
  decode(bytes) {
    const list: Operation[] = [];
    decodeOperations(bytes, 1, (operation) => list.push(operation));
    return list;
  },
  encode: encodeOperations,
  sample: (random) => samplePayload(random, 5).payload,
};

interface ReplayedSegments {
  readonly groups: readonly { readonly firstSequence: number; readonly count: number; readonly payload: Uint8Array }[];
  readonly endLsn: number;
  readonly lastSequence: number;
}

/** Two bytes that say how long the first segment is, the first segment, the second one. */
const walSegments: Decoder<ReplayedSegments> = {
  name: 'wal',
  refusals: ['KAYA_CORRUPTION', 'KAYA_UNSUPPORTED'],
  isCanonical: () => false,
  copies: true,
  async decode(bytes) {
    const parts = splitSegments(bytes);
    const files = new Map(parts.map((part, i) => [`${DIRECTORY}/${walFileName(FIRST_SEGMENT + i)}`, part]));
    const options = {
      fs: new BytesFileSystem(files),
      directory: DIRECTORY,
      storeId: TEST_STORE_ID,
      segments: parts.map((_, i) => FIRST_SEGMENT + i),
      oldestSegment: FIRST_SEGMENT,
      flushedSequence: 2,
    };
    const groups: ReplayedSegments['groups'][number][] = [];
    const { endLsn, lastSequence } = await replayWal(
      options,
      (group) => void groups.push({ ...group, payload: copyBytes(group.payload) }),
    );
    const cleanClose = { segment: FIRST_SEGMENT, endLsn: endLsn + 8, lastSequence };
    const closedBehind = await inspectWal({ ...options, cleanClose }, () => undefined);
    assert(closedBehind.verdict.kind === 'refused', 'a log that was closed behind its end is damaged');
    for (const [i, { firstSequence, count, payload }] of groups.entries()) {
      const next = groups[i + 1]?.firstSequence ?? lastSequence + 1;
      assert(firstSequence + count === next, 'groups follow each other without a gap');
      const operationCount = decodeOperations(payload, firstSequence, () => undefined);
      assert(operationCount === count, 'a group has as many operations as it says');
    }
    return { groups, endLsn, lastSequence };
  },
  sample(random) {
    const log = new SampleLog(random, COMMIT_GROUP_RECORD);
    const first = log.segment(WAL_MAGIC, FIRST_SEGMENT, sampleGroups(random));
    const second = random.chance(0.5)
      ? log.segment(WAL_MAGIC, FIRST_SEGMENT + 1, sampleGroups(random))
      : new Uint8Array(0);
    return concatBytes([Uint8Array.of(first.length & 0xff, first.length >>> 8), first, second]);
  },
  reseal: (bytes) => splitSegments(bytes).forEach(resealLog),
};

const versionEdit: Decoder<VersionEdit> = {
  name: 'version-edit',
  refusals: ['KAYA_MALFORMED', 'KAYA_UNSUPPORTED'],
  isCanonical: () => false,
  copies: true,
  decode: decodeVersionEdit,
  encode: encodeVersionEdit,
  sample: (random) => encodeVersionEdit(sampleEdit(random)),
};

const manifest: Decoder<StoreState> = {
  name: 'manifest',
  refusals: ['KAYA_CORRUPTION', 'KAYA_UNSUPPORTED'],
  isCanonical: () => false,
  copies: true,
  async decode(bytes) {
    const fs = new BytesFileSystem(new Map([[`${DIRECTORY}/${manifestFileName(MANIFEST_NUMBER)}`, bytes]]));
    const { state } = await readStoreState(fs, DIRECTORY, { storeId: TEST_STORE_ID, manifestNumber: MANIFEST_NUMBER });
    return state;
  },
  sample(random) {
    const edits = sampleEdits(random).map((edit) => ({ payload: encodeVersionEdit(edit), count: 1 }));
    return new SampleLog(random, VERSION_EDIT_RECORD).segment(MANIFEST_MAGIC, MANIFEST_NUMBER, edits);
  },
  reseal: resealLog,
};

export const logDecoders: readonly Decoder[] = [operations, walSegments, versionEdit, manifest];

interface SamplePayload {
  readonly payload: Uint8Array;
  readonly count: number;
}

/** A log being made: its segments and records follow each other. */
class SampleLog {
  readonly #random: SampleSource;
  readonly #kind: number;
  #lsn = 0;
  #ordinal = 1;

  constructor(random: SampleSource, kind: number) {
    this.#random = random;
    this.#kind = kind;
  }

  segment(magic: FileMagic, fileNumber: number, payloads: readonly SamplePayload[]): Uint8Array {
    const header = encodeFileHeader({ magic, storeId: TEST_STORE_ID, fileNumber, startLsn: this.#lsn });
    const seed = fileSeed(header);
    const parts = [header];
    for (const { payload, count } of payloads) {
      const record = new Uint8Array(recordBytes(payload.length));
      record.set(payload, RECORD_HEADER_BYTES);
      const durableLsn = this.#random.chance(0.5) ? this.#lsn : 0;
      const fields = { kind: this.#kind, firstOrdinal: this.#ordinal, count, durableLsn, payloadBytes: payload.length };
      encodeRecordHeader(record, 0, fields, seed);
      parts.push(record);
      this.#lsn += record.length;
      this.#ordinal += count;
    }
    // As far as zeros are written ahead.
    if (this.#random.chance(0.3)) parts.push(new Uint8Array(8 * this.#random.int(12)));
    return concatBytes(parts);
  }
}

function sampleGroups(random: SampleSource): readonly SamplePayload[] {
  return Array.from({ length: random.int(4) }, () => samplePayload(random, 3));
}

function samplePayload(random: SampleSource, most: number): SamplePayload {
  const batch = new WriteBatch();
  for (let left = 1 + random.int(most); left > 0; left--) {
    const kind = random.int(4);
    if (kind === 0) batch.delete(sampleKey(random));
    else if (kind === 1) addRangeDelete(batch, random);
    else batch.put(sampleKey(random), sampleValue(random));
  }
  return { payload: copyBytes(batch.bytes), count: batch.count };
}

function addRangeDelete(batch: WriteBatch, random: SampleSource): void {
  const [start, end] = sampleSpan(random);
  batch.deleteRange(start, random.chance(0.2) ? undefined : end);
}

function encodeOperations(list: readonly Operation[]): Uint8Array {
  const batch = new WriteBatch();
  for (const { kind, key, value } of list) {
    if (kind === PUT_KIND) batch.put(key, value);
    else if (kind === RANGE_DELETE_KIND) batch.deleteRange(key, value.length === 0 ? undefined : value);
    else batch.delete(key);
  }
  return copyBytes(batch.bytes);
}

/** @returns Views, one or two. */
function splitSegments(bytes: Uint8Array): readonly Uint8Array[] {
  const firstBytes = bytes.length < LENGTH_BYTES ? 0 : bytes[0]! | (bytes[1]! << 8);
  const first = bytes.subarray(LENGTH_BYTES, LENGTH_BYTES + firstBytes);
  const second = bytes.subarray(LENGTH_BYTES + firstBytes);
  return second.length === 0 ? [first] : [first, second];
}

/** The header of a log file, and each record as long as their lengths lead from one to the next. */
export function resealLog(bytes: Uint8Array): void {
  if (bytes.length < FILE_HEADER_BYTES) return;
  resealFileHeader(bytes);
  const seed = fileSeed(bytes);
  for (let at = FILE_HEADER_BYTES; at + RECORD_HEADER_BYTES <= bytes.length;) {
    const payloadBytes = readU32(bytes, at + 4);
    const end = at + RECORD_HEADER_BYTES + payloadBytes;
    // Zeros are not a record with a wrong checksum but none.
    const isUnused = bytes.subarray(at, at + RECORD_HEADER_BYTES).every((byte) => byte === 0);
    if (end > bytes.length || isUnused) return;
    writeU32(bytes, at, crc32c(bytes, seed, at + 4, end));
    at += recordBytes(payloadBytes);
  }
}

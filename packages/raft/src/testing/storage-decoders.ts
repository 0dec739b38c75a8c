/** Readers of what a node keeps: log segments, term and vote, snapshots, membership changes. Formats: docs/format/raft-log.md and its neighbours. */

import { assert, concatBytes, copyBytes, crc32c, readU32, writeU32 } from '@kayadb/codec';

import { decodeConfigChange, encodeConfigChange } from '../core/config-change-encoding.ts';
import type { ConfigChange } from '../core/config-change.ts';
import type { Entry, Snapshot } from '../core/types.ts';
import {
  decodeFileHeader,
  encodeFileHeader,
  fileSeed,
  RAFT_HEADER_BYTES,
  SEGMENT_MAGIC,
} from '../storage/file-header.ts';
import {
  type DecodedState,
  decodeStateFile,
  encodeStateFile,
  RAFT_STATE_BYTES,
  slotOffset,
  STATE_SLOT_BYTES,
} from '../storage/hard-state-format.ts';
import type { RaftIdentity } from '../storage/raft-identity.ts';
import {
  APPEND_RECORD,
  RECORD_ALIGNMENT,
  encodeRecord,
  payloadBytesOf,
  RECORD_HEADER_BYTES,
  recordBytes,
} from '../storage/segment-format.ts';
import { findWitness, type SegmentRecord, type SegmentStop, walkSegment } from '../storage/segment-records.ts';
import { decodeSnapshot, encodeSnapshot } from '../storage/snapshot-format.ts';
import type { RaftDecoder, SampleSource } from './decoder.ts';
import { sampleConfigChange, sampleSnapshot } from './sample-messages.ts';

const IDENTITY: RaftIdentity = { clusterId: new Uint8Array(16).fill(7), nodeId: 3, incarnation: 1 };
const CRC_BYTES = 4;
const HEADER_CRC_AT = RAFT_HEADER_BYTES - CRC_BYTES;
const REFUSALS = ['KAYA_RAFT_CORRUPTION', 'KAYA_RAFT_UNSUPPORTED', 'KAYA_RAFT_FOREIGN'];

/** The first byte says which of the two encodings it is. */
const configChange: RaftDecoder<ConfigChange> = {
  name: 'raft-config-change',
  refusals: ['KAYA_MALFORMED'],
  // Both encodings give the same value, and the newer one two for leaving.
  isCanonical: () => false,
  copies: false,
  decode: (bytes) => decodeConfigChange(bytes[0] === 0 ? 'config' : 'config-v1', bytes.subarray(1)),
  encode: (value) => Uint8Array.from([0, ...encodeConfigChange(value)]),
  sample(random) {
    const isOlder = random.chance(0.3);
    return Uint8Array.from([isOlder ? 1 : 0, ...sampleConfigChange(random, isOlder ? 'config-v1' : 'config')]);
  },
};

const snapshotFile: RaftDecoder<Snapshot> = {
  name: 'raft-snapshot-file',
  refusals: REFUSALS,
  isCanonical: () => true,
  copies: true,
  decode: (bytes) => decodeSnapshot(bytes, IDENTITY),
  encode: (value) => encodeSnapshot(value, IDENTITY),
  sample: (random) => copyBytes(encodeSnapshot(sampleSnapshot(random, 300), IDENTITY)),
  reseal(bytes) {
    const end = bytes.length - CRC_BYTES;
    if (end >= RAFT_HEADER_BYTES) writeU32(bytes, end, crc32c(bytes, resealHeader(bytes), RAFT_HEADER_BYTES, end));
  },
};

/** The header and the two slots, without the zeros between them. */
const stateFile: RaftDecoder<DecodedState> = {
  name: 'raft-state-file',
  refusals: REFUSALS,
  isCanonical: () => false,
  copies: true,
  decode(bytes) {
    const file = new Uint8Array(RAFT_STATE_BYTES);
    file.set(bytes.subarray(0, RAFT_HEADER_BYTES));
    for (const slot of [0, 1]) file.set(bytes.subarray(slotAt(slot), slotAt(slot + 1)), slotOffset(slot));
    return decodeStateFile(file, IDENTITY);
  },
  sample(random) {
    const older = { version: 1 + random.int(9), term: random.int(300), vote: random.int(4) };
    const newer = { version: older.version + 1, term: older.term + random.int(2), vote: random.int(4) };
    const isSecondNewer = random.chance(0.5);
    const files = (isSecondNewer ? [older, newer] : [newer, older]).map((state) => encodeStateFile(state, IDENTITY));
    const slots = files.map((file, slot) => file.subarray(slotOffset(slot), slotOffset(slot) + STATE_SLOT_BYTES));
    return concatBytes([files[0]!.subarray(0, RAFT_HEADER_BYTES), ...slots]);
  },
  reseal(bytes) {
    if (bytes.length < slotAt(2)) return;
    const seed = resealHeader(bytes);
    for (const slot of [0, 1]) {
      writeU32(bytes, slotAt(slot), crc32c(bytes, seed, slotAt(slot) + CRC_BYTES, slotAt(slot + 1)));
    }
  },
};

interface WalkedSegment {
  readonly records: readonly SegmentRecord[];
  readonly stop: SegmentStop;
  readonly witness: string | undefined;
}

/** Damage is part of the answer, as long as it may be a torn tail. */
const segment: RaftDecoder<WalkedSegment> = {
  name: 'raft-segment',
  refusals: REFUSALS,
  isCanonical: () => false,
  copies: true,
  decode(bytes) {
    const file = '000001.rlog';
    const header = decodeFileHeader(file, bytes.subarray(0, RAFT_HEADER_BYTES), SEGMENT_MAGIC, IDENTITY);
    const walked = { file, header, bytes, limitLsn: Infinity };
    const records: SegmentRecord[] = [];
    const stop = walkSegment(walked, (record) => records.push(record));
    assert(
      stop.offset < bytes.length + RECORD_ALIGNMENT,
      'records end within the file, but for the padding of the last',
    );
    return { records, stop, witness: findWitness(walked, stop) };
  },
  sample: sampleSegment,
  reseal(bytes) {
    if (bytes.length < RAFT_HEADER_BYTES) return;
    const seed = resealHeader(bytes);
    for (let at = RAFT_HEADER_BYTES; at + RECORD_HEADER_BYTES <= bytes.length;) {
      const payloadBytes = readU32(bytes, at + 4);
      const end = at + RECORD_HEADER_BYTES + payloadBytes;
      if (end > bytes.length) return;
      writeU32(bytes, at, crc32c(bytes, seed, at + CRC_BYTES, end));
      at += recordBytes(payloadBytes);
    }
  },
};

export const storageDecoders: readonly RaftDecoder[] = [configChange, snapshotFile, stateFile, segment];

function sampleSegment(random: SampleSource): Uint8Array {
  const firstIndex = 1 + random.int(300);
  const header = encodeFileHeader(SEGMENT_MAGIC, IDENTITY, { segment: 1, startLsn: 0, firstIndex, previousTerm: 1 });
  const parts = [header];
  let next = firstIndex;
  let lsn = 0;
  for (let left = random.int(4); left > 0; left--) {
    const entries = Array.from({ length: 1 + random.int(3) }, (_, i): Entry => {
      return { index: next + i, term: 2, kind: 'normal', data: random.bytes(random.int(12)) };
    });
    const record = new Uint8Array(recordBytes(payloadBytesOf(entries)));
    const fields = { kind: APPEND_RECORD, firstIndex: next, previousTerm: next === firstIndex ? 1 : 2 };
    encodeRecord(record, { ...fields, commit: 0, durableLsn: random.chance(0.5) ? lsn : 0 }, entries, fileSeed(header));
    parts.push(record);
    lsn += record.length;
    next += entries.length;
  }
  return concatBytes([...parts, new Uint8Array(8 * random.int(8))]);
}

function slotAt(slot: number): number {
  return RAFT_HEADER_BYTES + slot * STATE_SLOT_BYTES;
}

/** @returns The seed of the rest of the file. */
function resealHeader(bytes: Uint8Array): number {
  const seed = crc32c(bytes, 0, 0, HEADER_CRC_AT);
  writeU32(bytes, HEADER_CRC_AT, seed);
  return seed;
}

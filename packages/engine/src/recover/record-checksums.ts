/** The checksums of a log record at a place of a file, whether it verifies or not. Format: docs/format/record-log.md, "Records". */

import type { FileHandle } from '@kayadb/vfs';

import {
  decodeRecordHeader,
  hasRecordMarker,
  MAX_RECORD_PAYLOAD_BYTES,
  RECORD_HEADER_BYTES,
  recordCrcs,
} from '../log/log-format.ts';
import type { InspectedChecksums } from './file-inspection.ts';
import { crcText } from './inspect-text-file.ts';

const UNKNOWN: InspectedChecksums = { storedCrc: null, computedCrc: null };

/**
 * @param seeds - Those that the file may have been written with. If none gives what stands there, it is told for the first.
 * @returns `null` for both where no record header stands, or where its payload would reach beyond the file.
 * @throws FileSystemError
 */
export async function recordChecksums(
  handle: FileHandle,
  offset: number,
  seeds: readonly number[],
): Promise<InspectedChecksums> {
  const header = new Uint8Array(RECORD_HEADER_BYTES);
  if ((await handle.read(header, offset)) < header.length || !hasRecordMarker(header, 0)) return UNKNOWN;
  const { payloadBytes } = decodeRecordHeader(header, 0);
  // Of a damaged header the length may be anything: memory is taken for what is there.
  const end = offset + RECORD_HEADER_BYTES + payloadBytes;
  if (payloadBytes > MAX_RECORD_PAYLOAD_BYTES || end > (await handle.size())) return UNKNOWN;
  const record = new Uint8Array(RECORD_HEADER_BYTES + payloadBytes);
  if ((await handle.read(record, offset)) < record.length) return UNKNOWN;
  const all = seeds.map((seed) => recordCrcs(record, 0, payloadBytes, seed));
  const best = all.find(({ stored, computed }) => stored === computed) ?? all[0];
  return best === undefined ? UNKNOWN : { storedCrc: crcText(best.stored), computedCrc: crcText(best.computed) };
}

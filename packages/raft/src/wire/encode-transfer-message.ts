/** Messages of a snapshot's transfer to frames. Format: docs/format/raft-snapshot-transfer.md, "Messages". */

import { assert, assertNever, type ByteWriter, encodeUtf8 } from '@kayadb/codec';

import { REFUSAL_REASON } from './frame-format.ts';
import { type FrameBody, sealFrame } from './peer-frame.ts';
import { snapshotBytes, writeSnapshot } from './snapshot-fields.ts';
import { isSnapshotFileName, type SnapshotFile, type TransferMessage } from './transfer-message.ts';

const NUMBER_BYTES = 8;
const COUNT_BYTES = 4;
const FLAG_BYTES = 1;
/** Of every message but the last one's kind: transfer and round. */
const ROUND_BYTES = NUMBER_BYTES + COUNT_BYTES;

/**
 * A whole frame, length field included, in one allocation. Byte arrays are copied.
 *
 * @throws RangeError for a message over a limit of frame-format.ts.
 */
export function encodeTransferMessage(message: TransferMessage): Uint8Array {
  return sealFrame(message, bodyOf(message));
}

function bodyOf(message: TransferMessage): FrameBody {
  const { transfer } = message;
  if (message.kind === 'snapshot-done') return { bytes: NUMBER_BYTES, write: (writer) => void writer.u64(transfer) };
  const { round } = message;
  const body = bodyInRound(message);
  return { bytes: ROUND_BYTES + body.bytes, write: (writer) => body.write(writer.u64(transfer).u32(round)) };
}

function bodyInRound(message: Exclude<TransferMessage, { kind: 'snapshot-done' }>): FrameBody {
  switch (message.kind) {
    case 'snapshot-offer': {
      const { term, snapshot, files } = message;
      return {
        bytes: NUMBER_BYTES + snapshotBytes(snapshot) + fileListBytes(files),
        write(writer) {
          writeSnapshot(writer.u64(term), snapshot);
          writeFileList(writer, files);
        },
      };
    }
    case 'snapshot-chunk': {
      const { file, offset, crc, data } = message;
      return {
        bytes: 3 * COUNT_BYTES + NUMBER_BYTES + data.length,
        write: (writer) => void writer.u32(file).u64(offset).u32(crc).u32(data.length).bytes(data),
      };
    }
    case 'snapshot-position': {
      const { file, offset, windowBytes, isRewind } = message;
      return {
        bytes: 2 * COUNT_BYTES + NUMBER_BYTES + FLAG_BYTES,
        write: (writer) => void writer.u32(file).u64(offset).u32(windowBytes).u8(+isRewind),
      };
    }
    case 'snapshot-refusal': {
      const code = REFUSAL_REASON[message.reason];
      return { bytes: 1, write: (writer) => void writer.u8(code) };
    }
    default:
      return assertNever(message, 'message');
  }
}

/** Size of a list of files, which is also in the file TRANSFER. */
export function fileListBytes(files: readonly SnapshotFile[]): number {
  let bytes = COUNT_BYTES;
  // Names are ASCII, so a character is a byte.
  for (const { name } of files) bytes += 1 + name.length + NUMBER_BYTES + COUNT_BYTES;
  return bytes;
}

/** Requires: files that ascend by name, with safe names. */
export function writeFileList(writer: ByteWriter, files: readonly SnapshotFile[]): void {
  writer.u32(files.length);
  for (const { name, bytes, crc } of files) {
    assert(isSnapshotFileName(name), `${JSON.stringify(name)} is no name for a file of a snapshot`);
    writer.u8(name.length).bytes(encodeUtf8(name)).u64(bytes).u32(crc);
  }
}

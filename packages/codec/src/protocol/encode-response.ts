/** Responses to frames, each in one allocation. Format: docs/format/wire.md, "Responses". */

import { assert, assertNever } from '../assert.ts';
import { ByteWriter } from '../byte-writer.ts';
import { EMPTY_BYTES, encodeUtf8 } from '../bytes.ts';
import { ProtocolError } from './protocol-error.ts';
import type { Response, ScanItem } from './response.ts';
import {
  FRAME_HEADER_BYTES,
  MAX_FRAME_BYTES,
  SCAN_ANSWER_OVERHEAD_BYTES,
  SCAN_ITEM_OVERHEAD_BYTES,
  STATUS,
  type Status,
} from './wire-format.ts';

const STATUS_BYTES = 2;

/**
 * A whole frame, length field included.
 *
 * @param response - Byte arrays are copied.
 * @throws ProtocolError KAYA_FRAME_TOO_LARGE: answer with a refusal instead.
 */
export function encodeResponse(response: Response): Uint8Array {
  switch (response.kind) {
    case 'done':
      return raw(STATUS.ok, EMPTY_BYTES);
    case 'value':
      return byteString(STATUS.ok, response.value);
    case 'items':
      return items(response.items);
    case 'version':
      return raw(STATUS.ok, new ByteWriter(2).u16(response.version).finish());
    case 'role':
      return raw(STATUS.ok, encodeUtf8(response.role));
    case 'text':
      return raw(STATUS.ok, encodeUtf8(response.text));
    case 'invalid-argument':
      return byteString(STATUS.invalidArgument, encodeUtf8(response.message));
    case 'not-found':
      return raw(STATUS.notFound, EMPTY_BYTES);
    case 'conflict':
      return byteString(STATUS.transactionConflict, encodeUtf8(response.message));
    case 'error':
      return byteString(STATUS.error, encodeUtf8(response.message));
    case 'not-leader':
      return raw(STATUS.notLeader, encodeUtf8(response.leaderAddress ?? ''));
    case 'range-moved':
      return raw(STATUS.rangeMoved, response.table);
    default:
      return assertNever(response, 'response');
  }
}

function raw(status: Status, payload: Uint8Array): Uint8Array {
  return startFrame(status, payload.length).bytes(payload).finish();
}

function byteString(status: Status, bytes: Uint8Array): Uint8Array {
  return startFrame(status, 4 + bytes.length)
    .u32(bytes.length)
    .bytes(bytes)
    .finish();
}

function items(list: readonly ScanItem[]): Uint8Array {
  let bytes = SCAN_ANSWER_OVERHEAD_BYTES - STATUS_BYTES;
  for (const { key, value } of list) bytes += SCAN_ITEM_OVERHEAD_BYTES + key.length + value.length;
  const writer = startFrame(STATUS.ok, bytes).u32(list.length);
  for (const { key, value } of list) writer.u32(key.length).bytes(key).u32(value.length).bytes(value);
  assert(writer.length === FRAME_HEADER_BYTES + STATUS_BYTES + bytes, 'a scan answer was measured wrong');
  return writer.finish();
}

function startFrame(status: Status, payloadBytes: number): ByteWriter {
  const length = STATUS_BYTES + payloadBytes;
  if (length > MAX_FRAME_BYTES) {
    const message = `an answer of ${length} bytes is over the frame limit of ${MAX_FRAME_BYTES} bytes`;
    throw new ProtocolError('KAYA_FRAME_TOO_LARGE', message);
  }
  return new ByteWriter(FRAME_HEADER_BYTES + length).u32(length).u16(status);
}

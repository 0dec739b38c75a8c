/**
 * Frames of protocol 2. Their length field is that of version 1, so one `FrameDecoder` cuts both: where a connection goes over to
 * version 2, only what the next frame means changes.
 * Format: docs/format/wire-2.md, "Frames".
 */

import { assert } from '../assert.ts';
import { ByteReader } from '../byte-reader.ts';
import { ByteWriter } from '../byte-writer.ts';
import { ProtocolError } from '../protocol/protocol-error.ts';
import { FRAME_HEADER_BYTES, MAX_FRAME_BYTES } from '../protocol/wire-format.ts';
import { ByteCounter, type ByteSink } from './byte-sink.ts';
import type { RequestHeader2 } from './request.ts';

/**
 * A whole frame, length field included, in one allocation.
 *
 * @param what - For the error.
 * @param write - Writes everything behind the length; called twice, and writes the same both times.
 * @throws ProtocolError KAYA_FRAME_TOO_LARGE, before anything is allocated.
 */
export function encodeFrame2(what: string, write: (sink: ByteSink) => void): Uint8Array {
  const counter = new ByteCounter();
  write(counter);
  if (counter.length > MAX_FRAME_BYTES) {
    const message = `${what} of ${counter.length} bytes is over the frame limit of ${MAX_FRAME_BYTES} bytes`;
    throw new ProtocolError('KAYA_FRAME_TOO_LARGE', message);
  }
  const writer = new ByteWriter(FRAME_HEADER_BYTES + counter.length).u32(counter.length);
  write(writer);
  assert(writer.length === FRAME_HEADER_BYTES + counter.length, `${what} was measured wrong`);
  return writer.finish();
}

/**
 * What stands in front of a request's payload. It can be read when the payload can not, so that the refusal has an id.
 *
 * @param frame - One frame of `FrameDecoder`.
 * @throws DecodeError when the frame is too small for it.
 */
export function decodeRequestHeader2(frame: Uint8Array): RequestHeader2 {
  return readRequestHeader(new ByteReader(frame));
}

export function readRequestHeader(reader: ByteReader): RequestHeader2 {
  const id = reader.u32('request id');
  const opcode = reader.u8('opcode');
  return { id, opcode, deadlineMs: reader.u32('deadline') };
}

/**
 * Which request a response answers.
 *
 * @param frame - One frame of `FrameDecoder`.
 * @throws DecodeError when the frame is too small for it.
 */
export function decodeResponseId2(frame: Uint8Array): number {
  return new ByteReader(frame).u32('request id');
}

/**
 * Frames to responses, for the side that knows which request it sent.
 * Invariant: any bytes give a response or a DecodeError. Format: docs/format/wire.md, "Responses".
 */

import { assertNever } from '../assert.ts';
import { ByteReader } from '../byte-reader.ts';
import { decodeUtf8 } from '../bytes.ts';
import { DecodeError } from '../errors.ts';
import type { RequestKind } from './request.ts';
import { OK_RESPONSE_KIND, type OkResponse, type Response, type ScanItem } from './response.ts';
import { MAX_DECODED_SCAN_ITEMS, SCAN_ITEM_OVERHEAD_BYTES, STATUS } from './wire-format.ts';

/**
 * @param request - Kind of the request that this answers: it decides what status 0 carries.
 * @param frame - One frame of `FrameDecoder`: status and payload. The response's byte arrays are views of it.
 * @throws DecodeError when the payload is not what its status says.
 */
export function decodeResponse(request: RequestKind, frame: Uint8Array): Response {
  const reader = new ByteReader(frame);
  const status = reader.u16('status');
  const response = status === STATUS.ok ? decodeOk(OK_RESPONSE_KIND[request], reader) : decodeRefusal(status, reader);
  reader.end(`the answer to ${request} with status ${status}`);
  return response;
}

function decodeOk(kind: OkResponse['kind'], reader: ByteReader): OkResponse {
  switch (kind) {
    case 'done':
      return { kind };
    case 'value':
      return { kind, value: readByteString(reader, 'value') };
    case 'items':
      return { kind, items: readItems(reader) };
    case 'version':
      return { kind, version: reader.u16('version') };
    case 'role':
      return { kind, role: readRole(reader) };
    case 'text':
      return { kind, text: decodeUtf8(reader.rest()) };
    default:
      return assertNever(kind, 'answer');
  }
}

function decodeRefusal(status: number, reader: ByteReader): Response {
  switch (status) {
    case STATUS.invalidArgument:
      return { kind: 'invalid-argument', message: readText(reader) };
    case STATUS.notFound:
      return { kind: 'not-found' };
    case STATUS.transactionConflict:
      return { kind: 'conflict', message: readText(reader) };
    case STATUS.error:
      return { kind: 'error', message: readText(reader) };
    case STATUS.notLeader: {
      const address = decodeUtf8(reader.rest());
      return { kind: 'not-leader', leaderAddress: address === '' ? undefined : address };
    }
    case STATUS.rangeMoved:
      return { kind: 'range-moved', table: reader.rest() };
    default:
      // What such a status carries is not known, so nothing is read out of it.
      reader.rest();
      return { kind: 'error', message: `status ${status}` };
  }
}

function readItems(reader: ByteReader): readonly ScanItem[] {
  const at = reader.offset;
  const count = reader.u32('item count');
  if (count > MAX_DECODED_SCAN_ITEMS) {
    throw new DecodeError(`a scan answer has ${count} items, at most ${MAX_DECODED_SCAN_ITEMS} are read`, at);
  }
  if (count * SCAN_ITEM_OVERHEAD_BYTES > reader.remaining) {
    throw new DecodeError(`a scan answer of ${reader.remaining} bytes cannot hold ${count} items`, at);
  }
  const items: ScanItem[] = [];
  for (let i = 0; i < count; i++) {
    items.push({ key: readByteString(reader, 'key'), value: readByteString(reader, 'value') });
  }
  return items;
}

function readRole(reader: ByteReader): 'leader' | 'follower' {
  const at = reader.offset;
  const role = decodeUtf8(reader.rest());
  if (role !== 'leader' && role !== 'follower') throw new DecodeError('role is neither leader nor follower', at);
  return role;
}

function readText(reader: ByteReader): string {
  return decodeUtf8(readByteString(reader, 'message'));
}

function readByteString(reader: ByteReader, what: string): Uint8Array {
  return reader.bytes(reader.u32(`${what} length`), what);
}

/**
 * Frames of protocol 2 to responses, for the side that knows which request it sent. Invariant: any bytes give a response
 * or a DecodeError, and what is accepted encodes to the same bytes. Format: docs/format/wire-2.md, "Responses".
 */

import { assertNever } from '../assert.ts';
import { ByteReader } from '../byte-reader.ts';
import { readCount, readFlag, readNumber, readOneOf, readText, readValue } from './fields.ts';
import { readPage } from './page.ts';
import type { RequestKind2 } from './request.ts';
import {
  HEALTH_ROLES,
  OK_RESPONSE_KIND_2,
  type OkResponse2,
  type Refusal2,
  type Response2,
  type Row2,
} from './response.ts';
import { MAX_GET_MANY_KEYS, STATUS_2 } from './wire-format-2.ts';
import type { WriteAnswer } from './write.ts';

/**
 * @param request - Kind of the request that this answers: it decides what status 0 carries.
 * @param frame - One frame of `FrameDecoder`, with its id: `decodeResponseId2` gives that. The response's byte arrays are views of the frame.
 * @throws DecodeError when the payload is not what its status says, or the status is not known.
 */
export function decodeResponse2(request: RequestKind2, frame: Uint8Array): Response2 {
  const reader = new ByteReader(frame);
  reader.u32('request id');
  const status = readOneOf(reader, 'status', STATUS_2.refused);
  const response = status === STATUS_2.ok ? readOk(reader, OK_RESPONSE_KIND_2[request]) : readRefusal(reader);
  reader.end(`the answer to ${request} with status ${status}`);
  return response;
}

function readOk(reader: ByteReader, kind: OkResponse2['kind']): OkResponse2 {
  switch (kind) {
    case 'done':
      return { kind };
    case 'health': {
      const role = HEALTH_ROLES[readOneOf(reader, 'role', HEALTH_ROLES.length - 1)]!;
      return { kind, role, leaderAddress: readLeader(reader) };
    }
    case 'row':
      return { kind, row: readRow(reader) };
    case 'rows':
      return { kind, rows: readRows(reader) };
    case 'written':
      return { kind, answer: readAnswer(reader) };
    case 'page':
      return { kind, page: readPage(reader) };
    case 'session': {
      const session = readNumber(reader, 'session', 1);
      return { kind, session, expiryMs: reader.varint('expiry') };
    }
    case 'text':
      return { kind, text: readText(reader, 'text') };
    default:
      return assertNever(kind, 'answer');
  }
}

function readRow(reader: ByteReader): Row2 | undefined {
  if (!readFlag(reader, 'found')) return undefined;
  const revision = reader.varint('revision');
  return { revision, value: readValue(reader) };
}

function readRows(reader: ByteReader): readonly (Row2 | undefined)[] {
  const count = readCount(reader, 'rows', MAX_GET_MANY_KEYS, 1);
  const rows: (Row2 | undefined)[] = [];
  for (let i = 0; i < count; i++) rows.push(readRow(reader));
  return rows;
}

function readAnswer(reader: ByteReader): WriteAnswer {
  const isApplied = readFlag(reader, 'applied');
  const revision = reader.varint('revision');
  const term = reader.varint('term');
  return { revision, term, failed: isApplied ? undefined : reader.varint('failed condition') };
}

function readRefusal(reader: ByteReader): Refusal2 {
  const code = readText(reader, 'code');
  const outcome = readOneOf(reader, 'outcome', 1) === 1 ? 'unknown' : 'not-done';
  const message = readText(reader, 'message');
  return { kind: 'refused', code, outcome, message, leaderAddress: readLeader(reader) };
}

function readLeader(reader: ByteReader): string | undefined {
  const address = readText(reader, 'address of the leader');
  return address === '' ? undefined : address;
}

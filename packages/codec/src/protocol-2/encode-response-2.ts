/** Responses of protocol 2 to frames, each in one allocation. Format: docs/format/wire-2.md, "Responses". */

import { assertNever } from '../assert.ts';
import type { ByteSink } from './byte-sink.ts';
import { writeFlag, writeNumber, writeText, writeValue } from './fields.ts';
import { encodeFrame2 } from './frame-2.ts';
import { writePage } from './page.ts';
import { HEALTH_ROLES, type Refusal2, type Response2, type Row2 } from './response.ts';
import { MAX_GET_MANY_KEYS, STATUS_2 } from './wire-format-2.ts';
import type { WriteAnswer } from './write.ts';

/**
 * A whole frame, length field included.
 *
 * @param id - Of the request that it answers.
 * @param response - Byte arrays are copied.
 * @throws ProtocolError KAYA_FRAME_TOO_LARGE: answer with a refusal instead. RangeError for what a decoder would refuse.
 */
export function encodeResponse2(id: number, response: Response2): Uint8Array {
  return encodeFrame2(`an answer of kind ${response.kind}`, (sink) => {
    sink.u32(id).u8(response.kind === 'refused' ? STATUS_2.refused : STATUS_2.ok);
    writePayload(sink, response);
  });
}

function writePayload(sink: ByteSink, response: Response2): void {
  switch (response.kind) {
    case 'done':
      return;
    case 'health':
      sink.u8(HEALTH_ROLES.indexOf(response.role));
      return writeText(sink, response.leaderAddress ?? '', 'address of the leader');
    case 'row':
      return writeRow(sink, response.row);
    case 'rows':
      writeNumber(sink, response.rows.length, 'count of rows', 0, MAX_GET_MANY_KEYS);
      for (const row of response.rows) writeRow(sink, row);
      return;
    case 'written':
      return writeAnswer(sink, response.answer);
    case 'page':
      return writePage(sink, response.page);
    case 'session':
      writeNumber(sink, response.session, 'session', 1);
      return void sink.varint(response.expiryMs);
    case 'text':
      return writeText(sink, response.text, 'text');
    case 'refused':
      return writeRefusal(sink, response);
    default:
      return assertNever(response, 'response');
  }
}

function writeRow(sink: ByteSink, row: Row2 | undefined): void {
  writeFlag(sink, row !== undefined);
  if (row !== undefined) writeValue(sink.varint(row.revision), row.value);
}

function writeAnswer(sink: ByteSink, { revision, term, failed }: WriteAnswer): void {
  writeFlag(sink, failed === undefined);
  sink.varint(revision).varint(term);
  if (failed !== undefined) sink.varint(failed);
}

function writeRefusal(sink: ByteSink, { code, outcome, message, leaderAddress }: Refusal2): void {
  writeText(sink, code, 'code');
  sink.u8(outcome === 'unknown' ? 1 : 0);
  writeText(sink, message, 'message');
  writeText(sink, leaderAddress ?? '', 'address of the leader');
}

/** Holds docs/format/wire-2.md and the code of protocol 2 to each other: constants, opcodes, vectors. */

import { describe, expect, test } from 'vitest';

import { DecodeError } from '../src/errors.ts';
import { decodeRequest2 } from '../src/protocol-2/decode-request-2.ts';
import { decodeResponse2 } from '../src/protocol-2/decode-response-2.ts';
import { encodeRequest2 } from '../src/protocol-2/encode-request-2.ts';
import { encodeResponse2 } from '../src/protocol-2/encode-response-2.ts';
import { decodeRequestHeader2, decodeResponseId2 } from '../src/protocol-2/frame-2.ts';
import { answerHello } from '../src/protocol-2/hello.ts';
import type { Request2, RequestKind2 } from '../src/protocol-2/request.ts';
import { OK_RESPONSE_KIND_2, type Response2 } from '../src/protocol-2/response.ts';
import * as wireFormat from '../src/protocol-2/wire-format-2.ts';
import { decodeRequest } from '../src/protocol/decode-request.ts';
import { FrameDecoder } from '../src/protocol/frame-decoder.ts';
import { FRAME_HEADER_BYTES } from '../src/protocol/wire-format.ts';
import { FormatPage, fromHex, parseVector, toHex } from './support/format-page.ts';

const page = new FormatPage('wire-2.md');
const BYTE_FIELDS = new Set(['key', 'keys', 'value', 'from', 'to', 'token']);

function requestOf(json: string): Request2 {
  return parseVector(json, BYTE_FIELDS) as Request2;
}

function responseOf(json: string): Response2 {
  return parseVector(json, BYTE_FIELDS) as Response2;
}

function frameOf(hex: string): Uint8Array {
  const decoder = new FrameDecoder();
  decoder.push(fromHex(hex));
  const frame = decoder.next();
  if (frame === undefined || decoder.bufferedBytes > 0) throw new Error(`not one whole frame: ${hex}`);
  return frame;
}

/** What a node that speaks 2 makes of a connection, in the words of the page. */
function describeConnection(bytes: Uint8Array, cut: number): string {
  const decoder = new FrameDecoder();
  const heard: string[] = [];
  let version = 1;
  for (const chunk of [bytes.subarray(0, cut), bytes.subarray(cut)]) {
    decoder.push(chunk);
    for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) {
      if (version === 2) {
        const { id } = decodeRequestHeader2(frame);
        heard.push(`${decodeRequest2(frame).kind.toUpperCase()} with id ${id}`);
        continue;
      }
      const request = decodeRequest(frame);
      if (request.kind !== 'hello') {
        heard.push(`${request.kind.toUpperCase()} of version 1`);
        continue;
      }
      const { response, next } = answerHello(request.version, { isFirstRequest: heard.length === 0, highest: 2 });
      const isAgreed = response.kind === 'version';
      heard.push(`HELLO of ${request.version} is ${isAgreed ? `answered with ${response.version}` : 'status 1'}`);
      version = next;
    }
  }
  return heard.join('; ');
}

describe('docs/format/wire-2.md', () => {
  test('names every constant with the value that the code has', () => {
    const inCode = Object.entries(wireFormat)
      .filter(([, value]) => typeof value === 'number')
      .map(([name, value]) => [name, String(value as number)]);

    const onPage = page.rowsUnder('### Constants');

    expect(Object.fromEntries(onPage)).toEqual(Object.fromEntries(inCode));
  });

  test('lists the opcodes of the code', () => {
    const onPage = page.tablesUnder('## Requests')[0]!.map(([opcode, name]) => [name, Number(opcode)]);

    const inCode = Object.entries(wireFormat.OPCODE_2).map(([name, opcode]) => [
      name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase(),
      opcode,
    ]);

    expect(onPage).toEqual(inCode);
  });

  test('lists the statuses of the code', () => {
    const onPage = page.tablesUnder('## Responses')[0]!.map(([status]) => Number(status));

    expect(onPage).toEqual(Object.values(wireFormat.STATUS_2));
  });

  test('counts the headers as the encoders write them', () => {
    const request = encodeRequest2({ id: 1, deadlineMs: 2 }, { kind: 'health' });
    const response = encodeResponse2(1, { kind: 'done' });

    expect(request.length).toBe(wireFormat.REQUEST_HEADER_BYTES_2);
    expect(response.length).toBe(wireFormat.RESPONSE_HEADER_BYTES_2);
  });

  test.each(page.rowsUnder('### Request vectors'))('request %s with deadline %s: %s', (id, deadline, json, hex) => {
    const envelope = { id: Number(id), deadlineMs: Number(deadline) };
    const request = requestOf(json);

    expect(toHex(encodeRequest2(envelope, request))).toBe(hex.replaceAll(' ', ''));
    expect(decodeRequestHeader2(frameOf(hex))).toMatchObject(envelope);
    expect(decodeRequest2(frameOf(hex))).toEqual(request);
  });

  test.each(page.rowsUnder('### Response vectors'))('answer to %s, id %s: %s', (kind, id, json, hex) => {
    const response = responseOf(json);

    expect(toHex(encodeResponse2(Number(id), response))).toBe(hex.replaceAll(' ', ''));
    expect(decodeResponseId2(frameOf(hex))).toBe(Number(id));
    expect(decodeResponse2(kind as RequestKind2, frameOf(hex))).toEqual(response);
  });

  test.each(page.rowsUnder('### Malformed requests'))('refuses request %s: %s', (hex) => {
    const frame = frameOf(hex);

    expect(() => decodeRequest2(frame)).toThrow(DecodeError);
  });

  test.each(page.rowsUnder('### Malformed responses'))('refuses answer to %s, %s: %s', (kind, hex) => {
    const frame = frameOf(hex);

    expect(kind in OK_RESPONSE_KIND_2).toBe(true);
    expect(() => decodeResponse2(kind as RequestKind2, frame)).toThrow(DecodeError);
  });

  test.each(page.rowsUnder('### Connections'))('connection %s, cut anywhere: %s', (hex, frames) => {
    const bytes = fromHex(hex);

    for (let cut = 0; cut <= bytes.length; cut++) expect(describeConnection(bytes, cut)).toBe(frames);
  });

  test('has a vector for every request, and for every kind of answer', () => {
    const requests = new Set(page.rowsUnder('### Request vectors').map(([, , json]) => requestOf(json!).kind));
    const answers = new Set(page.rowsUnder('### Response vectors').map(([, , json]) => responseOf(json!).kind));

    expect([...requests]).toEqual(Object.keys(OK_RESPONSE_KIND_2));
    expect(answers).toEqual(new Set([...Object.values(OK_RESPONSE_KIND_2), 'refused']));
  });

  test('has frames of one length field in both versions', () => {
    const hello = Uint8Array.of(3, 0, 0, 0, 0, 2, 0);
    const health = encodeRequest2({ id: 1, deadlineMs: 0 }, { kind: 'health' });

    expect(hello.length - FRAME_HEADER_BYTES).toBe(hello[0]);
    expect(health.length - FRAME_HEADER_BYTES).toBe(health[0]);
  });
});

/** Holds docs/format/wire.md and the code to each other: constants, opcodes, statuses and test vectors. */

import { describe, expect, test } from 'vitest';

import { DecodeError } from '../src/errors.ts';
import { decodeRequest } from '../src/protocol/decode-request.ts';
import { decodeResponse } from '../src/protocol/decode-response.ts';
import { encodeRequest } from '../src/protocol/encode-request.ts';
import { encodeResponse } from '../src/protocol/encode-response.ts';
import { FrameDecoder } from '../src/protocol/frame-decoder.ts';
import type { Request, RequestKind } from '../src/protocol/request.ts';
import type { Response } from '../src/protocol/response.ts';
import * as wireFormat from '../src/protocol/wire-format.ts';
import { FormatPage, fromHex, parseVector, toHex } from './support/format-page.ts';

const page = new FormatPage('wire.md');
const BYTE_FIELDS = new Set(['key', 'value', 'prefix', 'token', 'table']);

function frameOf(hex: string): Uint8Array {
  const decoder = new FrameDecoder();
  decoder.push(fromHex(hex));
  const frame = decoder.next();
  if (frame === undefined || decoder.bufferedBytes > 0) throw new Error(`not one whole frame: ${hex}`);
  return frame;
}

describe('docs/format/wire.md', () => {
  test('names every constant with the value that the code has', () => {
    const inCode = Object.entries(wireFormat)
      .filter(([, value]) => typeof value !== 'object' || value instanceof Uint8Array)
      .map(([name, value]) => [name, value instanceof Uint8Array ? toHex(value) : String(value as number | string)]);

    const onPage = page.rowsUnder('### Constants');

    expect(Object.fromEntries(onPage)).toEqual(Object.fromEntries(inCode));
  });

  test('lists the opcodes of the code', () => {
    const onPage = page.rowsUnder('## Requests').map(([opcode, name]) => [name, Number(opcode)]);

    const inCode = Object.entries(wireFormat.OPCODE).map(([name, opcode]) => [
      name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase(),
      opcode,
    ]);

    expect(onPage).toEqual(inCode);
  });

  test('lists the statuses of the code', () => {
    const onPage = page.rowsUnder('## Responses').map(([status]) => Number(status));

    expect(onPage).toEqual(Object.values(wireFormat.STATUS));
  });

  test('quotes the texts that refuse a credential', () => {
    for (const text of Object.values(wireFormat.UNAUTHORIZED_TEXTS)) expect(page.text).toContain(`\`${text}\``);
  });

  test.each(page.rowsUnder('### Request vectors'))('request %s', (json, hex) => {
    const request = parseVector(json, BYTE_FIELDS) as Request;

    expect(toHex(encodeRequest(request))).toBe(hex.replaceAll(' ', ''));
    expect(decodeRequest(frameOf(hex))).toEqual(request);
  });

  test.each(page.rowsUnder('### Response vectors'))('answer to %s: %s', (kind, json, hex) => {
    const response = parseVector(json, BYTE_FIELDS) as Response;

    expect(toHex(encodeResponse(response))).toBe(hex.replaceAll(' ', ''));
    expect(decodeResponse(kind as RequestKind, frameOf(hex))).toEqual(response);
  });

  test.each(page.rowsUnder('### Malformed requests'))('refuses %s: %s', (hex) => {
    const frame = frameOf(hex);

    expect(() => decodeRequest(frame)).toThrow(DecodeError);
  });

  test('has a vector for every request and every response', () => {
    const requests = new Set(
      page.rowsUnder('### Request vectors').map(([json]) => (parseVector(json!, BYTE_FIELDS) as Request).kind),
    );
    const statuses = new Set(page.rowsUnder('### Response vectors').map(([, , hex]) => hex!.split(' ')[1]));

    expect(requests.size).toBe(Object.keys(wireFormat.OPCODE).length);
    expect(statuses.size).toBe(Object.keys(wireFormat.STATUS).length);
  });
});

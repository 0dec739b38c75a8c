/** Holds docs/format/raft-messages.md and the code to each other: constants, kinds and test vectors. */

import { FrameDecoder } from '@kayadb/codec';
import { FormatPage, fromHex, parseWithBytes, toHex } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import type { PeerMessage } from '../src/core/message.ts';
import { decodePeerFrame } from '../src/wire/decode-peer-frame.ts';
import { decodePeerMessage } from '../src/wire/decode-peer-message.ts';
import { encodePeerMessage } from '../src/wire/encode-peer-message.ts';
import * as frameFormat from '../src/wire/frame-format.ts';

const page = new FormatPage('raft-messages.md');

function frameOf(hex: string): Uint8Array {
  const decoder = new FrameDecoder({ maxFrameBytes: frameFormat.MAX_PEER_FRAME_BYTES });
  decoder.push(fromHex(hex));
  const frame = decoder.next();
  if (frame === undefined || decoder.bufferedBytes > 0) throw new Error(`not one whole frame: ${hex}`);
  return frame;
}

function parseMessage(json: string): PeerMessage {
  return parseWithBytes(json, ['data', 'context']) as PeerMessage;
}

describe('docs/format/raft-messages.md', () => {
  test('names every constant with the value that the code has', () => {
    const inCode = Object.entries(frameFormat)
      .filter(([, value]) => typeof value === 'number')
      .map(([name, value]) => [name, String(value as number)]);

    const onPage = page.rowsUnder('### Constants');

    expect(Object.fromEntries(onPage)).toEqual(Object.fromEntries(inCode));
  });

  test('lists the kinds of the code', () => {
    const onPage = page.rowsUnder('## Messages').map(([code, name]) => [name, Number(code)]);

    const inCode = Object.entries(frameFormat.FRAME_KIND).filter(
      ([kind]) => !frameFormat.isTransferKind(kind as frameFormat.FrameKind),
    );

    expect(onPage).toEqual(inCode);
  });

  test('says how entries are called', () => {
    const listed = Object.entries(frameFormat.ENTRY_KIND).map(([kind, code]) => `${code} ${kind}`);

    expect(page.text).toContain(listed.join(', '));
  });

  test.each(page.rowsUnder('### Message vectors'))('message %s', (json, hex) => {
    const message = parseMessage(json);

    expect(toHex(encodePeerMessage(message))).toBe(hex.replaceAll(' ', ''));
    expect(decodePeerMessage(frameOf(hex))).toEqual(message);
    expect(decodePeerFrame(frameOf(hex))).toEqual(message);
  });

  test.each(page.rowsUnder('### Refused frames'))('refuses %s: %s', (hex, what) => {
    const code = what.endsWith('unsupported') ? 'KAYA_RAFT_UNSUPPORTED' : 'KAYA_RAFT_MALFORMED';

    expect(() => decodePeerMessage(frameOf(hex))).toThrow(expect.objectContaining({ code }));
    expect(() => decodePeerFrame(frameOf(hex))).toThrow(expect.objectContaining({ code }));
  });

  test('has a vector for every message', () => {
    const kinds = new Set(page.rowsUnder('### Message vectors').map(([json]) => parseMessage(json!).kind));
    const listed = new Set(page.rowsUnder('## Messages').map(([, name]) => name));

    expect(kinds).toEqual(listed);
  });
});

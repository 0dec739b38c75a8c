/** Holds docs/format/raft-snapshot-transfer.md and the code to each other: kinds, reasons, names and test vectors. */

import { FormatPage, fromHex, parseWithBytes, toHex } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { PROGRESS_FILE, STAGED_FILES_FOLDER, STAGING_FOLDER, TRANSFER_FILE } from '../src/node/staging-format.ts';
import { PROGRESS_MAGIC, TRANSFER_MAGIC } from '../src/storage/file-header.ts';
import { decodeTransferMessage } from '../src/wire/decode-transfer-message.ts';
import { encodeTransferMessage } from '../src/wire/encode-transfer-message.ts';
import { FRAME_KIND, type FrameKind, isTransferKind, REFUSAL_REASON } from '../src/wire/frame-format.ts';
import type { TransferMessage } from '../src/wire/transfer-message.ts';

const page = new FormatPage('raft-snapshot-transfer.md');

function frameOf(hex: string): Uint8Array {
  const bytes = fromHex(hex);
  if (new DataView(bytes.buffer).getUint32(0, true) !== bytes.length - 4) throw new Error(`not one frame: ${hex}`);
  return bytes.slice(4);
}

function parseMessage(json: string): TransferMessage {
  return parseWithBytes(json, ['data']) as TransferMessage;
}

describe('docs/format/raft-snapshot-transfer.md', () => {
  test('lists the kinds of the code', () => {
    const onPage = page.rowsUnder('## Messages').map(([code, name]) => [name, Number(code)]);

    expect(onPage).toEqual(Object.entries(FRAME_KIND).filter(([kind]) => isTransferKind(kind as FrameKind)));
  });

  test('lists the reasons of the code', () => {
    const onPage = page.rowsUnder('### Reasons').map(([code, name]) => [name, Number(code)]);

    expect(onPage).toEqual(Object.entries(REFUSAL_REASON));
  });

  test('names the folders and files of the code', () => {
    const onPage = page.rowsUnder('## The staging folder').map(([name]) => name);

    expect(onPage.slice(0, 4)).toEqual([
      `${STAGING_FOLDER}/`,
      `${STAGING_FOLDER}/${TRANSFER_FILE}`,
      `${STAGING_FOLDER}/${PROGRESS_FILE}`,
      `${STAGING_FOLDER}/${STAGED_FILES_FOLDER}/`,
    ]);
    expect(page.text).toContain(`\`${TRANSFER_MAGIC}\` and \`${PROGRESS_MAGIC}\``);
  });

  test.each(page.rowsUnder('### Transfer vectors'))('message %s', (json, hex) => {
    const message = parseMessage(json);

    expect(toHex(encodeTransferMessage(message))).toBe(hex.replaceAll(' ', ''));
    expect(decodeTransferMessage(frameOf(hex))).toEqual(message);
  });

  test.each(page.rowsUnder('### Refused transfer frames'))('refuses %s: %s', (hex) => {
    expect(() => decodeTransferMessage(frameOf(hex))).toThrow(expect.objectContaining({ code: 'KAYA_RAFT_MALFORMED' }));
  });

  test('has a vector for every message', () => {
    const kinds = new Set(page.rowsUnder('### Transfer vectors').map(([json]) => parseMessage(json!).kind));
    const listed = new Set(page.rowsUnder('## Messages').map(([, name]) => name));

    expect(kinds).toEqual(listed);
  });
});

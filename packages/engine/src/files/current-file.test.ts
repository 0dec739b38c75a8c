import { crc32c, decodeUtf8, encodeUtf8 } from '@kayadb/codec';
import { MemoryFileSystem, TraceFileSystem } from '@kayadb/vfs/testing';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { CorruptionError, EngineError } from '../errors.ts';
import { encodeCurrent, parseCurrent, publishCurrent, readCurrent } from './current-file.ts';

const current = { storeId: Uint8Array.from({ length: 16 }, (_, i) => i), manifestNumber: 7 };

/** A line whose CRC matches, whatever it says. */
function sealed(line: string): Uint8Array {
  return encodeUtf8(`${line}${crc32c(encodeUtf8(line)).toString(16).padStart(8, '0')}\n`);
}

describe('CURRENT', () => {
  test('is the documented line', () => {
    const text = decodeUtf8(encodeCurrent(current));

    expect(text).toMatch(/^kayadb 1 000102030405060708090a0b0c0d0e0f MANIFEST-000007 [0-9a-f]{8}\n$/);
    expect(parseCurrent(encodeUtf8(text))).toEqual(current);
  });

  test('does not verify with any byte changed, added or removed', () => {
    const bytes = encodeCurrent(current);

    for (let at = 0; at < bytes.length; at++) {
      const changed = Uint8Array.from(bytes);
      changed[at]! ^= 1;
      expect(() => parseCurrent(changed), `changed at ${at}`).toThrow(CorruptionError);
      expect(() => parseCurrent(bytes.subarray(0, at)), `cut at ${at}`).toThrow(CorruptionError);
    }
    expect(() => parseCurrent(encodeUtf8(`${decodeUtf8(bytes)}\n`))).toThrow(CorruptionError);
  });

  test.each([
    'kayadb 1 ',
    'kayadb 1 000102030405060708090a0b0c0d0e0f MANIFEST-7 ',
    'kayadb 1 000102030405060708090A0B0C0D0E0F MANIFEST-000007 ',
    'kayadb 1 000102030405060708090a0b0c0d0e MANIFEST-000007 ',
    'kayadb 1 000102030405060708090a0b0c0d0e0f MANIFEST-000007 more ',
    'kayadb 01 000102030405060708090a0b0c0d0e0f MANIFEST-000007 ',
    'kayadb 1 000102030405060708090a0b0c0d0e0f 000007.wal ',
  ])('is damaged when it is spelled %j, even with a matching CRC', (line) => {
    expect(() => parseCurrent(sealed(line))).toThrow(CorruptionError);
  });

  test('of another version is refused as such', () => {
    const bytes = sealed('kayadb 2 something else entirely ');

    const parse = (): unknown => parseCurrent(bytes);

    expect(parse).toThrow(EngineError);
    expect(parse).toThrow('format version 2');
  });

  test('parses any text to a value or a typed error', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => `kayadb 1 ${text}\n`),
        ),
        (text) => {
          expect(() => parseCurrent(encodeUtf8(text))).toThrow(CorruptionError);
        },
      ),
    );
  });
});

describe('readCurrent', () => {
  test('gives nothing when there is none', async () => {
    const fs = new MemoryFileSystem();

    const found = await readCurrent(fs, '/');

    expect(found).toBeUndefined();
  });

  test('refuses a file that is too long without reading all of it', async () => {
    const fs = new MemoryFileSystem();
    const handle = await fs.open('/CURRENT', 'create');
    handle.writeSync(new Uint8Array([...encodeCurrent(current), ...new Uint8Array(100_000)]), 0);

    const reading = readCurrent(fs, '');

    await expect(reading).rejects.toThrow(CorruptionError);
  });
});

describe('publishCurrent', () => {
  test('replaces the file by way of a synced temporary one', async () => {
    const fs = new TraceFileSystem(new MemoryFileSystem(), '/db', ['write', 'sync', 'rename', 'syncDirectory']);
    await fs.makeDirectory('/db');
    await publishCurrent(fs, '/db', { ...current, manifestNumber: 6 });
    fs.takeLines();

    await publishCurrent(fs, '/db', current);

    expect(fs.takeLines()).toEqual([
      'create CURRENT.tmp',
      'write CURRENT.tmp 0+67',
      'sync CURRENT.tmp',
      'rename CURRENT.tmp CURRENT',
      'syncdir .',
    ]);
    expect(await readCurrent(fs, '/db')).toEqual(current);
  });
});

import { encodeUtf8 } from '@kayadb/codec';
import { seededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { describeBytes, jsonRow, parseBytes, parseKey, parseValue } from './bytes-text.ts';

describe('parseBytes', () => {
  test('reads text as UTF-8 and both hexadecimal forms as bytes', () => {
    const given = ['naïve', '0x00fF', 'hex:00ff', '', 'hex:'];

    const read = given.map((text) => parseBytes(text, 'key'));

    expect(read).toEqual([
      encodeUtf8('naïve'),
      Uint8Array.of(0, 255),
      Uint8Array.of(0, 255),
      Uint8Array.of(),
      Uint8Array.of(),
    ]);
  });

  test.each(['0x0', 'hex:zz', '0x 00'])('refuses %s and says how to write the text itself', (text) => {
    const read = (): unknown => parseBytes(text, 'key');

    expect(read).toThrow(expect.objectContaining({ code: 'KAYA_USAGE', hint: expect.stringContaining('as hex:') }));
  });
});

describe('parseKey and parseValue', () => {
  test('refuse what no store takes', () => {
    const given = [() => parseKey(''), () => parseKey('0x'), () => parseKey('k'.repeat(4097))];

    const value = (): unknown => parseValue('v'.repeat(16 * 1024 * 1024 + 1));

    for (const parse of given) expect(parse).toThrow(expect.objectContaining({ code: 'KAYA_USAGE', exitCode: 4 }));
    expect(value).toThrow('at most 16777216 are allowed');
  });
});

describe('describeBytes', () => {
  test('shows printable text as it is', () => {
    const texts = ['deb/zsh', 'größe ✓', '{"a": 1}', ''];

    const shown = texts.map((text) => describeBytes(encodeUtf8(text)));

    expect(shown).toEqual(texts);
  });

  test.each([
    ['bytes that are not UTF-8', Uint8Array.of(0xff)],
    ['a newline', encodeUtf8('a\nb')],
    ['an escape sequence', encodeUtf8('\u001b[2J')],
    ['a C1 control character', encodeUtf8('\u009b2J')],
    ['a right-to-left override', encodeUtf8('\u202egnp.exe')],
    ['text that reads as hexadecimal', encodeUtf8('0xff')],
    ['text that reads as hexadecimal', encodeUtf8('HEX:ff')],
  ])('shows %s in hexadecimal', (_what, bytes) => {
    const shown = describeBytes(bytes);

    expect(shown).toBe(`hex:${Buffer.from(bytes).toString('hex')}`);
  });

  test('prints what parseBytes reads back, for any bytes', () => {
    const random = seededRandom(testSeed());
    const samples = Array.from({ length: 300 }, () => random.bytes(random.int(6)));

    const readBack = samples.map((bytes) => parseBytes(describeBytes(bytes), 'key'));

    expect(readBack, `seed ${random.seed}`).toEqual(samples);
  });
});

describe('jsonRow', () => {
  test('writes what JSON.stringify writes for text, and digits for the rest', () => {
    const text = jsonRow(encodeUtf8('k'), encodeUtf8('a "quoted" é \u2028 line\n'));
    const bytes = jsonRow(Uint8Array.of(0xff), Uint8Array.of());

    expect(text).toBe('{"key":"k","value":"a \\"quoted\\" é \u2028 line\\n"}');
    expect(bytes).toBe('{"key_hex":"ff","value":""}');
  });
});

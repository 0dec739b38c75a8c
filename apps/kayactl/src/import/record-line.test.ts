import { encodeUtf8 } from '@kayadb/codec';
import { describe, expect, test } from 'vitest';

import { jsonRow } from '../bytes-text.ts';
import { parseRecordLine } from './record-line.ts';

function reasonOf(line: string): string {
  const record = parseRecordLine(encodeUtf8(line));
  return record.kind === 'bad' ? record.reason : `no reason: ${record.kind}`;
}

describe('parseRecordLine', () => {
  test('reads text and hexadecimal fields', () => {
    const line = encodeUtf8('{"key":"k\\u00e9","value_hex":"00ff"}');

    const record = parseRecordLine(line);

    expect(record).toEqual({ kind: 'record', row: { key: encodeUtf8('ké'), value: Uint8Array.of(0, 255) } });
  });

  test('reads back every row that an export writes', () => {
    const rows = [
      { key: encodeUtf8('plain'), value: encodeUtf8('quotes " and \\ and \n and \u2028 and \u007f') },
      { key: Uint8Array.of(0xff, 0x00), value: Uint8Array.of() },
      { key: encodeUtf8('\ufeffwith a byte order mark'), value: Uint8Array.of(0xed, 0xa0, 0x80) },
      { key: encodeUtf8('hex:00'), value: encodeUtf8('0xff') },
    ];

    const read = rows.map(({ key, value }) => parseRecordLine(encodeUtf8(jsonRow(key, value))));

    expect(read).toEqual(rows.map((row) => ({ kind: 'record', row })));
  });

  test.each(['', '   ', '\t\r'])('takes %j as blank', (line) => {
    const record = parseRecordLine(encodeUtf8(line));

    expect(record).toEqual({ kind: 'blank' });
  });

  test.each([
    ['{"key":"k","value":', 'the line is not valid JSON'],
    ['["k","v"]', 'the line is not a JSON object'],
    ['null', 'the line is not a JSON object'],
    ['"k"', 'the line is not a JSON object'],
    ['{"value":"v"}', '"key" is missing'],
    ['{"key":"k"}', '"value" is missing'],
    ['{"key":1,"value":"v"}', '"key" is not a string'],
    ['{"key":"k","value":null}', '"value" is not a string'],
    ['{"key":"k","value":{"a":1}}', '"value" is not a string'],
    ['{"key":"k","value":"v","ttl":5}', 'unknown field "ttl"'],
    ['{"key":"k","key_hex":"6b","value":"v"}', '"key" and "key_hex" are both given'],
    ['{"key_hex":"6","value":"v"}', '"key_hex" is not a string of pairs of hexadecimal digits'],
    ['{"key_hex":"zz","value":"v"}', '"key_hex" is not a string of pairs of hexadecimal digits'],
    ['{"key":"k","value_hex":7}', '"value_hex" is not a string of pairs of hexadecimal digits'],
    ['{"key":"","value":"v"}', 'the key is empty'],
    ['{"key_hex":"","value":"v"}', 'the key is empty'],
    ['{"key":"\\ud800","value":"v"}', '"key" holds half of a surrogate pair, which is no character'],
    [`{"key":"${'k'.repeat(4097)}","value":"v"}`, 'the key has 4097 bytes; at most 4096 are allowed'],
  ])('refuses %.40s', (line, reason) => {
    const given = reasonOf(line);

    expect(given).toBe(reason);
  });

  test('takes a key of 4096 bytes, counted as UTF-8', () => {
    const fits = parseRecordLine(encodeUtf8(`{"key":"${'é'.repeat(2048)}","value":""}`));
    const over = reasonOf(`{"key":"${'é'.repeat(2048)}x","value":""}`);

    expect(fits.kind).toBe('record');
    expect(over).toBe('the key has 4097 bytes; at most 4096 are allowed');
  });

  test('refuses a value over 16 MiB', () => {
    const line = `{"key":"k","value":"${'v'.repeat(16 * 1024 * 1024 + 1)}"}`;

    const reason = reasonOf(line);

    expect(reason).toBe('the value has 16777217 bytes; at most 16777216 are allowed');
  });

  test('refuses bytes that are not UTF-8, and lines that were too long to keep', () => {
    const notText = parseRecordLine(Uint8Array.of(0x7b, 0xff, 0x7d));

    const tooLong = parseRecordLine(undefined);

    expect(notText).toEqual({ kind: 'bad', reason: 'the line is not UTF-8' });
    expect(tooLong).toMatchObject({
      kind: 'bad',
      reason: expect.stringMatching(/^the line is longer than \d+ bytes$/),
    });
  });
});

import { decodeUtf8, encodeUtf8 } from '@kayadb/codec';
import { describe, expect, test } from 'vitest';

import { type Line, LineSplitter } from './line-splitter.ts';

function split(chunks: readonly string[], maxLineBytes = 100): readonly (readonly [number, string | undefined])[] {
  const splitter = new LineSplitter(maxLineBytes);
  const lines: Line[] = chunks.flatMap((chunk) => [...splitter.push(encodeUtf8(chunk))]);
  lines.push(...splitter.end());
  return lines.map(({ number, bytes }) => [number, bytes === undefined ? undefined : decodeUtf8(bytes)] as const);
}

describe('LineSplitter', () => {
  test('numbers lines from 1 and keeps blank ones', () => {
    const text = 'a\n\nbc\n';

    const lines = split([text]);

    expect(lines).toEqual([
      [1, 'a'],
      [2, ''],
      [3, 'bc'],
    ]);
  });

  test('gives a last line without a newline', () => {
    const text = 'a\nlast';

    const lines = split([text]);

    expect(lines).toEqual([
      [1, 'a'],
      [2, 'last'],
    ]);
  });

  test('finds the same lines however the stream is cut', () => {
    const text = 'first\n\nsecond line\n\n\nthird';
    const whole = split([text]);

    const cuts = Array.from({ length: text.length }, (_, at) => split([text.slice(0, at), text.slice(at)]));
    const bytewise = split(text.split(''));

    expect(whole).toHaveLength(6);
    expect(cuts).toEqual(cuts.map(() => whole));
    expect(bytewise).toEqual(whole);
  });

  test('counts a line over the bound without keeping it, and goes on with the next', () => {
    const text = `${'x'.repeat(11)}\n${'y'.repeat(10)}\nz\n`;

    const whole = split([text], 10);
    const bytewise = split(text.split(''), 10);

    expect(whole).toEqual([
      [1, undefined],
      [2, 'y'.repeat(10)],
      [3, 'z'],
    ]);
    expect(bytewise).toEqual(whole);
  });
});

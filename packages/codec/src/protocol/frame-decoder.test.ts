import { seededRandom, testSeed } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import { concatBytes } from '../bytes.ts';
import { writeU32 } from '../fixed-int.ts';
import { FrameDecoder } from './frame-decoder.ts';
import { ProtocolError } from './protocol-error.ts';

function frame(body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + body.length);
  writeU32(bytes, 0, body.length);
  bytes.set(body, 4);
  return bytes;
}

function header(length: number): Uint8Array {
  const bytes = new Uint8Array(4);
  writeU32(bytes, 0, length);
  return bytes;
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function drain(decoder: FrameDecoder): Uint8Array[] {
  const frames: Uint8Array[] = [];
  for (let next = decoder.next(); next !== undefined; next = decoder.next()) frames.push(next);
  return frames;
}

function codeOf(run: () => unknown): string {
  try {
    run();
    return 'none';
  } catch (error) {
    return error instanceof ProtocolError ? error.code : String(error);
  }
}

describe('FrameDecoder', () => {
  test('gives the frames of a stream cut at every byte', () => {
    const bodies = [[1], [2, 3], [4, 5, 6, 7, 8, 9], [10]].map((each) => Uint8Array.from(each));
    const stream = concatBytes(bodies.map(frame));

    for (let cut = 0; cut <= stream.length; cut++) {
      const decoder = new FrameDecoder();
      decoder.push(stream.subarray(0, cut));
      const before = drain(decoder);
      decoder.push(stream.subarray(cut));
      expect([...before, ...drain(decoder)]).toEqual(bodies);
      expect(decoder.bufferedBytes).toBe(0);
    }
  });

  test('gives the same frames whatever the chunks, and however late they are taken', () => {
    const random = seededRandom(testSeed());
    for (let round = 0; round < 200; round++) {
      const bodies = Array.from({ length: 10 }, () => random.bytes(1 + random.int(random.chance(0.1) ? 9000 : 40)));
      const stream = concatBytes(bodies.map(frame));
      const decoder = new FrameDecoder();
      const frames: Uint8Array[] = [];

      for (let at = 0; at < stream.length;) {
        const end = Math.min(stream.length, at + random.int(random.chance(0.5) ? 5 : 3000));
        decoder.push(stream.slice(at, end));
        at = end;
        if (random.chance(0.7)) frames.push(...drain(decoder));
      }

      // Compared as text: deep equality of byte arrays is slow.
      expect([...frames, ...drain(decoder)].map(toHex)).toEqual(bodies.map(toHex));
    }
  });

  test('hands out a view of a chunk that holds the whole frame', () => {
    const decoder = new FrameDecoder();
    const chunk = frame(Uint8Array.of(1, 2, 3));

    decoder.push(chunk);

    expect(decoder.next()?.buffer).toBe(chunk.buffer);
  });

  test('refuses a length of zero', () => {
    const decoder = new FrameDecoder();

    decoder.push(header(0));

    expect(codeOf(() => decoder.next())).toBe('KAYA_FRAME_EMPTY');
  });

  test('accepts a frame of the limit and refuses one byte more, before its body comes', () => {
    const decoder = new FrameDecoder({ maxFrameBytes: 100 });

    decoder.push(frame(new Uint8Array(100)));
    const atLimit = decoder.next()?.length;
    decoder.push(header(101));

    expect(atLimit).toBe(100);
    expect(codeOf(() => decoder.next())).toBe('KAYA_FRAME_TOO_LARGE');
  });

  test('stays refused: nothing after a bad length is read or kept', () => {
    const decoder = new FrameDecoder();
    decoder.push(header(0));
    const first = codeOf(() => decoder.next());

    decoder.push(frame(Uint8Array.of(1)));

    expect(codeOf(() => decoder.next())).toBe(first);
    expect(decoder.bufferedBytes).toBe(0);
  });

  test('applies a new limit from the next frame on, also within one chunk', () => {
    const decoder = new FrameDecoder({ maxFrameBytes: 4 });
    decoder.push(concatBytes([frame(new Uint8Array(4)), frame(new Uint8Array(50)), frame(new Uint8Array(5))]));

    decoder.next();
    decoder.maxFrameBytes = 50;
    const second = decoder.next()?.length;
    decoder.maxFrameBytes = 4;

    expect(second).toBe(50);
    expect(codeOf(() => decoder.next())).toBe('KAYA_FRAME_TOO_LARGE');
  });

  test('allocates for bytes that came, not for bytes that were announced', () => {
    const before = process.memoryUsage().arrayBuffers;

    const decoders = Array.from({ length: 100 }, () => {
      const decoder = new FrameDecoder();
      decoder.push(header(64 * 1024 * 1024));
      decoder.push(new Uint8Array(10));
      decoder.next();
      return decoder;
    });

    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 * 1024 * 1024);
    expect(decoders[0]?.bufferedBytes).toBe(10);
  });

  test('puts a large frame together from many chunks without copying it over and over', () => {
    const decoder = new FrameDecoder();
    const chunk = new Uint8Array(1024).fill(5);
    const count = 32 * 1024;
    decoder.push(header(chunk.length * count));

    // At one copy of everything per chunk this would move half a terabyte and never end.
    for (let i = 0; i < count - 1; i++) {
      decoder.push(chunk);
      decoder.next();
    }
    decoder.push(chunk);
    const whole = decoder.next();

    expect(whole?.length).toBe(chunk.length * count);
    expect(whole?.every((byte) => byte === 5)).toBe(true);
  });
});

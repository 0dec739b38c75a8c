/**
 * Whether a decoder takes memory by what the bytes say or by how many there are: byte arrays that are made while it runs are counted.
 * The count is slow, as it stands in for the constructor, so few inputs go this way.
 */

import type { Decoder } from '@kayadb/engine/testing';

/** Bound: buffers of a fixed size that readers have, a few of a quarter of a mebibyte among them, and so much for each byte of the input. */
const FIXED_BYTES = 2 * 1024 * 1024;
const BYTES_PER_INPUT_BYTE = 64;

/** @returns What is wrong, in words, or `undefined`. */
export async function checkMemory(decoder: Decoder, input: Uint8Array): Promise<string | undefined> {
  let taken = 0;
  const Original = globalThis.Uint8Array;
  globalThis.Uint8Array = new Proxy(Original, {
    construct(target, args: readonly unknown[], newTarget): object {
      if (typeof args[0] === 'number') taken += args[0];
      return Reflect.construct(target, args, newTarget) as object;
    },
  });
  try {
    await decoder.decode(input.slice());
  } catch {
    // What it throws is judged elsewhere.
  } finally {
    globalThis.Uint8Array = Original;
  }
  const allowed = FIXED_BYTES + BYTES_PER_INPUT_BYTE * input.length;
  return taken > allowed ? `takes ${taken} bytes of memory for an input of ${input.length}` : undefined;
}

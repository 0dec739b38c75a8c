/** Makes a failing input short and plain, for as long as it still fails in the same way. */

import type { Decoder } from '@kayadb/engine/testing';

import { checkInput } from './check-input.ts';

/** Bound: how often a failing input is tried again. */
const MAX_RUNS = 3000;

/** The shortest failing input found; checksums are made right after each step, if that was needed. */
export async function shrinkInput(decoder: Decoder, input: Uint8Array): Promise<Uint8Array> {
  const wanted = kindOf((await checkInput(decoder, input, true)).violation);
  const budget = { runs: MAX_RUNS };
  const fails = async (candidate: Uint8Array): Promise<boolean> => {
    budget.runs--;
    return kindOf((await checkInput(decoder, candidate, true)).violation) === wanted;
  };
  let smallest = input;
  for (let length = smallest.length >>> 1; length >= 1; length >>>= 1) {
    for (let at = 0; at < smallest.length && budget.runs > 0;) {
      const found = await firstFailing(
        [withoutPiece(smallest, at, length), withZeros(smallest, at, length)],
        decoder,
        fails,
      );
      const isShorter = found !== undefined && found.length < smallest.length;
      smallest = found ?? smallest;
      if (!isShorter) at += length;
    }
  }
  return smallest;
}

async function firstFailing(
  candidates: readonly (Uint8Array | undefined)[],
  decoder: Decoder,
  fails: (candidate: Uint8Array) => Promise<boolean>,
): Promise<Uint8Array | undefined> {
  for (const candidate of candidates) {
    if (candidate === undefined) continue;
    if (await fails(candidate)) return candidate;
    const resealed = candidate.slice();
    decoder.reseal?.(resealed);
    if (await fails(resealed)) return resealed;
  }
  return undefined;
}

function withoutPiece(bytes: Uint8Array, at: number, length: number): Uint8Array {
  return Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + length)]);
}

/** `undefined` when zeros stand there already. */
function withZeros(bytes: Uint8Array, at: number, length: number): Uint8Array | undefined {
  if (bytes.subarray(at, at + length).every((byte) => byte === 0)) return undefined;
  return bytes.slice().fill(0, at, at + length);
}

/** Two failures are the same if they differ in numbers alone. */
function kindOf(violation: string | undefined): string | undefined {
  return violation?.replaceAll(/[0-9a-f]*\d[0-9a-f]*/g, '#');
}

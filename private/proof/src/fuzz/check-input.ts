/** Holds one decoder to its promises on one input. The promises: `Decoder` of @kayadb/engine/testing. */

import { isDeepStrictEqual } from 'node:util';

import { KayaError } from '@kayadb/codec';
import type { Decoder } from '@kayadb/engine/testing';

/** Bound: an input has a few kilobytes, so more time than this is spent on something else than its bytes. */
const MAX_MS = 3000;

export interface CheckedInput {
  readonly isAccepted: boolean;
  /** What came of it, the numbers taken out: inputs that differ in it took different ways. */
  readonly behaviour: string;
  /** The promise that was broken, in words. */
  readonly violation: string | undefined;
}

/**
 * Decodes `input` and checks what came of it.
 *
 * @param isThorough - Also decodes again, and changes the bytes behind the back of a value that says it has its own.
 */
export async function checkInput(decoder: Decoder, input: Uint8Array, isThorough: boolean): Promise<CheckedInput> {
  const bytes = input.slice();
  const startMs = performance.now();
  const result = await attempt(decoder, bytes);
  const tookMs = performance.now() - startMs;
  const behaviour = result.isAccepted ? 'accepted' : describeRefusal(result.error);
  const violation =
    (tookMs > MAX_MS ? `took ${Math.round(tookMs)} ms` : undefined) ??
    (sameBytes(bytes, input) ? undefined : 'changed the bytes that it was given') ??
    findUntypedError(decoder, result) ??
    (await findLossyEncoding(decoder, result, input)) ??
    (isThorough ? await findDependence(decoder, result, bytes, input) : undefined);
  return { isAccepted: result.isAccepted, behaviour, violation };
}

type Result =
  | { readonly isAccepted: true; readonly value: unknown }
  | { readonly isAccepted: false; readonly error: unknown };

async function attempt(decoder: Decoder, bytes: Uint8Array): Promise<Result> {
  try {
    const value = decoder.decode(bytes);
    return { isAccepted: true, value: value instanceof Promise ? await value : value };
  } catch (error) {
    return { isAccepted: false, error };
  }
}

function findUntypedError(decoder: Decoder, result: Result): string | undefined {
  if (result.isAccepted) return undefined;
  const { error } = result;
  if (error instanceof KayaError && decoder.refusals.includes(error.code)) return undefined;
  return `threw ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`;
}

/** What was decoded, encoded again, is the input where there is one encoding, and otherwise decodes to the same. */
async function findLossyEncoding(decoder: Decoder, result: Result, input: Uint8Array): Promise<string | undefined> {
  if (!result.isAccepted || decoder.encode === undefined) return undefined;
  let encoded: Uint8Array;
  try {
    encoded = decoder.encode(result.value);
  } catch (error) {
    return `accepted what cannot be encoded: ${String(error)}`;
  }
  if (sameBytes(encoded, input)) return undefined;
  if (decoder.isCanonical(result.value)) return `accepted another encoding of what encodes to ${toHex(encoded)}`;
  const again = await attempt(decoder, encoded.slice());
  const isSame = again.isAccepted && sameBytes(decoder.encode(again.value), encoded);
  return isSame ? undefined : `does not decode what it encodes again, ${toHex(encoded)}`;
}

async function findDependence(
  decoder: Decoder,
  result: Result,
  bytes: Uint8Array,
  input: Uint8Array,
): Promise<string | undefined> {
  if (decoder.copies) bytes.fill(0xa5);
  const again = await attempt(decoder, input.slice());
  if (again.isAccepted !== result.isAccepted) return 'decodes the same bytes once and refuses them once';
  if (!result.isAccepted || !again.isAccepted) {
    const isSame = describe(result) === describe(again);
    return isSame ? undefined : `refuses the same bytes in two ways: ${describe(result)}; ${describe(again)}`;
  }
  return isDeepStrictEqual(result.value, again.value) ? undefined : 'decodes the same bytes to two values';
}

function describe(result: Result): string {
  return result.isAccepted ? 'accepted' : String(result.error);
}

function describeRefusal(error: unknown): string {
  return error instanceof Error ? error.message.replaceAll(/[0-9a-f]*\d[0-9a-f]*/g, '#') : 'no error';
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

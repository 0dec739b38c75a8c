/** The keys a scan may come to, as a half-open span: exclusive and inclusive bounds differ by the smallest possible step. */

import { concatBytes } from '@kayadb/codec';

import type { Bounds } from './range.ts';

/** Keys from `start` on, up to and without `end`; absent means unbounded on that side. */
export interface ScanSpan {
  readonly start: Uint8Array | undefined;
  readonly end: Uint8Array | undefined;
}

const SMALLEST_STEP = Uint8Array.of(0);

export function spanOf({ lower, upper }: Bounds): ScanSpan {
  return {
    start: lower === undefined || lower.inclusive ? lower?.key : keyAfter(lower.key),
    end: upper === undefined || !upper.inclusive ? upper?.key : keyAfter(upper.key),
  };
}

/** The smallest byte string after `key`; it may be longer than a key can be, so only compare with it. */
export function keyAfter(key: Uint8Array): Uint8Array {
  return concatBytes([key, SMALLEST_STEP]);
}

/** An entry inside a block. The value's view is made only when asked for: merges skip many values. */

import { EMPTY_BYTES } from '@kayadb/codec';

import type { Entry, EntryKind, SequenceNumber } from '../key/internal-key.ts';

export class BlockEntry implements Entry {
  readonly key: Uint8Array;
  readonly sequence: SequenceNumber;
  readonly kind: EntryKind;
  readonly #block: Uint8Array;
  readonly #valueAt: number;
  readonly #valueEnd: number;
  #value: Uint8Array | undefined;

  /** Keeps a reference to `block`; `key` and `value` are views of it. */
  constructor(
    block: Uint8Array,
    keyAt: number,
    valueAt: number,
    valueEnd: number,
    sequence: SequenceNumber,
    kind: EntryKind,
  ) {
    this.key = block.subarray(keyAt, valueAt);
    this.sequence = sequence;
    this.kind = kind;
    this.#block = block;
    this.#valueAt = valueAt;
    this.#valueEnd = valueEnd;
  }

  get value(): Uint8Array {
    if (this.#valueAt === this.#valueEnd) return EMPTY_BYTES;
    return (this.#value ??= this.#block.subarray(this.#valueAt, this.#valueEnd));
  }
}

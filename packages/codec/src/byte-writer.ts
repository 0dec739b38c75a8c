/** A growing byte buffer for encoders off the hot path. */

import { writeU16, writeU32, writeU64 } from './fixed-int.ts';

export class ByteWriter {
  #bytes: Uint8Array;
  #length = 0;

  constructor(initialCapacity = 64) {
    this.#bytes = new Uint8Array(initialCapacity);
  }

  get length(): number {
    return this.#length;
  }

  u8(value: number): this {
    // Two statements: `this.#bytes[this.#extend(1)]` would pick the array before it is replaced by a larger one.
    const at = this.#extend(1);
    this.#bytes[at] = value;
    return this;
  }

  u16(value: number): this {
    const at = this.#extend(2);
    writeU16(this.#bytes, at, value);
    return this;
  }

  u32(value: number): this {
    const at = this.#extend(4);
    writeU32(this.#bytes, at, value);
    return this;
  }

  /** Requires: a safe integer, not negative. */
  u64(value: number): this {
    const at = this.#extend(8);
    writeU64(this.#bytes, at, value);
    return this;
  }

  /** Unsigned LEB128. Requires: a safe integer, not negative. */
  varint(value: number): this {
    let rest = value;
    while (rest >= 0x80) {
      this.u8((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    return this.u8(rest);
  }

  /** Copies `value`. */
  bytes(value: Uint8Array): this {
    const at = this.#extend(value.length);
    this.#bytes.set(value, at);
    return this;
  }

  /** A view of what was written; valid until the next write. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #extend(count: number): number {
    const at = this.#length;
    const needed = at + count;
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
    }
    this.#length = needed;
    return at;
  }
}

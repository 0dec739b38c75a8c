/**
 * Where layouts are written to: a `ByteWriter`, or a counter that says how many bytes it would take. A layout is so
 * described once, and its frame is checked against its bounds and allocated once, at its size.
 */

export interface ByteSink {
  readonly length: number;
  u8(value: number): ByteSink;
  u32(value: number): ByteSink;
  /** Unsigned LEB128. Requires: a safe integer, not negative. */
  varint(value: number): ByteSink;
  bytes(value: Uint8Array): ByteSink;
}

/** Counts and keeps nothing. Numbers are judged here, so that the writer need not. */
export class ByteCounter implements ByteSink {
  #length = 0;

  get length(): number {
    return this.#length;
  }

  u8(_value: number): this {
    this.#length += 1;
    return this;
  }

  /** @throws RangeError for what is not a whole number of 32 bits. */
  u32(value: number): this {
    if (value >>> 0 !== value) throw new RangeError(`a u32 is a whole number from 0 to 2^32 - 1, not ${value}`);
    this.#length += 4;
    return this;
  }

  /** @throws RangeError for what is no safe integer, or negative: a writer would not end, or write another number. */
  varint(value: number): this {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new RangeError(`a number on the wire is a whole number from 0 to 2^53 - 1, not ${value}`);
    }
    let bytes = 1;
    for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes++;
    this.#length += bytes;
    return this;
  }

  bytes(value: Uint8Array): this {
    this.#length += value.length;
    return this;
  }
}

/** A bounds-checked cursor over untrusted bytes. Every method returns a value or throws DecodeError, nothing else. */

import { DecodeError } from './errors.ts';
import { readU16, readU32, readU64 } from './fixed-int.ts';

export class ByteReader {
  readonly #bytes: Uint8Array;
  #offset: number;

  /** Keeps a reference to `bytes` and hands out views of it: they must not change while views are in use. */
  constructor(bytes: Uint8Array, offset = 0) {
    this.#bytes = bytes;
    this.#offset = offset;
  }

  get offset(): number {
    return this.#offset;
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  u8(what: string): number {
    return this.#bytes[this.#take(1, what)]!;
  }

  u16(what: string): number {
    return readU16(this.#bytes, this.#take(2, what));
  }

  u32(what: string): number {
    return readU32(this.#bytes, this.#take(4, what));
  }

  /** A 64-bit integer that must be below 2^53. */
  u64(what: string): number {
    const at = this.#take(8, what);
    const value = readU64(this.#bytes, at);
    if (!Number.isSafeInteger(value)) throw new DecodeError(`${what} is not below 2^53`, at);
    return value;
  }

  /** An unsigned LEB128 integer below 2^53, in its shortest form. */
  varint(what: string): number {
    const start = this.#offset;
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 8; i++) {
      const byte = this.u8(what);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (byte === 0 && i > 0) throw new DecodeError(`${what} is not in its shortest form`, start);
        if (!Number.isSafeInteger(value)) break;
        return value;
      }
      scale *= 0x80;
    }
    throw new DecodeError(`${what} is not below 2^53`, start);
  }

  /** A view of the next `length` bytes, not a copy. */
  bytes(length: number, what: string): Uint8Array {
    const at = this.#take(length, what);
    return this.#bytes.subarray(at, at + length);
  }

  /** A view of what was read from offset `start` on. Requires: `start` was an `offset` of this reader. */
  since(start: number): Uint8Array {
    return this.#bytes.subarray(start, this.#offset);
  }

  /** A view of everything left. */
  rest(): Uint8Array {
    const at = this.#offset;
    this.#offset = this.#bytes.length;
    return this.#bytes.subarray(at);
  }

  /** @throws DecodeError when bytes are left over. */
  end(what: string): void {
    if (this.remaining !== 0) throw new DecodeError(`${what} has ${this.remaining} bytes too many`, this.#offset);
  }

  #take(length: number, what: string): number {
    const at = this.#offset;
    if (length > this.#bytes.length - at) {
      throw new DecodeError(`${what} needs ${length} bytes, ${this.#bytes.length - at} are left`, at);
    }
    this.#offset = at + length;
    return at;
  }
}

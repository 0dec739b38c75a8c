/** Bytes waiting to be written, handed out in pieces of a bounded size: small frames joined, large ones cut. */

import { concatBytes, EMPTY_BYTES } from '@kayadb/codec';

export class OutputQueue {
  #chunks: Uint8Array[] = [];
  /** Index of the first chunk that is not taken, and how much of it is. */
  #head = 0;
  #offset = 0;
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** Keeps `chunk` until it has been taken. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
  }

  clear(): void {
    this.#chunks = [];
    this.#head = 0;
    this.#offset = 0;
    this.#bytes = 0;
  }

  /** @returns The next 1 to `maxBytes` bytes, or `undefined` when none wait. One chunk is not copied, several are joined. */
  take(maxBytes: number): Uint8Array | undefined {
    if (this.#bytes === 0) return undefined;
    const parts: Uint8Array[] = [];
    let left = Math.min(maxBytes, this.#bytes);
    this.#bytes -= left;
    while (left > 0) {
      const part = this.#takePart(left);
      left -= part.length;
      parts.push(part);
    }
    if (this.#head === this.#chunks.length) this.clear();
    return parts.length === 1 ? parts[0] : concatBytes(parts);
  }

  #takePart(maxBytes: number): Uint8Array {
    const chunk = this.#chunks[this.#head]!;
    const end = Math.min(chunk.length, this.#offset + maxBytes);
    const part = chunk.subarray(this.#offset, end);
    this.#offset = end;
    if (end === chunk.length) {
      // The slot is emptied so that written frames are freed while others still wait behind them.
      this.#chunks[this.#head++] = EMPTY_BYTES;
      this.#offset = 0;
    }
    return part;
  }
}

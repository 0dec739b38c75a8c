/**
 * The memory that the byte arrays of one batch are views of: copied into by the scan while the batch is made, and by
 * nobody after that. Grows piece by piece, so that few rows cost little and many are not copied one by one.
 */

/** Bound: a piece is larger only if one copy needs it. What a single view keeps alive is a piece. */
const MAX_PIECE_BYTES = 64 * 1024;
/** A typed array's `set` costs as much as copying about this many bytes one by one. */
const SHORT_COPY_BYTES = 32;
const PIECE_GROWTH = 8;

export class BatchBuffer {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #used = 0;

  /** The piece that was copied into last. */
  get memory(): ArrayBuffer {
    return this.#bytes.buffer;
  }

  /**
   * Copies `bytes[start, end)`.
   *
   * @param share - How much of the batch this is, about: the part of 1 that its rows are of those that may still come.
   * @returns Where it is now in `memory`.
   */
  copy(bytes: Uint8Array, start: number, end: number, share: number): number {
    const size = end - start;
    if (this.#used + size > this.#bytes.length) this.#startPiece(size, share);
    const at = this.#used;
    this.#used = at + size;
    const into = this.#bytes;
    if (size > SHORT_COPY_BYTES) into.set(bytes.subarray(start, end), at);
    else for (let i = 0; i < size; i++) into[at + i] = bytes[start + i]!;
    return at;
  }

  #startPiece(size: number, share: number): void {
    const expected = Math.min(size / share, PIECE_GROWTH * Math.max(size, this.#bytes.length), MAX_PIECE_BYTES);
    // Not from Node's pool, which other buffers of the process lie in. Not cleared: only what was copied is in a view.
    this.#bytes = Buffer.allocUnsafeSlow(Math.max(size, Math.ceil(expected)));
    this.#used = 0;
  }
}

/**
 * Memory for the pieces in which merges read tables and new tables are written, of one size and used again. What is dropped stays
 * until a garbage collection, which V8 puts off until some 64 MiB of such memory have piled up in a thread
 * (docs/decisions/20261122-background-workers.md).
 */

export class PieceMemory {
  readonly #pieceBytes: number;
  readonly #maxKept: number;
  readonly #free: Uint8Array[] = [];

  /** @param maxKept - Bound: pieces that are kept for later. */
  constructor(pieceBytes: number, maxKept: number) {
    this.#pieceBytes = pieceBytes;
    this.#maxKept = maxKept;
  }

  /** @returns A piece, with whatever is in it. */
  take(): Uint8Array {
    return this.#free.pop() ?? new Uint8Array(this.#pieceBytes);
  }

  /** Keeps `bytes` for later if they are a piece and there is room. Requires: nobody uses them any more. */
  give(bytes: Uint8Array): void {
    if (bytes.length === this.#pieceBytes && this.#free.length < this.#maxKept) this.#free.push(bytes);
  }
}

/**
 * Memory of memtables that nobody reads any more, kept for the next ones: the first touch of fresh memory is dear, and what is dropped
 * stays until a garbage collection (docs/decisions/20261122-radix-tree-memtable.md). What is taken out holds old bytes.
 */

/** Size of all but the first, the largest and the odd chunks of an arena; only chunks of this size are kept. */
export const CHUNK_BYTES: number = 1024 * 1024;

interface KeptWords {
  readonly words: Int32Array;
  /** Of these words, what has ever been touched; the rest is not memory yet. */
  readonly touchedBytes: number;
}

export class MemtableMemory {
  readonly #chunks: Uint8Array[] = [];
  readonly #words: KeptWords[] = [];
  #bytes = 0;

  /** Memory held, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A chunk of `CHUNK_BYTES`, if there is one. */
  takeChunk(): Uint8Array | undefined {
    const chunk = this.#chunks.pop();
    if (chunk !== undefined) this.#bytes -= CHUNK_BYTES;
    return chunk;
  }

  /** Words for a tree, if there are any. */
  takeWords(): Int32Array | undefined {
    const kept = this.#words.pop();
    if (kept !== undefined) this.#bytes -= kept.touchedBytes;
    return kept?.words;
  }

  /**
   * Keeps as much as it may. Requires: nobody reads or writes any of it from now on. Bound: `maxBytes` held.
   *
   * @param touchedBytes - How much of `words` was in use.
   */
  give(chunks: readonly Uint8Array[], words: Int32Array, touchedBytes: number, maxBytes: number): void {
    if (this.#bytes + touchedBytes <= maxBytes) {
      this.#words.push({ words, touchedBytes });
      this.#bytes += touchedBytes;
    }
    for (const chunk of chunks) {
      if (chunk.length !== CHUNK_BYTES || this.#bytes + CHUNK_BYTES > maxBytes) continue;
      this.#chunks.push(chunk);
      this.#bytes += CHUNK_BYTES;
    }
  }
}

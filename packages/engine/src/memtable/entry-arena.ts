/** Byte chunks that entries are copied into, one after another. Nothing is freed before the whole arena is dropped. */

/** Each chunk is as large as all before it, between these. */
const FIRST_CHUNK_BYTES = 16 * 1024;
const MAX_CHUNK_BYTES = 1024 * 1024;

export class EntryArena {
  readonly chunks: Uint8Array[] = [];
  #free = 0;
  #bytes = 0;
  readonly #place = { chunk: 0, offset: 0 };

  /** Memory held, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Copies `source[start, end)`. @returns Where it is now; the object is reused by the next call. */
  copy(source: Uint8Array, start: number, end: number): { readonly chunk: number; readonly offset: number } {
    const length = end - start;
    let chunk = this.chunks[this.chunks.length - 1];
    if (chunk === undefined || this.#free + length > chunk.length) {
      chunk = new Uint8Array(Math.max(Math.min(MAX_CHUNK_BYTES, this.#bytes), FIRST_CHUNK_BYTES, length));
      this.chunks.push(chunk);
      this.#free = 0;
      this.#bytes += chunk.length;
    }
    if (length < 64) for (let i = 0; i < length; i++) chunk[this.#free + i] = source[start + i]!;
    else chunk.set(source.subarray(start, end), this.#free);
    this.#place.chunk = this.chunks.length - 1;
    this.#place.offset = this.#free;
    this.#free += length;
    return this.#place;
  }
}

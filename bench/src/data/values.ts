/**
 * Values as LevelDB's db_bench makes them: slices of a pool of printable bytes that halves under compression, because each
 * piece of 100 bytes is 50 random ones twice. Invariant: every value is a Buffer of its own over the one pool.
 */

import { Random } from './random.ts';

const POOL_BYTES = 1024 * 1024;
const PIECE_BYTES = 100;
const COMPRESSED_SHARE = 0.5;
const FIRST_PRINTABLE = 32;
const PRINTABLE_COUNT = 95;

export class ValuePool {
  readonly #pool: Buffer;
  #position = 0;

  constructor(seed: number) {
    this.#pool = Buffer.concat(Array.from(pieces(new Random(seed))));
  }

  /** @returns The next `bytes` bytes of the pool; it starts over when too few are left. */
  next(bytes: number): Buffer {
    if (this.#position + bytes > this.#pool.length) this.#position = 0;
    const value = this.#pool.subarray(this.#position, this.#position + bytes);
    this.#position += bytes;
    return value;
  }
}

function* pieces(random: Random): Generator<Buffer> {
  for (let bytes = 0; bytes < POOL_BYTES; bytes += PIECE_BYTES) {
    const raw = Buffer.alloc(PIECE_BYTES * COMPRESSED_SHARE);
    for (let at = 0; at < raw.length; at++) raw[at] = FIRST_PRINTABLE + random.below(PRINTABLE_COUNT);
    yield Buffer.alloc(PIECE_BYTES, raw);
  }
}

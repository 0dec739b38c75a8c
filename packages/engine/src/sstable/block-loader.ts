/**
 * Checked blocks out of stored bytes, through memory that is used again for each: a block on its way into the cache leaves
 * nothing behind. Everything here is done with by the end of the caller's turn.
 */

import { CorruptionError } from '../errors.ts';
import { findLayoutFault } from './block-layout.ts';
import type { PointLookup } from './point-lookup.ts';
import type { BlockHandle } from './sstable-format.ts';
import { checkStored, type TableIdentity, zstdMissing } from './stored-block.ts';

/** Memory above this size is given back after use. */
const KEPT_BYTES = 512 * 1024;

/** Memory that grows to what is asked of it. */
class Scratch {
  #bytes = new Uint8Array(0);
  #words = new Uint32Array(0);

  /** The first `length` bytes; valid until the next call. */
  take(length: number): Uint8Array {
    if (length > this.#bytes.length || this.#bytes.length > KEPT_BYTES) {
      const buffer = new ArrayBuffer(Math.max(8 * 1024, (length + 7) & ~7));
      this.#bytes = new Uint8Array(buffer);
      this.#words = new Uint32Array(buffer);
    }
    return this.#bytes.length === length ? this.#bytes : this.#bytes.subarray(0, length);
  }

  /** Points `lookup` at the block at the start. */
  attach(lookup: PointLookup): void {
    lookup.attach(this.#words, this.#bytes, 0);
  }
}

const stored = new Scratch();
const raw = new Scratch();

/** Room for `length` stored bytes, trailers included; valid until the next call of anything here by anyone. */
export function storedScratch(length: number): Uint8Array {
  return stored.take(length);
}

/**
 * Checks and unpacks the block of `handle`, whose stored bytes and trailer lie in `bytes` from `at` on.
 *
 * @returns The raw block in memory that the next call overwrites.
 * @throws CorruptionError when the bytes are not what was written.
 * @throws EngineError KAYA_UNSUPPORTED when the block is compressed and zstd cannot be loaded.
 */
export function loadBlock(bytes: Uint8Array, at: number, handle: BlockHandle, table: TableIdentity): Uint8Array {
  const isCompressed = checkStored(bytes, at, handle, table);
  const block = raw.take(handle.rawBytes);
  const content = bytes.subarray(at, at + handle.storedBytes);
  if (!isCompressed) block.set(content);
  else unpack(content, block, handle, table);
  const fault = findLayoutFault(block, handle.rawBytes);
  if (fault !== undefined) throw new CorruptionError(table.file, handle.offset, fault);
  return block;
}

/** Points `lookup` at the block that `loadBlock` gave last. */
export function attachLoaded(lookup: PointLookup): void {
  raw.attach(lookup);
}

function unpack(content: Uint8Array, into: Uint8Array, { offset, rawBytes }: BlockHandle, table: TableIdentity): void {
  const zstd = table.zstd();
  if (zstd === undefined) throw zstdMissing(table.file);
  if (zstd.decompressInto(content, into)) return;
  throw new CorruptionError(table.file, offset, `the block does not decompress to ${rawBytes} bytes`);
}

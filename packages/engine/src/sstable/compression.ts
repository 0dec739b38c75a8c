/**
 * zstd through zstd-napi, which is native and may be missing: it is loaded on first use, and nothing but compression
 * depends on it. Format: docs/format/sstable.md, "Blocks".
 */

import { createRequire } from 'node:module';

import type * as zstdNapi from 'zstd-napi/binding.js';

/** What is used of `zstd-napi/binding`. */
type ZstdBinding = Pick<typeof zstdNapi, 'CCtx' | 'DCtx' | 'compressBound' | 'getFrameContentSize'>;

/** How the data blocks and the index of a new table are stored. */
export type Compression = 'none' | 'zstd';

/** Compresses and decompresses blocks in the caller's turn. */
export interface Zstd {
  /** @returns One frame that names its content size; a view, valid until the next call. */
  compress(raw: Uint8Array, level: number): Uint8Array;
  /**
   * Allocates nothing before the frame's own content size was compared with `rawBytes`, and never more than that.
   *
   * @returns A new array of `rawBytes` bytes, or `undefined` when `stored` is not a frame of exactly that content.
   */
  decompress(stored: Uint8Array, rawBytes: number): Uint8Array | undefined;
  /** As `decompress`, into memory of the caller's that has the size of the content. @returns Whether it was filled. */
  decompressInto(stored: Uint8Array, into: Uint8Array): boolean;
}

/** Scratch memory above this size is given back after use. */
const KEPT_SCRATCH_BYTES = 256 * 1024;

class NativeZstd implements Zstd {
  readonly #binding: ZstdBinding;
  readonly #compressor: InstanceType<ZstdBinding['CCtx']>;
  readonly #decompressor: InstanceType<ZstdBinding['DCtx']>;
  #scratch = new Uint8Array(0);

  constructor(binding: ZstdBinding) {
    this.#binding = binding;
    this.#compressor = new binding.CCtx();
    this.#decompressor = new binding.DCtx();
  }

  compress(raw: Uint8Array, level: number): Uint8Array {
    const bound = this.#binding.compressBound(raw.length);
    let into = this.#scratch;
    if (into.length < bound) {
      into = new Uint8Array(bound);
      if (bound <= KEPT_SCRATCH_BYTES) this.#scratch = into;
    }
    return into.subarray(0, this.#compressor.compress(into, raw, level));
  }

  decompress(stored: Uint8Array, rawBytes: number): Uint8Array | undefined {
    if (this.#contentBytes(stored) !== rawBytes) return undefined;
    const raw = new Uint8Array(rawBytes);
    return this.#fill(raw, stored) ? raw : undefined;
  }

  decompressInto(stored: Uint8Array, into: Uint8Array): boolean {
    return this.#contentBytes(stored) === into.length && this.#fill(into, stored);
  }

  #fill(into: Uint8Array, stored: Uint8Array): boolean {
    try {
      return this.#decompressor.decompress(into, stored) === into.length;
    } catch {
      return false;
    }
  }

  #contentBytes(stored: Uint8Array): number | undefined {
    try {
      return this.#binding.getFrameContentSize(stored) ?? undefined;
    } catch {
      return undefined;
    }
  }
}

/** @returns zstd on the binding that `load` gives, or `undefined` when it throws: not installed, or not built. */
export function openZstd(load: () => ZstdBinding): Zstd | undefined {
  try {
    return new NativeZstd(load());
  } catch {
    return undefined;
  }
}

let shared: { readonly zstd: Zstd | undefined } | undefined;

/** The process's one zstd with its contexts, loaded on the first call; `undefined` where it cannot be loaded. */
export function sharedZstd(): Zstd | undefined {
  shared ??= { zstd: openZstd(() => createRequire(import.meta.url)('zstd-napi/binding') as ZstdBinding) };
  return shared.zstd;
}

/** Whether new tables can be compressed and compressed ones be read. */
export function zstdAvailable(): boolean {
  return sharedZstd() !== undefined;
}

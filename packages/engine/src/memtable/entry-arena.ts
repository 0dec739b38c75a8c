/**
 * Shared byte chunks that encoded operations are copied into, as many at once as fit; entries are places in them. Nothing is moved, and
 * nothing is freed before the whole arena is dropped. Chunks lie in SharedArrayBuffers, so that other threads read them without a copy.
 */

import { assert, readU16, readU32 } from '@kayadb/codec';

import { ENTRY_HEADER_BYTES, KEY_BYTES_AT, VALUE_BYTES_AT } from '../wal/wal-format.ts';
import { MAX_CHUNKS } from './art-layout.ts';
import { CHUNK_BYTES, type MemtableMemory } from './memtable-memory.ts';

/** The first chunks are small: each is as large as all before it, up to `CHUNK_BYTES`. */
const FIRST_CHUNK_BYTES = 16 * 1024;
/** In a large arena a chunk is this part of it, so that the bound on chunks is not met. */
const LARGE_ARENA_CHUNKS = 64;
/** An operation larger than this part of a chunk gets one of its own, exactly as large, and the open one stays open. */
const OWN_CHUNK_PART = 4;

export class EntryArena {
  readonly chunks: Uint8Array[] = [];
  /** Where the bytes that were appended last begin. */
  chunk = 0;
  offset = 0;
  readonly #memory: MemtableMemory | undefined;
  #open = 0;
  #free = 0;
  #room = 0;
  #bytes = 0;

  constructor(memory: MemtableMemory | undefined) {
    this.#memory = memory;
  }

  /** Memory held, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Copies operations of `payload` from `start` on, at least one, to one place: `offset` in `chunk`, until the next call.
   *
   * @returns Where in `payload` the first one begins that was not copied.
   */
  append(payload: Uint8Array, start: number): number {
    if (payload.length - start <= this.#room) return this.#fill(payload, start, payload.length);
    const end = endOfWhole(payload, start, this.#room);
    if (end > start) return this.#fill(payload, start, end);
    const first = operationEnd(payload, start);
    const size = this.#nextChunkBytes();
    if ((first - start) * OWN_CHUNK_PART > size) return this.#copyAlone(payload, start, first);
    this.#open = this.#add(this.#memory?.takeChunk() ?? newChunk(size));
    this.#free = 0;
    this.#room = this.chunks[this.#open]!.length;
    return this.append(payload, start);
  }

  #fill(payload: Uint8Array, start: number, end: number): number {
    this.chunk = this.#open;
    this.offset = this.#free;
    const length = end - start;
    const isWhole = length === payload.length;
    this.chunks[this.#open]!.set(isWhole ? payload : payload.subarray(start, end), this.#free);
    this.#free += length;
    this.#room -= length;
    return end;
  }

  #copyAlone(payload: Uint8Array, start: number, end: number): number {
    this.chunk = this.#add(newChunk(end - start));
    this.offset = 0;
    this.chunks[this.chunk]!.set(payload.subarray(start, end));
    return end;
  }

  #add(chunk: Uint8Array): number {
    assert(this.chunks.length < MAX_CHUNKS, 'an arena has too many chunks');
    this.#bytes += chunk.length;
    return this.chunks.push(chunk) - 1;
  }

  #nextChunkBytes(): number {
    const early = Math.min(CHUNK_BYTES, Math.max(FIRST_CHUNK_BYTES, this.#bytes));
    return Math.max(early, Math.floor(this.#bytes / LARGE_ARENA_CHUNKS));
  }
}

function newChunk(length: number): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(length));
}

function operationEnd(payload: Uint8Array, at: number): number {
  return at + ENTRY_HEADER_BYTES + readU16(payload, at + KEY_BYTES_AT) + readU32(payload, at + VALUE_BYTES_AT);
}

/** The end of the last operation that ends within `room` bytes from `start`; `start` if none does. */
function endOfWhole(payload: Uint8Array, start: number, room: number): number {
  const limit = start + room;
  let end = start;
  for (;;) {
    if (limit - end < ENTRY_HEADER_BYTES) return end;
    const next = operationEnd(payload, end);
    if (next > limit) return end;
    end = next;
  }
}

/** The newest writes, in memory and in order. Filled by one writer, frozen when full, flushed to a level-0 table. */

import { assert, copyBytes, readU16, readU32 } from '@kayadb/codec';

import type { Cursor, Direction } from '../iterate/cursor.ts';
import { type Entry, RANGE_DELETE_KIND, type SequenceNumber } from '../key/internal-key.ts';
import type { RangeDelete } from '../range-delete/range-delete.ts';
import { ENTRY_HEADER_BYTES, ENTRY_KIND_AT, KEY_BYTES_AT, VALUE_BYTES_AT } from '../wal/wal-format.ts';
import { EntryArena } from './entry-arena.ts';
import { MemtableCursor } from './memtable-cursor.ts';
import type { MemtableHit } from './memtable-hit.ts';
import type { MemtableMemory } from './memtable-memory.ts';
import { NO_VERSION, RadixTree } from './radix-tree.ts';
import type { SharedMemtable } from './shared-memtable.ts';
import { TreeWriter } from './tree-writer.ts';

export class Memtable {
  readonly #memory: MemtableMemory | undefined;
  readonly #arena: EntryArena;
  #tree: RadixTree;
  /** Made with the first write. */
  #writer: TreeWriter | undefined;
  #entryCount = 0;
  #dataBytes = 0;
  #largestSequence: SequenceNumber = 0;
  #appliedIndex: number | undefined;
  #rangeDeletes: RangeDelete[] = [];
  /** Held by the thread that shares it. */
  #sharedBytes = 0;
  #frozen = false;
  #users = 0;
  /** What `#memory` may hold once it has this memtable's; undefined until it is retired. */
  #maxKeptBytes: number | undefined;

  /** @param memory - Where its memory comes from and goes to when it is retired; by default it is fresh, and left to the garbage collector. */
  constructor(memory?: MemtableMemory) {
    this.#memory = memory;
    this.#arena = new EntryArena(memory);
    this.#tree = new RadixTree(this.#arena.chunks);
  }

  /**
   * A frozen memtable over the memory of another thread's, which is not copied.
   * Requires: that one is not retired before this one was used for the last time.
   */
  static fromShared(shared: SharedMemtable): Memtable {
    const memtable = new Memtable();
    memtable.#tree = new RadixTree(shared.chunks, shared.words);
    memtable.#entryCount = shared.entryCount;
    memtable.#dataBytes = shared.dataBytes;
    memtable.#sharedBytes = shared.memoryBytes;
    memtable.#largestSequence = shared.largestSequence;
    memtable.#appliedIndex = shared.appliedIndex;
    memtable.#rangeDeletes = [...shared.rangeDeletes];
    memtable.#frozen = true;
    return memtable;
  }

  /** To be sent to another thread, for `fromShared`. Costs next to nothing. Requires: frozen, and not retired before the other is done. */
  share(): SharedMemtable {
    assert(this.#frozen, 'only a frozen memtable is shared');
    const { chunks, words } = this.#readable();
    return {
      words,
      chunks: [...chunks],
      entryCount: this.#entryCount,
      dataBytes: this.#dataBytes,
      memoryBytes: this.memoryBytes,
      largestSequence: this.#largestSequence,
      appliedIndex: this.#appliedIndex,
      rangeDeletes: [...this.#rangeDeletes],
    };
  }

  /** Versions of keys; range deletes are none. */
  get entryCount(): number {
    return this.#entryCount;
  }

  /** Bytes of the operations, as the write-ahead log holds them; what decides when the memtable is full. */
  get dataBytes(): number {
    return this.#dataBytes;
  }

  /** Memory held, in bytes. */
  get memoryBytes(): number {
    return this.#sharedBytes + this.#arena.bytes + (this.#writer?.usedBytes ?? 0);
  }

  /** In the order of their sequence numbers. */
  get rangeDeletes(): readonly RangeDelete[] {
    return this.#rangeDeletes;
  }

  /** Nothing was ever written to it, not even a write that changes nothing but has its place in an external log. */
  get isEmpty(): boolean {
    return this.#dataBytes === 0 && this.#appliedIndex === undefined;
  }

  get largestSequence(): SequenceNumber {
    return this.#largestSequence;
  }

  /** The largest applied index of the writes in it; undefined if none had one. */
  get appliedIndex(): number | undefined {
    return this.#appliedIndex;
  }

  /** Told of the applied index of a write that was inserted. */
  noteApplied(index: number): void {
    if (this.#appliedIndex === undefined || index > this.#appliedIndex) this.#appliedIndex = index;
  }

  /**
   * Copies a commit group's operations in; operation `i` gets sequence `firstSequence + i`.
   *
   * Requires: a payload that was encoded by WriteBatch or has passed `decodeOperations`; not frozen; `firstSequence` above all
   * sequence numbers in it.
   */
  insert(payload: Uint8Array, firstSequence: SequenceNumber): void {
    assert(!this.#frozen, 'a frozen memtable takes no writes');
    assert(firstSequence > this.#largestSequence, 'sequence numbers go up');
    this.#writer ??= new TreeWriter(this.#tree, this.#memory);
    const writer = this.#writer;
    const arena = this.#arena;
    let sequence = firstSequence;
    let copied = 0;
    let shift = 0;
    for (let at = 0; at < payload.length; sequence++) {
      const keyBytes = readU16(payload, at + KEY_BYTES_AT);
      const keyAt = at + ENTRY_HEADER_BYTES;
      const end = keyAt + keyBytes + readU32(payload, at + VALUE_BYTES_AT);
      if (at === copied) {
        copied = arena.append(payload, at);
        shift = arena.offset - at;
      }
      if (payload[at + ENTRY_KIND_AT] === RANGE_DELETE_KIND)
        this.#addRangeDelete(payload, keyAt, keyBytes, end, sequence);
      else {
        writer.insert(payload, keyAt, keyBytes, arena.chunk, at + shift, sequence);
        this.#entryCount++;
      }
      at = end;
    }
    this.#dataBytes += payload.length;
    this.#largestSequence = sequence - 1;
  }

  #addRangeDelete(payload: Uint8Array, keyAt: number, keyBytes: number, end: number, sequence: SequenceNumber): void {
    const keyEnd = keyAt + keyBytes;
    this.#rangeDeletes.push({
      start: copyBytes(payload.subarray(keyAt, keyEnd)),
      end: keyEnd === end ? undefined : copyBytes(payload.subarray(keyEnd, end)),
      sequence,
    });
  }

  /** From now on only read. */
  freeze(): void {
    this.#frozen = true;
  }

  /** The newest version of `key` at or below `maxSequence`; with views into the memtable, valid in this turn. */
  get(key: Uint8Array, maxSequence: SequenceNumber): Entry | undefined {
    const tree = this.#readable();
    const version = tree.find(key, maxSequence);
    return version === NO_VERSION ? undefined : tree.entry(version);
  }

  /** As `get`, but fills `hit` and allocates nothing. @returns Whether there is one. */
  find(key: Uint8Array, maxSequence: SequenceNumber, hit: MemtableHit): boolean {
    const tree = this.#readable();
    const version = tree.find(key, maxSequence);
    if (version === NO_VERSION) return false;
    tree.describe(version, hit);
    return true;
  }

  /** Holds the memtable until it is closed. */
  cursor(direction: Direction): Cursor {
    return new MemtableCursor(this.#readable(), direction, this);
  }

  /** Keeps the memtable readable, retired or not, until the matching `release()`. */
  retain(): this {
    this.#users++;
    return this;
  }

  release(): void {
    assert(this.#users > 0, 'a memtable is released more often than retained');
    this.#users--;
    this.#giveBack();
  }

  /**
   * Gives its memory back for the next memtables as soon as nobody holds it any more.
   *
   * Requires: frozen; whoever reads it from another turn on holds it.
   *
   * @param maxKeptBytes - Bound: what may be kept for the next ones together.
   */
  retire(maxKeptBytes: number): void {
    assert(this.#frozen, 'only a frozen memtable is retired');
    this.#maxKeptBytes = maxKeptBytes;
    this.#giveBack();
  }

  #giveBack(): void {
    if (this.#maxKeptBytes === undefined || this.#users > 0 || this.#writer === undefined) return;
    const { chunks, words } = this.#tree;
    this.#memory?.give(chunks, words, this.#writer.usedBytes, this.#maxKeptBytes);
    this.#tree.close();
    this.#writer = undefined;
  }

  #readable(): RadixTree {
    assert(!this.#tree.isClosed, 'a retired memtable that nobody held is read');
    return this.#tree;
  }
}

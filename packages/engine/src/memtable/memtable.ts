/** The newest writes, in memory and in order. Filled by one writer, frozen when full, flushed to a level-0 table. */

import { assert, copyBytes, readU16, readU32 } from '@kayadb/codec';

import type { Cursor, Direction } from '../iterate/cursor.ts';
import { type Entry, RANGE_DELETE_KIND, type SequenceNumber } from '../key/internal-key.ts';
import type { RangeDelete } from '../range-delete/range-delete.ts';
import { ENTRY_HEADER_BYTES, ENTRY_KIND_AT, KEY_BYTES_AT } from '../wal/wal-format.ts';
import { MemtableCursor } from './memtable-cursor.ts';
import { NIL, SkipList } from './skip-list.ts';

export class Memtable {
  readonly #list = new SkipList();
  #dataBytes = 0;
  #largestSequence: SequenceNumber = 0;
  #frozen = false;
  readonly #rangeDeletes: RangeDelete[] = [];

  get entryCount(): number {
    return this.#list.count;
  }

  /** Bytes of the entries, as the write-ahead log holds them; what decides when the memtable is full. */
  get dataBytes(): number {
    return this.#dataBytes;
  }

  /** Memory held, in bytes. */
  get memoryBytes(): number {
    return this.#list.bytes;
  }

  /** In the order of their sequence numbers. */
  get rangeDeletes(): readonly RangeDelete[] {
    return this.#rangeDeletes;
  }

  /** Nothing was ever written to it. */
  get isEmpty(): boolean {
    return this.#dataBytes === 0;
  }

  get largestSequence(): SequenceNumber {
    return this.#largestSequence;
  }

  /**
   * Copies a commit group's operations in; operation `i` gets sequence `firstSequence + i`.
   *
   * Requires: a payload that was encoded by WriteBatch or has passed `decodeOperations`; not frozen.
   */
  insert(payload: Uint8Array, firstSequence: SequenceNumber): void {
    assert(!this.#frozen, 'a frozen memtable takes no writes');
    let sequence = firstSequence;
    let at = 0;
    while (at < payload.length) {
      const keyBytes = readU16(payload, at + 4);
      const end = at + ENTRY_HEADER_BYTES + keyBytes + readU32(payload, at);
      if (payload[at + ENTRY_KIND_AT] === RANGE_DELETE_KIND) this.#addRangeDelete(payload, at, end, sequence);
      else this.#list.insert(payload, at, end, keyBytes, sequence);
      sequence++;
      at = end;
    }
    this.#dataBytes += payload.length;
    this.#largestSequence = sequence - 1;
  }

  #addRangeDelete(payload: Uint8Array, at: number, end: number, sequence: SequenceNumber): void {
    const keyAt = at + ENTRY_HEADER_BYTES;
    const keyEnd = keyAt + readU16(payload, at + KEY_BYTES_AT);
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

  /** The newest version of `key` at or below `maxSequence`; its value is a view into the memtable. */
  get(key: Uint8Array, maxSequence: SequenceNumber): Entry | undefined {
    const list = this.#list;
    const node = list.seek(key, maxSequence);
    if (node === NIL || list.compareKey(node, key, 0, key.length) !== 0) return undefined;
    return list.entry(node);
  }

  cursor(direction: Direction): Cursor {
    return new MemtableCursor(this.#list, direction);
  }
}

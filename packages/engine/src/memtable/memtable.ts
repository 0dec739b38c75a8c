/** The newest writes, in memory and in order. Filled by one writer, frozen when full, flushed to a level-0 table. */

import { assert, readU16, readU32 } from '@kayadb/codec';

import type { Cursor, Direction } from '../iterate/cursor.ts';
import type { Entry, SequenceNumber } from '../key/internal-key.ts';
import { ENTRY_HEADER_BYTES } from '../wal/wal-format.ts';
import { MemtableCursor } from './memtable-cursor.ts';
import { NIL, SkipList } from './skip-list.ts';

export class Memtable {
  readonly #list = new SkipList();
  #dataBytes = 0;
  #largestSequence: SequenceNumber = 0;
  #frozen = false;

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
      this.#list.insert(payload, at, end, keyBytes, sequence++);
      at = end;
    }
    this.#dataBytes += payload.length;
    this.#largestSequence = sequence - 1;
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

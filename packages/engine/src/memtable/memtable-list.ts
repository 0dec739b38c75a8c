/** The active memtable and the frozen ones behind it, each with the write-ahead log segment its writes begin in. */

import type { Entry, FileNumber, SequenceNumber } from '../key/internal-key.ts';
import { Memtable } from './memtable.ts';

export interface LoggedMemtable {
  readonly memtable: Memtable;
  /** Replaying from this segment brings back everything in the memtable. */
  readonly firstSegment: FileNumber;
}

export class MemtableList {
  #active: LoggedMemtable;
  /** Newest first. Replaced, never changed, so that a reader may hold on to it. */
  #frozen: readonly LoggedMemtable[] = [];

  constructor(firstSegment: FileNumber) {
    this.#active = { memtable: new Memtable(), firstSegment };
  }

  get active(): Memtable {
    return this.#active.memtable;
  }

  get frozenCount(): number {
    return this.#frozen.length;
  }

  get entryCount(): number {
    return this.all().reduce((sum, memtable) => sum + memtable.entryCount, 0);
  }

  get memoryBytes(): number {
    return this.all().reduce((sum, memtable) => sum + memtable.memoryBytes, 0);
  }

  /** Newest first; what a reader has to look at. */
  all(): readonly Memtable[] {
    return [this.#active.memtable, ...this.#frozen.map(({ memtable }) => memtable)];
  }

  /** Freezes the active memtable and starts an empty one whose writes go to `segment`. */
  rotate(segment: FileNumber): void {
    this.#active.memtable.freeze();
    this.#frozen = [this.#active, ...this.#frozen];
    this.#active = { memtable: new Memtable(), firstSegment: segment };
  }

  /** The next one to flush. */
  oldestFrozen(): LoggedMemtable | undefined {
    return this.#frozen[this.#frozen.length - 1];
  }

  /** The one frozen last, unless it is flushed already. */
  newestFrozen(): Memtable | undefined {
    return this.#frozen[0]?.memtable;
  }

  /** The oldest segment still needed once the oldest frozen memtable is in a table. */
  segmentAfterOldest(): FileNumber {
    return (this.#frozen[this.#frozen.length - 2] ?? this.#active).firstSegment;
  }

  /** Forgets the oldest frozen memtable. Requires: the manifest says, durably, that tables hold it. */
  dropOldest(): void {
    this.#frozen = this.#frozen.slice(0, -1);
  }

  /** The newest version of `key` at or below `maxSequence`. */
  get(key: Uint8Array, maxSequence: SequenceNumber): Entry | undefined {
    const found = this.#active.memtable.get(key, maxSequence);
    if (found !== undefined) return found;
    for (const { memtable } of this.#frozen) {
      const older = memtable.get(key, maxSequence);
      if (older !== undefined) return older;
    }
    return undefined;
  }
}

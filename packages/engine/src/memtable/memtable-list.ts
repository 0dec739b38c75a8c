/** The active memtable and the frozen ones behind it, each with the write-ahead log segment its writes begin in. */

import type { Entry, FileNumber, SequenceNumber } from '../key/internal-key.ts';
import { MemtableHit } from './memtable-hit.ts';
import { MemtableMemory } from './memtable-memory.ts';
import { Memtable } from './memtable.ts';

export interface LoggedMemtable {
  readonly memtable: Memtable;
  /** Replaying from this segment brings back everything in the memtable. */
  readonly firstSegment: FileNumber;
}

/** Bound: memory in memtables, and kept for them, as a multiple of one; what options.ts sets aside. */
const MEMTABLES_HELD = 3;

export class MemtableList {
  readonly #memory: MemtableMemory | undefined;
  readonly #hit = new MemtableHit();
  #active: LoggedMemtable;
  /** Newest first. Replaced, never changed, so that a reader may hold on to it. */
  #frozen: readonly LoggedMemtable[] = [];
  #onceDropped: readonly { readonly memtable: Memtable; readonly task: () => void }[] = [];

  /**
   * @param options.recycle - Uses the memory of flushed memtables for new ones. Requires: whoever reads a memtable in more than one
   * turn holds it: by `retainAll`, or by an open cursor.
   */
  constructor(firstSegment: FileNumber, options: { readonly recycle?: boolean } = {}) {
    this.#memory = options.recycle === true ? new MemtableMemory() : undefined;
    this.#active = { memtable: new Memtable(this.#memory), firstSegment };
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

  /** Memory of the memtables, and what is kept for the next ones, in bytes. */
  get memoryBytes(): number {
    return this.all().reduce((sum, memtable) => sum + memtable.memoryBytes, this.#memory?.bytes ?? 0);
  }

  /** Newest first; what a reader has to look at. For one turn; see `retainAll`. */
  all(): readonly Memtable[] {
    return [this.#active.memtable, ...this.#frozen.map(({ memtable }) => memtable)];
  }

  /** As `all`, for as long as the reader needs them: until it has called `release()` on each. */
  retainAll(): readonly Memtable[] {
    return this.all().map((memtable) => memtable.retain());
  }

  /** Freezes the active memtable and starts an empty one whose writes go to `segment`. */
  rotate(segment: FileNumber): void {
    this.#active.memtable.freeze();
    this.#frozen = [this.#active, ...this.#frozen];
    this.#active = { memtable: new Memtable(this.#memory), firstSegment: segment };
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

  /**
   * Calls `task` once, in the turn in which `memtable` is forgotten: tables hold it and all before it then, and nothing behind it.
   *
   * @returns Takes the call back, if it has not come yet.
   */
  onceDropped(memtable: Memtable, task: () => void): () => void {
    const waiting = { memtable, task };
    this.#onceDropped = [...this.#onceDropped, waiting];
    return () => {
      this.#onceDropped = this.#onceDropped.filter((each) => each !== waiting);
    };
  }

  /** Forgets the oldest frozen memtable. Requires: the manifest says, durably, that tables hold it. */
  dropOldest(): void {
    const dropped = this.oldestFrozen();
    if (dropped === undefined) return;
    this.#frozen = this.#frozen.slice(0, -1);
    const due = this.#onceDropped.filter(({ memtable }) => memtable === dropped.memtable);
    this.#onceDropped = this.#onceDropped.filter(({ memtable }) => memtable !== dropped.memtable);
    for (const { task } of due) task();
    if (this.#memory === undefined) return;
    const { memtable } = dropped;
    const inUse = this.memoryBytes - this.#memory.bytes;
    memtable.retire(MEMTABLES_HELD * memtable.memoryBytes - inUse);
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

  /** As `get`, without an entry: what is returned is filled anew by the next call. */
  find(key: Uint8Array, maxSequence: SequenceNumber): Readonly<MemtableHit> | undefined {
    const hit = this.#hit;
    if (this.#active.memtable.find(key, maxSequence, hit)) return hit;
    for (const { memtable } of this.#frozen) if (memtable.find(key, maxSequence, hit)) return hit;
    return undefined;
  }
}

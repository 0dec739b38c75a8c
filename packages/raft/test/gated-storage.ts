/**
 * A storage in memory whose writes wait, fail or find the disk full when a test says so. What waits is lost in a crash.
 */

import { FileSystemError } from '@kayadb/vfs';

import type { LogGap } from '../src/core/log-storage.ts';
import type { Entry, HardState, LogIndex, Snapshot } from '../src/core/types.ts';
import { MemoryRaftStorage } from '../src/storage/memory-storage.ts';
import type { RaftStorage, StorageBatch } from '../src/storage/raft-storage.ts';

interface HeldWrite {
  readonly batch: StorageBatch;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class GatedStorage implements RaftStorage {
  readonly inner: MemoryRaftStorage;
  #held: HeldWrite[] = [];
  #isHolding = false;
  #failure: Error | undefined;
  /** Whether every write is refused as on a full disk. */
  isFull = false;
  /** The last that became durable. */
  hardState: HardState | undefined;
  /** Batches that were handed in, refused ones included. */
  writeCount = 0;

  constructor(inner: MemoryRaftStorage = new MemoryRaftStorage()) {
    this.inner = inner;
  }

  get heldCount(): number {
    return this.#held.length;
  }

  /** From now on nothing becomes durable. */
  hold(): void {
    this.#isHolding = true;
  }

  release(): void {
    this.#isHolding = false;
    for (const { batch, resolve, reject } of this.#held.splice(0)) this.#pass(batch).then(resolve, reject);
  }

  /** Every write fails from now on, those that wait too. */
  fail(error: Error): void {
    this.#failure = error;
    for (const { reject } of this.#held.splice(0)) reject(error);
  }

  /** What is left after the process ended. */
  crash(): GatedStorage {
    this.#held = [];
    return new GatedStorage(this.inner.reopen());
  }

  write(batch: StorageBatch): Promise<void> {
    this.writeCount++;
    if (!this.#isHolding) return this.#pass(batch);
    return new Promise((resolve, reject) => {
      this.#held.push({ batch, resolve, reject });
    });
  }

  #pass(batch: StorageBatch): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.isFull) return Promise.reject(diskFull());
    this.hardState = batch.hardState ?? this.hardState;
    return this.inner.write(batch);
  }

  initialState(): ReturnType<RaftStorage['initialState']> {
    return this.inner.initialState();
  }

  get firstIndex(): LogIndex {
    return this.inner.firstIndex;
  }

  get lastIndex(): LogIndex {
    return this.inner.lastIndex;
  }

  term(index: LogIndex): number | LogGap {
    return this.inner.term(index);
  }

  entries(from: LogIndex, to: LogIndex, maxBytes: number): readonly Entry[] | LogGap {
    return this.inner.entries(from, to, maxBytes);
  }

  snapshot(): Snapshot | 'unavailable' {
    return this.inner.snapshot();
  }

  saveSnapshot(snapshot: Snapshot): Promise<void> {
    return this.inner.saveSnapshot(snapshot);
  }

  compact(index: LogIndex): Promise<void> {
    return this.inner.compact(index);
  }

  close(): Promise<void> {
    return this.inner.close();
  }
}

export function diskFull(): FileSystemError {
  return new FileSystemError('ENOSPC', 'write', '/raft/log');
}

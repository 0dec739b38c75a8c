/**
 * Group commit: writers queue up, one loop takes all that wait, appends them as one record and syncs at most once.
 *
 * While a sync is in flight the next group gathers, so the more writers there are, the more share one fsync.
 * Order: a group is appended, synced if any of its writers asks for it, made visible, and only then acknowledged.
 */

import { MAX_GROUP_BYTES } from '../limits.ts';
import type { Durability, WriteResult } from '../types.ts';

/** Encoded operations of one writer. `payload` must not change until the write is acknowledged. */
export interface PendingWrite {
  readonly payload: Uint8Array;
  readonly count: number;
  readonly durability: Durability;
}

/** What the queue needs of the engine. */
export interface WriteTarget {
  /** Resolves when there is room for a write; rejects when there will not be. */
  makeRoom(): Promise<void> | undefined;
  /** Appends and syncs the group and makes it visible. */
  commit(group: readonly PendingWrite[]): Promise<readonly WriteResult[]>;
}

interface Waiting {
  readonly write: PendingWrite | (() => Promise<void>);
  readonly resolve: (result: WriteResult | undefined) => void;
  readonly reject: (error: unknown) => void;
}

export class WriteQueue {
  readonly #target: WriteTarget;
  #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;

  constructor(target: WriteTarget) {
    this.#target = target;
  }

  /** Resolves when the write is acknowledged. Writes are acknowledged, and become visible, in the order of submission. */
  submit(write: PendingWrite): Promise<WriteResult> {
    return this.#enqueue(write) as Promise<WriteResult>;
  }

  /** Runs `task` alone, after every write submitted before it and before every later one. */
  async runAlone(task: () => Promise<void>): Promise<void> {
    await this.#enqueue(task);
  }

  /** Resolves when the queue is empty. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  #enqueue(write: Waiting['write']): Promise<WriteResult | undefined> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ write, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** One microtask of patience, so that writes issued in the same turn share a group. Never rejects. */
  async #run(): Promise<void> {
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const first = this.#waiting[0]!;
      if (typeof first.write === 'function') {
        this.#waiting.shift();
        try {
          await first.write();
          first.resolve(undefined);
        } catch (error) {
          first.reject(error);
        }
        continue;
      }
      await this.#commitGroup();
    }
    this.#running = undefined;
  }

  async #commitGroup(): Promise<void> {
    try {
      await this.#target.makeRoom();
    } catch (error) {
      for (const { reject } of this.#takeGroup()) reject(error);
      return;
    }
    const group = this.#takeGroup();
    try {
      const results = await this.#target.commit(group.map(({ write }) => write as PendingWrite));
      group.forEach(({ resolve }, i) => resolve(results[i]));
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
  }

  /** The writes at the head of the queue, up to the next task or to `MAX_GROUP_BYTES`; at least one. */
  #takeGroup(): readonly Waiting[] {
    let count = 0;
    let bytes = 0;
    for (const { write } of this.#waiting) {
      if (typeof write === 'function') break;
      bytes += write.payload.length;
      if (count > 0 && bytes > MAX_GROUP_BYTES) break;
      count++;
    }
    return this.#waiting.splice(0, count);
  }
}

/**
 * What stands in the write queue: one writer's operations, or the puts and deletes of many writers that share one payload.
 * A hot file (bench/engine, put): of many, each costs its promise and its bytes.
 */

import { EMPTY_BYTES } from '@kayadb/codec';

import type { WriteBatch } from '../key/write-batch.ts';
import type { Durability, WriteResult } from '../types.ts';

/** Encoded operations. `payload` must not change until the write is acknowledged. */
export interface PendingWrite {
  readonly payload: Uint8Array;
  readonly count: number;
  readonly durability: Durability;
  /** Where an external log holds the write. */
  readonly appliedIndex?: number | undefined;
  /** What `payload` is in, if the queue may have it: it is emptied and used again once the write is settled. */
  readonly batch?: WriteBatch | undefined;
}

/** Says whether a write is to happen. */
export type WriteCheck = () => boolean | Promise<boolean>;

export type Resolve = (result: WriteResult | undefined) => void;
export type Reject = (error: unknown) => void;

/** A pending write with its place in the queue and whoever waits for it. */
export interface QueuedWrite extends PendingWrite {
  next: QueuedWrite | undefined;
  /** Still to be asked. */
  check: WriteCheck | undefined;
  /** @param result - Of its last operation; undefined when a check said no. */
  resolve(result: WriteResult | undefined): void;
  reject(error: unknown): void;
}

export class SingleWrite implements QueuedWrite {
  readonly payload: Uint8Array;
  readonly count: number;
  readonly durability: Durability;
  readonly appliedIndex: number | undefined;
  readonly batch: WriteBatch | undefined;
  readonly resolve: Resolve;
  readonly reject: Reject;
  check: WriteCheck | undefined;
  next: QueuedWrite | undefined = undefined;

  constructor(write: PendingWrite, check: WriteCheck | undefined, resolve: Resolve, reject: Reject) {
    this.payload = write.payload;
    this.count = write.count;
    this.durability = write.durability;
    this.appliedIndex = write.appliedIndex;
    this.batch = write.batch;
    this.check = check;
    this.resolve = resolve;
    this.reject = reject;
  }
}

/** Invariant: operation `i` of the batch is writer `i`'s, so its sequence number follows from the last one's. */
export class GatheredWrites implements QueuedWrite {
  /** What the operations are encoded into. */
  readonly batch: WriteBatch;
  readonly durability: Durability;
  readonly appliedIndex: undefined = undefined;
  readonly check: undefined = undefined;
  next: QueuedWrite | undefined = undefined;
  payload: Uint8Array = EMPTY_BYTES;
  readonly #resolve: Resolve[] = [];
  readonly #reject: Reject[] = [];

  /** @param batch - Empty, and nobody else's until this is settled. */
  constructor(batch: WriteBatch, durability: Durability) {
    this.batch = batch;
    this.durability = durability;
  }

  get count(): number {
    return this.#resolve.length;
  }

  /** The writer of the operation that was encoded last. */
  add(resolve: Resolve, reject: Reject): void {
    this.#resolve.push(resolve);
    this.#reject.push(reject);
  }

  /** Nothing is encoded any more. */
  seal(): void {
    this.payload = this.batch.bytes;
  }

  resolve(result: WriteResult | undefined): void {
    if (result === undefined) return;
    const { lsn, durable } = result;
    const resolve = this.#resolve;
    let sequence = result.sequence - resolve.length;
    for (let i = 0; i < resolve.length; i++) resolve[i]!({ sequence: ++sequence, lsn, durable });
  }

  reject(error: unknown): void {
    for (const reject of this.#reject) reject(error);
  }
}

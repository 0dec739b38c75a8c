/**
 * Group commit: writers queue up, one loop takes all that wait, appends them as one record and syncs at most once.
 *
 * While a sync is in flight the next group gathers, so the more writers there are, the more share one fsync.
 * Order: a group is appended, synced if any of its writers asks for it, made visible, and only then acknowledged.
 * A hot file: the loop is made of plain functions and goes on within the turn wherever nothing has to be waited for; the queue is
 * a linked list, so that taking a group costs its own length, however many wait behind it (bench/engine, put).
 */

import { EMPTY_BYTES } from '@kayadb/codec';

import { WriteBatch } from '../key/write-batch.ts';
import { MAX_GROUP_BYTES, OWN_LOG_LIMITS, type WriteLimits } from '../limits.ts';
import type { BytesLike, Durability, WriteResult } from '../types.ts';
import {
  GatheredWrites,
  type PendingWrite,
  type QueuedWrite,
  type Reject,
  type Resolve,
  SingleWrite,
  type WriteCheck,
} from './queued-write.ts';

/** What the queue needs of the engine. One group at a time: `append`, then `apply` for each write of it, in order. */
export interface WriteTarget {
  /** @returns Undefined when a write may go ahead; otherwise what to wait for before asking again. Rejects, or throws, when it may not. */
  makeRoom(): Promise<void> | undefined;
  /** Appends the group to the log. @returns What to wait for until it is as durable as its writers ask; undefined when it is. */
  append(group: readonly PendingWrite[]): Promise<void> | undefined;
  /** Makes one write visible. */
  apply(write: PendingWrite): WriteResult;
  /** Told of each write that is not going to happen because something failed. */
  onRejected(write: PendingWrite): void;
}

const NO_WRITE: PendingWrite = { payload: EMPTY_BYTES, count: 0, durability: 'relaxed' };
/** A turn of the microtask queue; cheaper than `queueMicrotask`, which also keeps track of asynchronous contexts. */
const READY = Promise.resolve();
/** Microtasks between an acknowledgement and the caller's next write: an async function or two around it. */
const PATIENCE_AFTER_SYNC = 8;

/** From this size on gathered writes take no more; the next ones share another payload. */
const MAX_GATHERED_BYTES = 128 * 1024;
/** Bound: batches kept for later writes, one to be filled while another waits for its sync, and the bytes in one of them. */
const MAX_KEPT_BATCHES = 2;
const MAX_KEPT_BATCH_BYTES = 512 * 1024;

/** What the constructor of the newest promise gave; one function for all promises spares each a closure. */
const settlers: { resolve: Resolve; reject: Reject } = {
  resolve: () => undefined,
  reject: () => undefined,
};

function takeSettlers(resolve: Resolve, reject: Reject): void {
  settlers.resolve = resolve;
  settlers.reject = reject;
}

export class WriteQueue {
  readonly #target: WriteTarget;
  readonly #limits: WriteLimits;
  #first: QueuedWrite | undefined;
  #last: QueuedWrite | undefined;
  /** The last one, or not in the queue while nothing is in it; takes further puts and deletes. */
  #gathering: GatheredWrites | undefined;
  /** Empty; their memory is used again. */
  readonly #batches: WriteBatch[] = [];
  /** The loop is under way, or will be once the present microtasks have run. */
  #isRunning = false;
  #whenIdle: (() => void)[] = [];
  /** The group being committed; one array for all groups, since there is one group at a time. */
  readonly #group: QueuedWrite[] = [];
  readonly #run = (): void => this.#commitWaiting();

  constructor(target: WriteTarget, limits: WriteLimits = OWN_LOG_LIMITS) {
    this.#target = target;
    this.#limits = limits;
  }

  /** An empty batch, of memory that was used before if there is any: the first touch of fresh memory is dear. */
  takeBatch(): WriteBatch {
    return this.#batches.pop() ?? new WriteBatch(this.#limits);
  }

  /** Resolves when the write is acknowledged. Writes are acknowledged, and become visible, in the order of submission. */
  submit(write: PendingWrite): Promise<WriteResult> {
    return this.#enqueue(write, undefined) as Promise<WriteResult>;
  }

  /**
   * Submits `key` set to `value`, both of which are copied. Cheaper than a batch of its own. Requires: together well below `batchBytes`.
   *
   * @throws What `WriteBatch.put` throws; nothing is submitted then.
   */
  submitPut(key: BytesLike, value: BytesLike, durability: Durability): Promise<WriteResult> {
    const gathering = this.#gatheringFor(durability);
    gathering.batch.put(key, value);
    return this.#addTo(gathering);
  }

  /** As `submitPut`. */
  submitDelete(key: BytesLike, durability: Durability): Promise<WriteResult> {
    const gathering = this.#gatheringFor(durability);
    gathering.batch.delete(key);
    return this.#addTo(gathering);
  }

  /**
   * As `submit`, if `check` says so. It is asked when every write submitted before is visible, and none submitted later is committed
   * until it has answered and this write has been. Resolves to undefined when the answer is no; a check that fails rejects this write alone.
   */
  submitIf(write: PendingWrite, check: WriteCheck): Promise<WriteResult | undefined> {
    return this.#enqueue(write, check);
  }

  /** Runs `task` alone, after every write submitted before it and before every later one. */
  async runAlone(task: () => Promise<void>): Promise<void> {
    await this.#enqueue(NO_WRITE, async () => {
      await task();
      return false;
    });
  }

  /** Resolves when the queue is empty. */
  async idle(): Promise<void> {
    if (!this.#isRunning) return;
    await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
  }

  #enqueue(write: PendingWrite, check: WriteCheck | undefined): Promise<WriteResult | undefined> {
    const acknowledged = new Promise<WriteResult | undefined>(takeSettlers);
    this.#append(new SingleWrite(write, check, settlers.resolve, settlers.reject));
    this.#gathering = undefined;
    return acknowledged;
  }

  #gatheringFor(durability: Durability): GatheredWrites {
    const present = this.#gathering;
    if (present?.durability === durability && present.batch.byteLength < MAX_GATHERED_BYTES) return present;
    this.#gathering = new GatheredWrites(this.takeBatch(), durability);
    return this.#gathering;
  }

  /** The operation is encoded. */
  #addTo(gathering: GatheredWrites): Promise<WriteResult> {
    const acknowledged = new Promise<WriteResult | undefined>(takeSettlers);
    if (gathering.count === 0) this.#append(gathering);
    gathering.add(settlers.resolve, settlers.reject);
    return acknowledged as Promise<WriteResult>;
  }

  #append(queued: QueuedWrite): void {
    if (this.#last === undefined) this.#first = queued;
    else this.#last.next = queued;
    this.#last = queued;
    if (this.#isRunning) return;
    this.#isRunning = true;
    // One microtask of patience, so that writes issued in the same turn share a group.
    void READY.then(this.#run);
  }

  #commitWaiting(): void {
    while (this.#first !== undefined) {
      const step = this.#first.check === undefined ? this.#commitGroup() : this.#ask(this.#first, this.#first.check);
      if (step === undefined) continue;
      void step.then(this.#run);
      return;
    }
    this.#isRunning = false;
    const waiting = this.#whenIdle;
    this.#whenIdle = [];
    for (const resolve of waiting) resolve();
  }

  /** @returns What to wait for, which never rejects, before going on. */
  #commitGroup(): Promise<void> | undefined {
    let room: Promise<void> | undefined;
    try {
      room = this.#target.makeRoom();
    } catch (error) {
      this.#rejectGroup(this.#takeGroup(), error);
      return undefined;
    }
    if (room !== undefined) return room.then(undefined, (error) => this.#rejectGroup(this.#takeGroup(), error));

    const group = this.#takeGroup();
    let durable: Promise<void> | undefined;
    try {
      durable = this.#target.append(group);
    } catch (error) {
      this.#rejectGroup(group, error);
      return undefined;
    }
    if (durable !== undefined) return this.#acknowledgeAfter(group, durable);
    this.#acknowledge(group);
    return undefined;
  }

  async #acknowledgeAfter(group: readonly QueuedWrite[], durable: Promise<void>): Promise<void> {
    try {
      await durable;
    } catch (error) {
      this.#rejectGroup(group, error);
      return;
    }
    this.#acknowledge(group);
    // Writers that go on at once join those that have gathered meanwhile: one fsync for all, not one for each half in turn.
    for (let i = 0; i < PATIENCE_AFTER_SYNC; i++) await READY;
  }

  #acknowledge(group: readonly QueuedWrite[]): void {
    for (const write of group) {
      try {
        write.resolve(this.#target.apply(write));
      } catch (error) {
        write.reject(error);
      }
      this.#keepBatch(write);
    }
  }

  #rejectGroup(group: readonly QueuedWrite[], error: unknown): void {
    for (const write of group) {
      this.#target.onRejected(write);
      write.reject(error);
      this.#keepBatch(write);
    }
  }

  /** The log and the memtable have copied what is in it. */
  #keepBatch(write: QueuedWrite): void {
    const { batch } = write;
    if (batch === undefined || batch.byteLength > MAX_KEPT_BATCH_BYTES) return;
    if (this.#batches.length < MAX_KEPT_BATCHES) this.#batches.push(batch.clear());
  }

  async #ask(write: QueuedWrite, check: WriteCheck): Promise<void> {
    let refusal: { readonly error: unknown } | undefined;
    try {
      if (await check()) {
        write.check = undefined;
        return;
      }
    } catch (error) {
      refusal = { error };
    }
    this.#first = write.next;
    if (this.#first === undefined) this.#last = undefined;
    if (refusal === undefined) {
      write.resolve(undefined);
      return;
    }
    this.#target.onRejected(write);
    write.reject(refusal.error);
  }

  /** The writes at the head of the queue, up to the next check or to `MAX_GROUP_BYTES`; at least one. */
  #takeGroup(): readonly QueuedWrite[] {
    const group = this.#group;
    // Cheaper than a new length, and the array keeps its memory.
    while (group.length > 0) group.pop();
    let bytes = 0;
    let write = this.#first;
    while (write !== undefined && write.check === undefined) {
      if (write instanceof GatheredWrites) this.#seal(write);
      bytes += write.payload.length;
      if (bytes > MAX_GROUP_BYTES && group.length > 0) break;
      group.push(write);
      write = write.next;
    }
    this.#first = write;
    if (write === undefined) this.#last = undefined;
    return group;
  }

  #seal(write: GatheredWrites): void {
    write.seal();
    if (write === this.#gathering) this.#gathering = undefined;
  }
}

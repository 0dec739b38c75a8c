/**
 * Merges sorted cursors into one, in the order of entries (or its exact reverse).
 *
 * A binary heap of children with an entry under them, the next one on top. Children that wait for bytes are awaited one by one.
 */

import { compareEntries } from '../key/internal-key.ts';
import type { Entry } from '../key/internal-key.ts';
import type { Cursor, Direction, MaybePromise } from './cursor.ts';

export class MergingCursor implements Cursor {
  readonly #children: readonly Cursor[];
  readonly #sign: number;
  #heap: Cursor[] = [];

  /** Owns `children` from now on: they are closed with this cursor. All go in `direction`. */
  constructor(children: readonly Cursor[], direction: Direction) {
    this.#children = children;
    this.#sign = direction === 'forward' ? 1 : -1;
  }

  get entry(): Entry | undefined {
    return this.#heap[0]?.entry;
  }

  seekToStart(): MaybePromise {
    return this.#positionAll((child) => child.seekToStart());
  }

  seek(key: Uint8Array): MaybePromise {
    return this.#positionAll((child) => child.seek(key));
  }

  next(): MaybePromise {
    const waiting = this.#heap[0]!.next();
    if (waiting !== undefined) return waiting.then(() => this.#restoreTop());
    this.#restoreTop();
    return undefined;
  }

  close(): void {
    this.#heap = [];
    for (const child of this.#children) child.close();
  }

  #positionAll(position: (child: Cursor) => MaybePromise): MaybePromise {
    const waiting: Promise<void>[] = [];
    try {
      for (const child of this.#children) {
        const wait = position(child);
        if (wait !== undefined) waiting.push(wait);
      }
    } catch (error) {
      // Damage found in this turn. Children that wait already must not fail with nobody listening.
      waiting.push(Promise.reject(error));
    }
    if (waiting.length > 0) return Promise.all(waiting).then(() => this.#build());
    this.#build();
    return undefined;
  }

  #build(): void {
    this.#heap = this.#children.filter((child) => child.entry !== undefined);
    for (let i = (this.#heap.length >>> 1) - 1; i >= 0; i--) this.#siftDown(i);
  }

  #restoreTop(): void {
    const heap = this.#heap;
    if (heap[0]!.entry === undefined) {
      const last = heap.pop()!;
      if (heap.length === 0) return;
      if (last !== heap[0]) heap[0] = last;
    }
    this.#siftDown(0);
  }

  #siftDown(start: number): void {
    const heap = this.#heap;
    const moving = heap[start]!;
    let hole = start;
    for (;;) {
      let child = 2 * hole + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && this.#before(heap[child + 1]!, heap[child]!)) child++;
      if (!this.#before(heap[child]!, moving)) break;
      heap[hole] = heap[child]!;
      hole = child;
    }
    heap[hole] = moving;
  }

  #before(a: Cursor, b: Cursor): boolean {
    return compareEntries(a.entry!, b.entry!) * this.#sign < 0;
  }
}

/**
 * Whether the storage of a leader has stopped answering: it goes silent then, so that others elect one that can make something durable. Appending goes on beside sending, so the
 * acknowledgements of the others alone would let it lead on.
 */

import type { NodeEventSink } from './node-events.ts';

export class StorageWatch {
  readonly #stallTicks: number;
  readonly #onEvent: NodeEventSink;
  #isStalled = false;

  constructor(stallTicks: number, onEvent: NodeEventSink) {
    this.#stallTicks = stallTicks;
    this.#onEvent = onEvent;
  }

  get isStalled(): boolean {
    return this.#isStalled;
  }

  /** @param ageTicks - Of the oldest write that is not durable. */
  observe(isLeader: boolean, ageTicks: number): void {
    const isStalled = isLeader && ageTicks > this.#stallTicks;
    if (isStalled === this.#isStalled) return;
    this.#isStalled = isStalled;
    this.#onEvent(isStalled ? { kind: 'storage-stalled', ageTicks } : { kind: 'storage-recovered' });
  }
}

/**
 * How far committed entries were handed out to be applied, how far they were applied, and whether more may be handed out.
 * Invariant: applied <= applying. Bound: bytes handed out and not applied stay below `maxBytes`, but for the entry that reaches it.
 */

import { assert } from '@kayadb/codec';

import type { LogIndex } from './types.ts';

export class ApplyWindow {
  readonly #maxBytes: number;
  #applied: LogIndex;
  #applying: LogIndex;
  #bytes = 0;
  #isPaused = false;

  constructor(applied: LogIndex, maxBytes: number) {
    this.#applied = applied;
    this.#applying = applied;
    this.#maxBytes = maxBytes;
  }

  get applied(): LogIndex {
    return this.#applied;
  }

  get applying(): LogIndex {
    return this.#applying;
  }

  /** Whether to hand out no more until something was applied. */
  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** More than 0 while not paused. */
  get roomBytes(): number {
    return this.#maxBytes - this.#bytes;
  }

  /**
   * Entries up to `index` were handed out. Where more could have been, up to `appliable`, the next one did not fit: that is a pause too.
   */
  accept(index: LogIndex, bytes: number, appliable: LogIndex): void {
    this.#applying = index;
    this.#bytes += bytes;
    this.#isPaused = this.#bytes >= this.#maxBytes || index < appliable;
  }

  /** Requires: index >= applied. */
  appliedTo(index: LogIndex, bytes: number): void {
    assert(index >= this.#applied, `applied index falls from ${this.#applied} to ${index}`);
    this.#applied = index;
    this.#applying = Math.max(this.#applying, index);
    this.#bytes = Math.max(0, this.#bytes - bytes);
    this.#isPaused = this.#bytes >= this.#maxBytes;
  }
}

/**
 * The serials of one session. Format: docs/format/state-machine.md, "Sessions".
 *
 * Invariant: `settled` is the lowest serial whose write has not ended, so it never goes back. Bound: `SESSION_WINDOW` serials from `settled` on.
 */

import { assert } from '@kayadb/codec';

import { SESSION_WINDOW } from '../limits.ts';

export class Session {
  readonly id: number;
  readonly expiryMs: number;
  /** When it was last named in a request, or just opened. */
  usedAt: number;
  /** In ascending order: serials are added in it. */
  readonly #open = new Set<number>();
  #next = 1;

  constructor(id: number, expiryMs: number, nowMs: number) {
    this.id = id;
    this.expiryMs = expiryMs;
    this.usedAt = nowMs;
  }

  /** All writes below have ended. */
  get settled(): number {
    for (const serial of this.#open) return serial;
    return this.#next;
  }

  /** How many writes may begin now. */
  get room(): number {
    return this.settled + SESSION_WINDOW - this.#next;
  }

  /** Requires: room. @returns The next serial; `settle` is due. */
  take(nowMs: number): number {
    assert(this.room > 0, 'a session was asked for more than its window');
    this.usedAt = nowMs;
    const serial = this.#next++;
    this.#open.add(serial);
    return serial;
  }

  /** Its write has ended: answered, or given up for good. */
  settle(serial: number): void {
    this.#open.delete(serial);
  }
}

/**
 * How a read comes to be as fresh as its reader asks, on any member.
 *
 * - `linearizable`: the leader confirms, after the read was asked for, that it leads; then this node waits until it has applied what was committed then.
 * - `lease`: the leader goes by a majority having answered it lately. A pause of this process between looking at the lease and reading would make the read stale, so the lease is
 *   looked at once more behind the read.
 * - `bounded`: what a linearizable read has confirmed at this node vouches for its moment, and for as long behind it as the reader tolerates.
 *
 * Invariant: what vouches for a read was begun after the time that the read may be as old as.
 */

import type { Clock, Freshness } from '@kayadb/codec';

export interface FreshnessSource {
  /** As `RaftNode.readIndex`: resolves when this node's state has everything that was acknowledged before the call. */
  confirm(): Promise<unknown>;
  /** Whether this node leads, and a majority has answered it lately enough for nobody else to lead. @throws Error when it never does: leases are off, or it does not lead. */
  holdsLease(): boolean;
}

export class FreshReads {
  readonly #source: FreshnessSource;
  readonly #clock: Clock;
  /** The state of this node is at least as new as that of the group was then. */
  #freshAtMs = Number.NEGATIVE_INFINITY;
  /** A confirmation under way, for those that tolerate its beginning. */
  #confirming: { readonly sinceMs: number; readonly done: Promise<void> } | undefined;

  constructor(source: FreshnessSource, clock: Clock) {
    this.#source = source;
    this.#clock = clock;
  }

  async run<T>(freshness: Freshness, task: () => Promise<T>): Promise<T> {
    switch (freshness.kind) {
      case 'stale':
        return task();
      case 'lease':
        return this.#runByLease(task);
      case 'bounded':
        await this.#freshen(freshness.maxStalenessMs);
        return task();
      case 'linearizable':
        await this.#confirm();
        return task();
    }
  }

  async #runByLease<T>(task: () => Promise<T>): Promise<T> {
    if (this.#source.holdsLease()) {
      const result = await task();
      if (this.#source.holdsLease()) return result;
    }
    await this.#confirm();
    return task();
  }

  /** One confirmation serves all that tolerate when it was begun. */
  async #freshen(maxStalenessMs: number): Promise<void> {
    const oldestMs = this.#clock.now() - maxStalenessMs;
    if (this.#freshAtMs >= oldestMs) return;
    const underWay = this.#confirming;
    await (underWay !== undefined && underWay.sinceMs >= oldestMs ? underWay.done : this.#confirm());
  }

  #confirm(): Promise<void> {
    const sinceMs = this.#clock.now();
    const done = this.#source.confirm().then(() => {
      this.#freshAtMs = Math.max(this.#freshAtMs, sinceMs);
    });
    const mine = { sinceMs, done };
    this.#confirming = mine;
    const forget = (): void => {
      if (this.#confirming === mine) this.#confirming = undefined;
    };
    done.then(forget, forget);
    return done;
  }
}

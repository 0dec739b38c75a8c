/**
 * How a read comes to be as fresh as its reader asks, on any member.
 *
 * - `linearizable`: the leader confirms, after the read was asked for, that it leads; then this node waits until it has applied what was committed then.
 * - `lease`: for `leaseMs` behind a confirmation, a leader goes by it: its followers vote for nobody else so soon. Elsewhere, or without one, as `linearizable`. A pause of this process
 *   between looking at the lease and reading would make the read stale, so it is looked at once more behind the read. A leader may be behind its followers in applying, most of all when its
 *   disk stands still: what one of them has shown already is committed, so it reads by the lease only when it has applied all that is.
 * - `bounded`: what a linearizable read has confirmed at this node vouches for its moment, and for as long behind it as the reader tolerates.
 *
 * Invariant: what vouches for a read was begun after the time that the read may be as old as.
 */

import type { Clock, Freshness } from '@kayadb/codec';

export interface FreshnessSource {
  /** As `RaftNode.readIndex`: resolves when this node's state has everything that was acknowledged before the call. */
  confirm(): Promise<unknown>;
  /** Whether this node has applied everything that it knows to be committed. */
  hasAppliedAll(): boolean;
  /** The term that this node leads in, and has not begun to hand over; undefined otherwise. */
  leaseTerm(): number | undefined;
}

export interface FreshReadsOptions {
  readonly source: FreshnessSource;
  readonly clock: Clock;
  /** Well below the least time after which a follower that hears nothing votes for another: clocks differ. 0: no leases. */
  readonly leaseMs: number;
}

export class FreshReads {
  readonly #source: FreshnessSource;
  readonly #clock: Clock;
  readonly #leaseMs: number;
  /** The state of this node is at least as new as that of the group was then. */
  #freshAtMs = Number.NEGATIVE_INFINITY;
  /** Of the newest confirmation; undefined when this node did not lead all through it. */
  #confirmedTerm: number | undefined;
  /** A confirmation under way, for those that tolerate its beginning. */
  #confirming: { readonly sinceMs: number; readonly done: Promise<void> } | undefined;

  constructor({ source, clock, leaseMs }: FreshReadsOptions) {
    this.#source = source;
    this.#clock = clock;
    this.#leaseMs = leaseMs;
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
    const term = this.#heldTerm();
    if (term !== undefined && this.#source.hasAppliedAll()) {
      const result = await task();
      if (this.#heldTerm() === term) return result;
    }
    await this.#confirm();
    return task();
  }

  /** The term of a lease that holds. */
  #heldTerm(): number | undefined {
    const isFresh = this.#clock.now() < this.#freshAtMs + this.#leaseMs;
    return isFresh && this.#source.leaseTerm() === this.#confirmedTerm ? this.#confirmedTerm : undefined;
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
    const term = this.#source.leaseTerm();
    const done = this.#vouch(this.#source.confirm(), sinceMs, term);
    const mine = { sinceMs, done };
    this.#confirming = mine;
    const forget = (): void => {
      if (this.#confirming === mine) this.#confirming = undefined;
    };
    done.then(forget, forget);
    return done;
  }

  async #vouch(confirmed: Promise<unknown>, sinceMs: number, term: number | undefined): Promise<void> {
    await confirmed;
    if (sinceMs < this.#freshAtMs) return;
    this.#freshAtMs = sinceMs;
    this.#confirmedTerm = this.#source.leaseTerm() === term ? term : undefined;
  }
}

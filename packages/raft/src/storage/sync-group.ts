/**
 * Writers who wait for the same sync.
 *
 * Invariant: a sync begins after everything that its waiters wrote, and one sync is under way at a time.
 */

export class SyncGroup {
  readonly #sync: () => Promise<void>;
  #running: Promise<void> = Promise.resolve();
  /** The one that has not begun yet, for everybody who comes now. */
  #next: Promise<void> | undefined;

  constructor(sync: () => Promise<void>) {
    this.#sync = sync;
  }

  /** Durability: everything written before the call, when it resolves. */
  join(): Promise<void> {
    if (this.#next === undefined) {
      const mine = this.#running
        .catch(() => undefined)
        .then(() => {
          this.#next = undefined;
          return this.#sync();
        });
      this.#next = mine;
      this.#running = mine;
    }
    return this.#next;
  }

  /** Waits for the syncs that somebody has joined. Rejects when the last of them did. */
  idle(): Promise<void> {
    return this.#running;
  }
}

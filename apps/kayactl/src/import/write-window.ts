/**
 * Hands units of rows to a store and waits for their acknowledgements, several at a time.
 *
 * Invariant: of two rows with the same key the later one wins. A store that does not keep the order of what is in
 * flight never has the same key in flight twice.
 * Bound: `maxUnitsInFlight` and `maxBytesInFlight` of the store's write plan, or one unit if it alone is larger.
 */

import type { Durability } from '@kayadb/engine';

import type { Row, Store } from '../store/store.ts';

export interface WriteUnit {
  readonly rows: readonly Row[];
  /** Keys and values together. */
  readonly bytes: number;
  readonly durability: Durability | undefined;
}

/** What became of a unit: `refused` with the store's reason when it will never take it. */
export type WriteOutcome = { readonly kind: 'acknowledged' } | { readonly kind: 'refused'; readonly reason: string };

export class WriteWindow {
  readonly #store: Store;
  readonly #keys = new Set<string>();
  #units = 0;
  #bytes = 0;
  #failure: { readonly error: unknown } | undefined;
  #waiting: (() => void)[] = [];

  constructor(store: Store) {
    this.#store = store;
  }

  /**
   * Starts writing `unit` as soon as there is room. `onOutcome` is called when the store has answered; what it throws
   * counts as a failure of the unit.
   *
   * @throws The first failure of any unit. The outcome of units in flight is then awaited with `drain`.
   */
  async submit(unit: WriteUnit, onOutcome: (outcome: WriteOutcome) => void): Promise<void> {
    const keys = this.#store.writePlan.ordered ? [] : unit.rows.map(({ key }) => Buffer.from(key).toString('latin1'));
    while (this.#failure === undefined && !this.#hasRoomFor(unit, keys)) await this.#nextAnswer();
    this.#assertNoFailure();
    for (const key of keys) this.#keys.add(key);
    this.#units++;
    this.#bytes += unit.bytes;
    void this.#write(unit, keys, onOutcome);
  }

  /** Resolves when nothing is in flight. Never rejects. */
  async drain(): Promise<void> {
    while (this.#units > 0) await this.#nextAnswer();
  }

  /** Resolves when nothing is in flight. @throws The first failure of any unit. */
  async finish(): Promise<void> {
    await this.drain();
    this.#assertNoFailure();
  }

  async #write(unit: WriteUnit, keys: readonly string[], onOutcome: (outcome: WriteOutcome) => void): Promise<void> {
    try {
      onOutcome(await this.#answerTo(unit));
    } catch (error) {
      this.#failure ??= { error };
    }
    for (const key of keys) this.#keys.delete(key);
    this.#units--;
    this.#bytes -= unit.bytes;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  async #answerTo(unit: WriteUnit): Promise<WriteOutcome> {
    try {
      await this.#store.write(unit.rows, unit.durability);
      return { kind: 'acknowledged' };
    } catch (error) {
      const reason = this.#store.describeRefusal(error);
      if (reason === undefined) throw error;
      return { kind: 'refused', reason };
    }
  }

  #hasRoomFor(unit: WriteUnit, keys: readonly string[]): boolean {
    if (this.#units === 0) return true;
    const { maxUnitsInFlight, maxBytesInFlight } = this.#store.writePlan;
    if (this.#units >= maxUnitsInFlight || this.#bytes + unit.bytes > maxBytesInFlight) return false;
    return !keys.some((key) => this.#keys.has(key));
  }

  #nextAnswer(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  #assertNoFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}

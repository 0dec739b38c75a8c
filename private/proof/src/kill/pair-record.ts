/**
 * Two keys that every batch of every writer sets to one value: they may never differ, and the batch they come from is the one with the highest
 * sequence number among the acknowledged, or one of which nobody heard the end.
 */

import { PAIR_KEYS } from './writer-protocol.ts';

export class PairRecord {
  #acknowledged: { readonly sequence: number; readonly value: string | undefined } = { sequence: -1, value: undefined };
  readonly #open = new Set<string>();

  begin(value: string): void {
    this.#open.add(value);
  }

  /** As `LaneRecord.takeBack`. */
  takeBack(value: string): void {
    this.#open.delete(value);
  }

  /** @param sequence - Of the batch's last operation. */
  acknowledge(value: string, sequence: number): void {
    this.#open.delete(value);
    if (sequence > this.#acknowledged.sequence) this.#acknowledged = { sequence, value };
  }

  /** As `LaneRecord.settle`. */
  settle(found: ReadonlyMap<string, string>): string | undefined {
    const [first, second] = PAIR_KEYS.map((key) => found.get(key));
    const expected = this.#acknowledged.value;
    const isKnown = first === expected || (first !== undefined && this.#open.has(first));
    this.#acknowledged = { sequence: -1, value: first };
    this.#open.clear();
    if (first !== second) return `half a batch: the pair is ${String(first)} and ${String(second)}`;
    if (!isKnown) return `the pair is of batch ${String(first)}, and batch ${String(expected)} was acknowledged`;
    return undefined;
  }
}

/** The sources of a scan in the order of their next entries. Few, so an array that is kept sorted does. */

import type { ScanSource } from './scan-source.ts';

export class SourceQueue {
  /** Those that have an entry, the next one first. */
  #sorted: ScanSource[] = [];

  get top(): ScanSource | undefined {
    return this.#sorted[0];
  }

  /** The one whose entry follows, unless more of the top source do. */
  get second(): ScanSource | undefined {
    return this.#sorted[1];
  }

  /** Takes in those of `sources` that have an entry. */
  rebuild(sources: readonly ScanSource[]): void {
    this.#sorted = [];
    for (const source of sources) if (source.rows !== undefined) this.#insert(source, 0);
  }

  /** The top source has moved on. */
  restoreTop(): void {
    const sorted = this.#sorted;
    const top = sorted[0];
    if (top === undefined) return;
    if (top.rows === undefined) {
      sorted.shift();
    } else if (sorted.length > 1 && sorted[1]!.comesBefore(top)) {
      sorted.shift();
      this.#insert(top, 1);
    }
  }

  /** Requires: none of the first `from` comes after `source`. */
  #insert(source: ScanSource, from: number): void {
    const sorted = this.#sorted;
    let low = from;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (sorted[middle]!.comesBefore(source)) low = middle + 1;
      else high = middle;
    }
    sorted.splice(low, 0, source);
  }
}

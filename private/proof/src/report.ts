/**
 * What a proof has to show for itself: figures, and findings, which are sentences that contradict the promise.
 * Figures go to the console, and in the long run to `results/<name>.json`, from where they are taken for docs/internals/proof.md.
 */

import { type Figures, publishFigures as publish } from '@kayadb/testkit';

export type { Figures };

/** Bound: more findings say nothing new. */
const MAX_FINDINGS = 20;
const RESULTS = new URL('../results/', import.meta.url);

/** Collects sentences that contradict the promise, each with what it takes to see it again. */
export class Findings {
  readonly #sentences: string[] = [];
  #count = 0;

  add(sentence: string): void {
    this.#count++;
    if (this.#sentences.length < MAX_FINDINGS) this.#sentences.push(sentence);
  }

  /** All of them, also those that are not in `sentences`. */
  get count(): number {
    return this.#count;
  }

  get sentences(): readonly string[] {
    return this.#sentences;
  }
}

/** Prints the figures of a finished proof, and in the long run writes them down. */
export function publishFigures(name: string, figures: Figures): void {
  publish(name, figures, RESULTS);
}

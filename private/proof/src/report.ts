/**
 * What a proof has to show for itself: figures, and findings, which are sentences that contradict the promise.
 * Figures go to the console, and in the long run to `results/<name>.json`, from where they are taken for docs/internals/proof.md.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { proofSize } from './proof-size.ts';

/** Bound: more findings say nothing new. */
const MAX_FINDINGS = 20;
const RESULTS = fileURLToPath(new URL('../results/', import.meta.url));

export type Figures = Readonly<Record<string, number | string>>;

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
  const text = Object.entries(figures)
    .map(([what, value]) => `${what} ${typeof value === 'number' ? value.toLocaleString('en') : value}`)
    .join(', ');
  console.info(`${name}: ${text}`);
  if (proofSize !== 'long') return;
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(`${RESULTS}${name}.json`, `${JSON.stringify({ name, ...figures }, undefined, 2)}\n`);
}

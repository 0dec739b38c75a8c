/** Places found damaged, each told once. */

import type { CorruptionError } from '../errors.ts';
import type { ScrubDamage } from './scrub-result.ts';

/** Bound: places kept with their sentences; more are only counted. */
const MAX_KEPT = 100;
/** Bound: places remembered as told. A disk with more of them tells the rest again. */
const MAX_TOLD = 100_000;

export class DamageList {
  readonly #told = new Set<string>();
  readonly #kept: ScrubDamage[] = [];
  readonly #onFound: (damage: ScrubDamage) => void;
  #count = 0;

  /** @param onFound - Told of each new place. */
  constructor(onFound: (damage: ScrubDamage) => void) {
    this.#onFound = onFound;
  }

  /** All places that were told. */
  get count(): number {
    return this.#count;
  }

  /** The first of them. */
  get kept(): readonly ScrubDamage[] {
    return this.#kept;
  }

  add({ file, offset, message }: CorruptionError, nowMs: number): void {
    const place = `${file}:${offset}`;
    if (this.#told.has(place)) return;
    if (this.#told.size < MAX_TOLD) this.#told.add(place);
    const damage: ScrubDamage = { file, offset, message, foundMs: nowMs };
    this.#count++;
    if (this.#kept.length < MAX_KEPT) this.#kept.push(damage);
    this.#onFound(damage);
  }
}

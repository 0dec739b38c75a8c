/**
 * What background work keeps up with, in bytes of writes per second. Nothing measures that directly: it depends on the data, the
 * depth of the tree and who else uses the disk. So it starts as what writers brought when slowing began and is corrected by where pressure
 * comes to rest. Pure but for its state.
 */

/** Slower than any disk that is worth slowing writers for. */
const MIN_BYTES_PER_SECOND = 1024 * 1024;
/** A store that has just begun to write has shown nothing yet. */
const MIN_FIRST_BYTES_PER_SECOND = 16 * 1024 * 1024;
const MAX_BYTES_PER_SECOND = 4 * 1024 ** 3;
/**
 * Relative change per second at either end of the band. It falls with the third power of the distance from the middle: near rest the
 * band alone steers, and what learns slowly does not make it swing.
 */
const GAIN_PER_SECOND = 0.2;
/** Where in its band pressure is meant to come to rest. */
const REST_SHARE = 0.5;

export class DrainEstimate {
  #bytesPerSecond: number | undefined;

  /** @returns Undefined before the first `start`. */
  get bytesPerSecond(): number | undefined {
    return this.#bytesPerSecond;
  }

  /** Slowing begins while writers bring `ingestBytesPerSecond`. What was learnt before stays. */
  start(ingestBytesPerSecond: number): void {
    this.#bytesPerSecond ??= clamp(ingestBytesPerSecond, MIN_FIRST_BYTES_PER_SECOND);
  }

  /** For `elapsedMs` writers were held back, and pressure stands at `share` of its band. */
  correct(share: number, elapsedMs: number): void {
    if (this.#bytesPerSecond === undefined) return;
    const distance = (REST_SHARE - share) / REST_SHARE;
    const factor = Math.exp((GAIN_PER_SECOND * distance ** 3 * Math.min(elapsedMs, 1000)) / 1000);
    this.#bytesPerSecond = clamp(this.#bytesPerSecond * factor, MIN_BYTES_PER_SECOND);
  }
}

function clamp(bytesPerSecond: number, min: number): number {
  return Math.min(MAX_BYTES_PER_SECOND, Math.max(min, bytesPerSecond));
}

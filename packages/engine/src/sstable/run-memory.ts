/**
 * Memory for runs of blocks on their way into the cache. Used again, because fresh memory of this size costs as much as the read
 * itself: pages touched for the first time, and garbage collections that its release calls for.
 */

export class RunMemory {
  readonly runBytes: number;
  /** Bound: runs that are read at the same time; the others wait. More than the threads that read gain nothing. */
  readonly #maxRuns: number;
  readonly #free: Uint8Array[] = [];
  readonly #waiting: ((memory: Uint8Array) => void)[] = [];
  #taken = 0;

  constructor(runBytes: number, maxRuns: number) {
    this.runBytes = runBytes;
    this.#maxRuns = maxRuns;
  }

  /** Memory held, in bytes. */
  get allocatedBytes(): number {
    return (this.#taken + this.#free.length) * this.runBytes;
  }

  /** @returns `runBytes` bytes, to be given back; at once, unless too many are taken. */
  take(): Uint8Array | Promise<Uint8Array> {
    if (this.#taken === this.#maxRuns) return new Promise((resolve) => this.#waiting.push(resolve));
    this.#taken++;
    return this.#free.pop() ?? new Uint8Array(this.runBytes);
  }

  give(memory: Uint8Array): void {
    const next = this.#waiting.shift();
    if (next !== undefined) {
      next(memory);
      return;
    }
    this.#taken--;
    this.#free.push(memory);
  }

  /** Gives back what nobody uses. */
  trim(): void {
    this.#free.length = 0;
  }
}

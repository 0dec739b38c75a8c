/**
 * The first unknown disk outcome, remembered for good.
 *
 * After a failed append or fsync nobody knows what is on disk, and a later success proves nothing (the kernel may have
 * dropped the pages and forgotten the error). So the engine stops writing and deleting until it is opened again.
 */

import { EngineError } from '../errors.ts';

export class Poison {
  #cause: Error | undefined;
  readonly #onPoisoned: (cause: Error) => void;

  constructor(onPoisoned: (cause: Error) => void) {
    this.#onPoisoned = onPoisoned;
  }

  get cause(): Error | undefined {
    return this.#cause;
  }

  /** The first cause stays; later ones are consequences. @returns The error to give to whoever was waiting. */
  set(cause: unknown): EngineError {
    if (this.#cause === undefined) {
      this.#cause = cause instanceof Error ? cause : new Error(String(cause));
      this.#onPoisoned(this.#cause);
    }
    return this.error();
  }

  /** @throws EngineError KAYA_ENGINE_POISONED after the first `set`. */
  check(): void {
    if (this.#cause !== undefined) throw this.error();
  }

  error(): EngineError {
    return new EngineError(
      'KAYA_ENGINE_POISONED',
      `the store takes no more writes, because a disk operation failed with an unknown outcome (${this.#cause?.message}); ` +
        'check the disk and open the store again',
      { cause: this.#cause },
    );
  }
}

/** Tells how far a backup or a restore has come, and ends it when it is aborted. */

import { checkAborted } from '../snapshot/check-aborted.ts';
import type { BackupOptions } from '../types.ts';

export class CopyProgress {
  readonly #what: string;
  readonly #totalBytes: number;
  readonly #options: BackupOptions;
  #bytes = 0;

  /** @param what - For the sentence of an abortion: `the backup`. */
  constructor(what: string, totalBytes: number, options: BackupOptions) {
    this.#what = what;
    this.#totalBytes = totalBytes;
    this.#options = options;
  }

  /** @throws EngineError KAYA_ABORTED */
  check(): void {
    checkAborted(this.#options.signal, this.#what);
  }

  /** Counts what was read. @throws EngineError KAYA_ABORTED */
  add(bytes: number): void {
    this.check();
    // A file that is longer than it should be must not make more than everything.
    this.#bytes = Math.min(this.#totalBytes, this.#bytes + bytes);
    this.#options.onProgress?.({ bytes: this.#bytes, totalBytes: this.#totalBytes });
  }
}

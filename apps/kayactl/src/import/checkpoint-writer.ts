/** Keeps the state file about half a second behind the acknowledgements, and the import going when it cannot. */

import type { Clock } from '@kayadb/codec';

import { describeError } from '../describe-error.ts';
import type { Progress } from '../progress.ts';
import type { LineCounts } from './acknowledged-prefix.ts';
import type { ImportStateFile } from './import-state.ts';

const INTERVAL_MS = 500;

export class CheckpointWriter {
  #file: ImportStateFile | undefined;
  readonly #clock: Clock;
  readonly #progress: Progress;
  #lastMs: number;
  #writtenLines = 0;

  /** @param file - `undefined` when progress cannot be kept, as for stdin. */
  constructor(file: ImportStateFile | undefined, clock: Clock, progress: Progress) {
    this.#file = file;
    this.#clock = clock;
    this.#progress = progress;
    this.#lastMs = clock.now();
  }

  /** Whether the state would be written now if there were something new. */
  isDue(): boolean {
    return this.#file !== undefined && this.#clock.now() - this.#lastMs >= INTERVAL_MS;
  }

  /** Writes the state when it is due and has changed. @returns Whether it did. */
  async maybeWrite(counts: LineCounts): Promise<boolean> {
    if (!this.isDue() || counts.lines === this.#writtenLines) return false;
    return this.write(counts);
  }

  /** @returns Whether a later run can go on from `counts`. Never rejects: data matters more than the note about it. */
  async write(counts: LineCounts): Promise<boolean> {
    if (this.#file === undefined) return false;
    try {
      await this.#file.write(counts);
    } catch (error) {
      const path = this.#file.path;
      this.#file = undefined;
      this.#progress.note(
        `progress cannot be kept in ${path}: ${describeError(error).message}; the import goes on, but could not be ` +
          'resumed (--state FILE chooses another place)',
      );
      return false;
    }
    this.#lastMs = this.#clock.now();
    this.#writtenLines = counts.lines;
    return true;
  }

  /** After the last line: the state file has done its work. */
  async remove(): Promise<void> {
    await this.#file?.remove();
  }
}

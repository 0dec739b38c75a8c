/** Tells of every line that was not imported: the first ones on stderr, all of them in a file if one is wanted. */

import type { AppendFile } from '../append-file.ts';
import type { Progress } from '../progress.ts';

/** Bound: lines that are told of on stderr; the rest is only counted. */
const MAX_TOLD_LINES = 20;

export interface BadLinesOptions {
  readonly progress: Progress;
  readonly json: boolean;
  readonly file: AppendFile | undefined;
}

export class BadLines {
  readonly #options: BadLinesOptions;
  #count = 0;

  constructor(options: BadLinesOptions) {
    this.#options = options;
  }

  /** Lines reported in this run. */
  get count(): number {
    return this.#count;
  }

  /** @throws FileSystemError when the file cannot be written. */
  report(line: number, reason: string): void {
    this.#count++;
    this.#options.file?.append({ line, reason });
    if (this.#count <= MAX_TOLD_LINES) this.#tell(line, reason);
  }

  /** How many lines were counted and not told. */
  get untold(): number {
    return Math.max(0, this.#count - MAX_TOLD_LINES);
  }

  #tell(line: number, reason: string): void {
    const { progress, json } = this.#options;
    progress.note(json ? JSON.stringify({ bad_line: { line, reason } }) : `line ${line}: ${reason}`);
  }
}

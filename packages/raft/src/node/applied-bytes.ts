/**
 * How many bytes of log lie behind an index, roughly: marks at intervals of what was applied.
 *
 * Bound: marks; their spacing doubles when there are too many.
 */

import type { LogIndex } from '../core/types.ts';

interface Mark {
  readonly index: LogIndex;
  /** Bytes applied up to and including `index`, since the start of the node. */
  readonly totalBytes: number;
}

const MAX_MARKS = 1024;

export class AppliedBytes {
  #marks: Mark[];
  #spacingBytes: number;
  #totalBytes = 0;
  #lastIndex: LogIndex;

  constructor(start: LogIndex, spacingBytes: number) {
    this.#marks = [{ index: start, totalBytes: 0 }];
    this.#lastIndex = start;
    this.#spacingBytes = spacingBytes;
  }

  get totalBytes(): number {
    return this.#totalBytes;
  }

  /** Everything up to `index` is applied, `bytes` more than the last time. */
  advance(index: LogIndex, bytes: number): void {
    this.#totalBytes += bytes;
    this.#lastIndex = index;
    if (this.#totalBytes - this.#marks.at(-1)!.totalBytes < this.#spacingBytes) return;
    this.#marks.push({ index, totalBytes: this.#totalBytes });
    if (this.#marks.length <= MAX_MARKS) return;
    this.#marks = this.#marks.filter((_mark, at) => at % 2 === 0);
    this.#spacingBytes *= 2;
  }

  /**
   * The smallest marked index behind which at most `bytes` were applied. The log below it may go where `bytes` are to stay. What was applied before the node started does not
   * count: it is not known how large it is.
   */
  indexKeeping(bytes: number): LogIndex {
    const mark = this.#marks.find(({ totalBytes }) => this.#totalBytes - totalBytes <= bytes);
    return mark?.index ?? this.#lastIndex;
  }
}

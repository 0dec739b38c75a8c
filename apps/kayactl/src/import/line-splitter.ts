/**
 * Cuts a stream of bytes into lines, without input or output of its own.
 *
 * Invariant: the cuts do not depend on how the stream was divided into chunks.
 */

const NEWLINE = 0x0a;

export interface Line {
  /** Counted from 1. */
  readonly number: number;
  /** Without the newline; `undefined` when the line is longer than the bound and was not kept. */
  readonly bytes: Uint8Array | undefined;
}

export class LineSplitter {
  readonly #maxLineBytes: number;
  #number = 0;
  #parts: Uint8Array[] = [];
  #partBytes = 0;

  /** Bound: `maxLineBytes` of a line are kept, and one chunk. */
  constructor(maxLineBytes: number) {
    this.#maxLineBytes = maxLineBytes;
  }

  /** Gives the lines that end in `chunk`. They may be views of it. Keeps a reference to the rest of it. */
  *push(chunk: Uint8Array): Generator<Line> {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      this.#keep(chunk.subarray(start, end));
      yield this.#take();
      start = end + 1;
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
  }

  /** Gives the last line if it has no newline. */
  *end(): Generator<Line> {
    if (this.#partBytes > 0) yield this.#take();
  }

  #keep(part: Uint8Array): void {
    this.#partBytes += part.length;
    if (this.#partBytes <= this.#maxLineBytes) this.#parts.push(part);
    else this.#parts = [];
  }

  #take(): Line {
    this.#number++;
    const [first, ...rest] = this.#parts;
    const whole = first !== undefined && rest.length === 0 ? first : Buffer.concat(this.#parts);
    const line = { number: this.#number, bytes: this.#partBytes > this.#maxLineBytes ? undefined : whole };
    this.#parts = [];
    this.#partBytes = 0;
    return line;
  }
}

/** One line on a terminal that says how far something is. On anything else, and with --json, there is none. */

import type { CommandContext } from '../invocation.ts';
import type { OutputStream } from '../io.ts';

const CLEAR_LINE = '\r\u001b[K';

export class MovingLine {
  readonly #stream: OutputStream | undefined;
  #text = '';

  constructor({ output, globals }: CommandContext) {
    this.#stream = globals.json || output.stderr.isTTY !== true ? undefined : output.stderr;
  }

  show(text: string): void {
    if (text === this.#text) return;
    this.#text = text;
    this.#stream?.write(`${CLEAR_LINE}${text.slice(0, (this.#stream.columns ?? 80) - 1)}`);
  }

  /** Takes it off the terminal. Idempotent. */
  clear(): void {
    if (this.#text === '') return;
    this.#text = '';
    this.#stream?.write(CLEAR_LINE);
  }
}

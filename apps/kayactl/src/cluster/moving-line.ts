/**
 * One line that says how far something is. On a terminal it is written over; into a file or pipe it comes now and then, as a line of its own, so that a script
 * which waits is not silent. With --json there is none.
 */

import type { CommandContext } from '../invocation.ts';
import { plainText } from '../plain-text.ts';

const CLEAR_LINE = '\r\u001b[K';

/** How often it is told where it can not be written over. */
const EVERY_MS = 10_000;

export class MovingLine {
  readonly #context: CommandContext;
  #toldMs: number;
  #text = '';

  constructor(context: CommandContext) {
    this.#context = context;
    this.#toldMs = context.io.clock.now();
  }

  show(text: string): void {
    const { io, output, globals } = this.#context;
    if (globals.json) return;
    const { stderr } = output;
    if (stderr.isTTY !== true) {
      const now = io.clock.now();
      if (now - this.#toldMs < EVERY_MS) return;
      this.#toldMs = now;
      stderr.write(`NOTE: ${plainText(text)}\n`);
      return;
    }
    if (text === this.#text) return;
    this.#text = text;
    stderr.write(`${CLEAR_LINE}${plainText(text).slice(0, (stderr.columns ?? 80) - 1)}`);
  }

  /** Takes it off the terminal. Idempotent. */
  clear(): void {
    if (this.#text === '') return;
    this.#text = '';
    this.#context.output.stderr.write(CLEAR_LINE);
  }
}

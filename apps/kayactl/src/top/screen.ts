/**
 * A terminal that is drawn over and over: the other screen of it, so that what was there before comes back at the end.
 *
 * Invariant: once it was entered, `leave` puts cursor, screen and keys back as they were.
 */

import type { InputStream, OutputStream } from '../io.ts';
import { plainText } from '../plain-text.ts';

const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const CLEAR_TO_LINE_END = '\u001b[K';
const CLEAR_TO_SCREEN_END = '\u001b[J';

/** What terminals have when they do not say. */
const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;

export class Screen {
  readonly #input: InputStream;
  readonly #output: OutputStream;
  readonly #onKey: (key: string) => void;
  #isEntered = false;

  /** @param onKey - Told of each key, Ctrl-C too, which the terminal does not turn into a signal meanwhile. */
  constructor(input: InputStream, output: OutputStream, onKey: (key: string) => void) {
    this.#input = input;
    this.#output = output;
    this.#onKey = onKey;
  }

  enter(): void {
    this.#isEntered = true;
    this.#output.write(ENTER);
    if (this.#input.isTTY !== true) return;
    this.#input.setRawMode?.(true);
    this.#input.on('data', this.#handleData);
    this.#input.resume();
  }

  /** Lines that are too long are cut off, and so are those that are too many. */
  draw(lines: readonly string[]): void {
    const { columns = DEFAULT_COLUMNS, rows = DEFAULT_ROWS } = this.#output;
    // The last column and row are left free: writing there may scroll.
    const shown = lines.slice(0, Math.max(1, rows - 1)).map((line) => plainText(line).slice(0, columns - 1));
    const text = shown.map((line) => `${line}${CLEAR_TO_LINE_END}\r\n`).join('');
    this.#output.write(`${HOME}${text}${CLEAR_TO_SCREEN_END}`);
  }

  /** Idempotent. */
  leave(): void {
    if (!this.#isEntered) return;
    this.#isEntered = false;
    this.#output.write(LEAVE);
    if (this.#input.isTTY !== true) return;
    this.#input.off('data', this.#handleData);
    this.#input.setRawMode?.(false);
    this.#input.pause();
  }

  readonly #handleData = (chunk: Buffer | string): void => {
    for (const key of chunk.toString()) this.#onKey(key);
  };
}

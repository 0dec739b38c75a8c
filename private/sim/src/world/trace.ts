/**
 * What has happened, one line per event: its hash tells two runs apart, its end tells what led to a failure. What is frequent is put into words only for
 * somebody who reads them.
 */

import { readU32 } from '@kayadb/codec';

import { describeFrame } from '../node/describe-frame.ts';
import { Digest } from './digest.ts';

/** Where a frame has the checksum of everything else in it. */
const FRAME_CRC_AT = 4;
/** Bound: events that are kept. */
const KEPT = 400;

/** A frame that has arrived, and where; or words. */
type What = string | { readonly at: number; readonly frame: Uint8Array };

interface Line {
  readonly ms: number;
  readonly what: What;
}

export class Trace {
  readonly #digest = new Digest();
  readonly #print: ((line: string) => void) | undefined;
  readonly #nowMs: () => number;
  #lines: Line[] = [];
  #count = 0;

  constructor(nowMs: () => number, print?: (line: string) => void) {
    this.#nowMs = nowMs;
    this.#print = print;
  }

  get count(): number {
    return this.#count;
  }

  add(what: string): void {
    this.#digest.text(what);
    this.#keep(what);
  }

  /** Keeps `frame`. */
  addFrame(at: number, frame: Uint8Array): void {
    this.#digest.number(at);
    this.#digest.number(readU32(frame, FRAME_CRC_AT));
    this.#keep({ at, frame });
  }

  /** What is too frequent for a line of its own. */
  note(value: number): void {
    this.#digest.number(value);
  }

  /** The last `count` lines. */
  tail(count: number): readonly string[] {
    return this.#lines.slice(-count).map(wordsOf);
  }

  /** Of all lines so far. */
  digest(): string {
    return this.#digest.hex();
  }

  #keep(what: What): void {
    const line: Line = { ms: this.#nowMs(), what };
    this.#digest.number(line.ms * 1024);
    this.#print?.(wordsOf(line));
    this.#lines.push(line);
    this.#count++;
    if (this.#lines.length >= 2 * KEPT) this.#lines = this.#lines.slice(-KEPT);
  }
}

function wordsOf({ ms, what }: Line): string {
  const words = typeof what === 'string' ? what : `${what.at} ${describeFrame(what.frame)}`;
  return `${ms.toFixed(3)} ${words}`;
}

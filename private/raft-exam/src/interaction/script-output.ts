/** What the directive under way has printed so far. Below the level in force, log lines are left out; at level `NONE` everything but errors is. */

import type { EventLevel } from '@kayadb/raft';

import { CommandError } from '../script/command-error.ts';

const LEVELS = ['DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL', 'NONE'] as const;
const LEVEL_WORDS = { debug: 'DEBUG', info: 'INFO', warning: 'WARN', error: 'ERROR' } as const;

export class ScriptOutput {
  #level = 0;
  #text = '';

  get text(): string {
    return this.#text;
  }

  /** Nothing is printed at all. */
  get isQuiet(): boolean {
    return this.#level === LEVELS.indexOf('NONE');
  }

  clear(): void {
    this.#text = '';
  }

  write(text: string): void {
    if (!this.isQuiet) this.#text += text;
  }

  log(level: EventLevel, line: string): void {
    const word = LEVEL_WORDS[level];
    if (this.#level <= LEVELS.indexOf(word)) this.write(`${word} ${line}\n`);
  }

  /** What `run` prints is moved to the right by two blanks. */
  indented(run: () => void): void {
    const before = this.#text;
    this.#text = '';
    try {
      run();
    } finally {
      const lines = this.#text.replace(/\n$/, '').split('\n');
      this.#text = this.#text === '' ? before : before + lines.map((line) => `  ${line}\n`).join('');
    }
  }

  /** Sets the level in force to the one of that name. @throws CommandError when there is none. */
  setLevel(name: string): void {
    const level = LEVELS.findIndex((known) => known.toLowerCase() === name.toLowerCase());
    if (level < 0) throw new CommandError(`log levels must be either of [${LEVELS.join(' ')}]`);
    this.#level = level;
  }

  /** The level in force is the same after `run` as before. */
  keepingLevel(run: () => void): void {
    const level = this.#level;
    try {
      run();
    } finally {
      this.#level = level;
    }
  }
}

/**
 * A script: directives one after the other, each a command line, lines of input, a line `----`, and what is expected. What is expected ends at
 * a blank line or, where `----` is doubled, at the next doubled `----`. Lines that begin with `#` are comments where a directive may begin.
 */

import { type CommandLine, parseLine } from './parse-line.ts';
import { ScriptError } from './script-error.ts';

export interface Directive extends CommandLine {
  /** Of the command, counted from 1. */
  readonly line: number;
  /** The command line as it is written, continued lines joined. */
  readonly text: string;
  /** Without blanks around it. */
  readonly input: string;
  /** Lines, each with its line feed. */
  readonly expected: string;
}

const SEPARATOR = '----';

/** @throws ScriptError with the line at which `text` is not a script. */
export function parseScript(text: string): readonly Directive[] {
  const lines = new Lines(text);
  const directives: Directive[] = [];
  for (let line = lines.next(); line !== undefined; line = lines.next()) {
    const start = lines.count;
    const joined = joinContinued(line.trim(), lines);
    if (joined.startsWith('#')) continue;
    const { command, args } = parseAt(start, joined);
    if (command === '' || command === 'subtest') continue;
    directives.push({
      line: start,
      text: joined,
      command,
      args,
      input: readInput(lines, start),
      expected: readExpected(lines),
    });
  }
  return directives;
}

/** Lines from the first on; of a text that ends with a line feed, nothing comes after it. */
class Lines {
  readonly #lines: readonly string[];
  /** How many were taken: the number of the last one. */
  count = 0;

  constructor(text: string) {
    const lines = text.split('\n').map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
    this.#lines = lines.at(-1) === '' ? lines.slice(0, -1) : lines;
  }

  next(): string | undefined {
    return this.count < this.#lines.length ? this.#lines[this.count++] : undefined;
  }
}

function joinContinued(first: string, lines: Lines): string {
  let joined = first;
  while (!joined.startsWith('#') && joined.endsWith('\\')) {
    const next = lines.next();
    if (next === undefined) break;
    joined = `${joined.slice(0, -1)} ${next.trim()}`;
  }
  return joined;
}

function parseAt(line: number, text: string): CommandLine {
  try {
    return parseLine(text);
  } catch (error) {
    throw error instanceof ScriptError ? new ScriptError(error.message, line) : error;
  }
}

function readInput(lines: Lines, start: number): string {
  const input: string[] = [];
  for (let line = lines.next(); line !== SEPARATOR; line = lines.next()) {
    if (line === undefined) throw new ScriptError(`the directive has no line ${SEPARATOR} behind it`, start);
    input.push(line);
  }
  return input.join('\n').trim();
}

function readExpected(lines: Lines): string {
  const first = lines.next();
  return first === SEPARATOR ? readToDoubledSeparator(lines) : readToBlank(first, lines);
}

function readToBlank(first: string | undefined, lines: Lines): string {
  let expected = '';
  for (let line = first; line !== undefined && line.trim() !== ''; line = lines.next()) expected += `${line}\n`;
  return expected;
}

function readToDoubledSeparator(lines: Lines): string {
  const start = lines.count;
  const expected: string[] = [];
  for (let line = lines.next(); line !== undefined; line = lines.next()) {
    if (line === SEPARATOR && expected.at(-1) === SEPARATOR) {
      return expected
        .slice(0, -1)
        .map((each) => `${each}\n`)
        .join('');
    }
    expected.push(line);
  }
  throw new ScriptError(`the doubled ${SEPARATOR} is not closed by another one`, start);
}

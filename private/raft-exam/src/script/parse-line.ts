/** A line of a script: a command and its arguments `name`, `name=value` and `name=(value, value)`, where values may hold parentheses that match. */

import { ScriptError } from './script-error.ts';

export interface Argument {
  readonly key: string;
  /** Empty for `name`; a single empty one for `name=`. */
  readonly values: readonly string[];
}

export interface CommandLine {
  /** Empty for a line of blanks. */
  readonly command: string;
  readonly args: readonly Argument[];
}

interface Scan<Value> {
  readonly value: Value;
  readonly rest: string;
}

/** @throws ScriptError when the line is none. */
export function parseLine(line: string): CommandLine {
  const { value: command, rest } = takeUntil(line.trim(), ' ');
  const args: Argument[] = [];
  let remaining = rest.trim();
  while (remaining !== '') {
    const scan = parseArgument(remaining);
    if (scan === undefined) {
      throw new ScriptError(`cannot parse directive at column ${line.trim().length - remaining.length + 1}: ${line}`);
    }
    args.push(scan.value);
    remaining = scan.rest.trim();
  }
  return { command, args };
}

function parseArgument(text: string): Scan<Argument> | undefined {
  const { value: key, rest } = takeUntil(text, ' =');
  if (key === '') return undefined;
  if (!rest.startsWith('=')) return { value: { key, values: [] }, rest };
  if (rest.startsWith('=(')) return parseList(key, rest.slice(2));
  const { value, rest: behind } = takeUntil(rest.slice(1), ' ');
  return { value: { key, values: [value] }, rest: behind };
}

/** Values up to the parenthesis that closes the list, of which `text` follows the one that opened it. */
function parseList(key: string, text: string): Scan<Argument> | undefined {
  const values: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '(') depth++;
    else if (character === ')' && depth > 0) depth--;
    else if (depth === 0 && (character === ',' || character === ')')) {
      values.push(text.slice(start, at).trim());
      start = at + 1;
      if (character === ')') return { value: { key, values }, rest: text.slice(start) };
    }
  }
  return undefined;
}

function takeUntil(text: string, stops: string): Scan<string> {
  let at = 0;
  while (at < text.length && !stops.includes(text[at]!)) at++;
  return { value: text.slice(0, at), rest: text.slice(at) };
}

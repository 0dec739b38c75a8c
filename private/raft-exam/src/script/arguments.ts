/** Arguments as numbers and truth values. Those that make no sense stop a script: it was not written for this language. */

import type { Argument } from './parse-line.ts';
import { ScriptError } from './script-error.ts';

/** @throws ScriptError when `text` is no integer of 0 or more, below 2^53. */
export function toInteger(text: string): number {
  const value = /^\+?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw new ScriptError(`"${text}" is no integer from 0 to 2^53 - 1`);
  return value;
}

/** @throws ScriptError when `text` is no truth value. */
export function toBoolean(text: string): boolean {
  const value = parseBoolean(text);
  if (value === undefined) throw new ScriptError(`"${text}" is no truth value`);
  return value;
}

/** As Go's strconv.ParseBool has it. */
export function parseBoolean(text: string): boolean | undefined {
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text)) return true;
  if (['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(text)) return false;
  return undefined;
}

/** @throws ScriptError when there is no argument at `at`. */
export function argumentAt(args: readonly Argument[], at: number): Argument {
  const argument = args[at];
  if (argument === undefined) throw new ScriptError(`argument ${at + 1} is missing`);
  return argument;
}

/** The only value of `key`. @throws ScriptError when there is not exactly one. */
export function valueOf(args: readonly Argument[], key: string): string {
  const values = args.find((argument) => argument.key === key)?.values ?? [];
  if (values.length !== 1) throw new ScriptError(`argument ${key} must have one value`);
  return values[0]!;
}

/** The values that were given to each key, in their order. */
export function eachValue(args: readonly Argument[]): readonly { readonly key: string; readonly value: string }[] {
  return args.flatMap(({ key, values }) => values.map((value) => ({ key, value })));
}

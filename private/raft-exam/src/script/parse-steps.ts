/** Steps of a membership change as scripts write them: `v1 l2 r3 u4`. */

import type { ConfigStep } from '@kayadb/raft';

import { CommandError } from './command-error.ts';
import { ScriptError } from './script-error.ts';

const KINDS: { readonly [letter: string]: ConfigStep['kind'] | undefined } = {
  v: 'add-voter',
  l: 'add-learner',
  r: 'remove',
  u: 'update',
};

/** @throws CommandError in the words that scripts expect, when `text` is none. */
export function parseSteps(text: string): readonly ConfigStep[] {
  const trimmed = text.trim();
  return trimmed === '' ? [] : trimmed.split(' ').map(parseStep);
}

function parseStep(token: string): ConfigStep {
  if (Buffer.byteLength(token) < 2) throw new CommandError(`unknown token ${token}`);
  const kind = KINDS[token[0]!];
  if (kind === undefined) throw new CommandError(`unknown input: ${token}`);
  return { kind, node: parseUnsigned(token.slice(1)) };
}

/** @throws CommandError in Go's words, when `text` is no unsigned 64-bit integer. */
export function parseUnsigned(text: string): number {
  const failure = `strconv.ParseUint: parsing ${JSON.stringify(text)}`;
  if (!/^\d+$/.test(text)) throw new CommandError(`${failure}: invalid syntax`);
  if (BigInt(text) >= 2n ** 64n) throw new CommandError(`${failure}: value out of range`);
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new ScriptError(`${text} is above what this implementation can count`);
  return value;
}

/**
 * Inputs that once reached something new, in the tree: `corpus/<decoder>/inputs.txt`, a line each, the bytes in hexadecimal and, behind
 * a `#`, what came of them or why they are there. `KAYA_UPDATE_CORPUS=1` writes the files again.
 */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { toHex } from './check-input.ts';
import type { KeptInput } from './fuzz-decoder.ts';

const CORPUS = fileURLToPath(new URL('../../corpus/', import.meta.url));
/** Bound: the corpus is small, so that people read it. */
const MAX_INPUTS = 16;
const MAX_INPUT_BYTES = 900;

/** Whether this run writes the corpus instead of trying it alone. */
export const updatesCorpus: boolean = process.env['KAYA_UPDATE_CORPUS'] === '1';

export function readCorpus(name: string): readonly Uint8Array[] {
  const file = `${CORPUS}${name}/inputs.txt`;
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  return lines.map((line) => Uint8Array.from(Buffer.from(line.slice(0, line.indexOf(' ')), 'hex')));
}

/** Replaces the corpus of a decoder: the shortest inputs. */
export function writeCorpus(name: string, kept: readonly KeptInput[]): void {
  const lines = kept
    .filter(({ input }) => input.length <= MAX_INPUT_BYTES)
    .toSorted((a, b) => a.input.length - b.input.length)
    .slice(0, MAX_INPUTS)
    .map(({ input, behaviour }) => `${toHex(input)} # ${behaviour.replaceAll('\n', ' ')}\n`);
  mkdirSync(`${CORPUS}${name}`, { recursive: true });
  writeFileSync(`${CORPUS}${name}/inputs.txt`, lines.join(''));
}

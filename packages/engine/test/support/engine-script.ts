/**
 * Random programs over the whole public API of the engine, as data: each operation prints as one line, and the same list can be
 * run against any store.
 */

import type { SeededRandom } from '@kayadb/testkit';

export interface ScriptRange {
  readonly gt?: string;
  readonly gte?: string;
  readonly lt?: string;
  readonly lte?: string;
  readonly prefix?: string;
}

export type ScriptWrite =
  | { readonly kind: 'put'; readonly key: string; readonly value: string }
  | { readonly kind: 'delete'; readonly key: string }
  | { readonly kind: 'delete-range'; readonly range: ScriptRange };

export type ScriptOp =
  | ScriptWrite
  | { readonly kind: 'batch'; readonly writes: readonly ScriptWrite[] }
  /** Expects what the key holds, or something else. */
  | { readonly kind: 'compare'; readonly key: string; readonly isMet: boolean; readonly writes: readonly ScriptWrite[] }
  | { readonly kind: 'get'; readonly keys: readonly string[]; readonly snapshot: number }
  | {
      readonly kind: 'scan';
      readonly want: 'rows' | 'keys' | 'values';
      readonly range: ScriptRange;
      readonly reverse: boolean;
      readonly limit: number;
      readonly limitBytes: number;
      readonly batch: number;
      readonly seek: string | undefined;
      readonly snapshot: number;
    }
  | { readonly kind: 'snapshot' }
  | { readonly kind: 'release' }
  | { readonly kind: 'flush' }
  | { readonly kind: 'compact'; readonly range: ScriptRange }
  | { readonly kind: 'verify' }
  | { readonly kind: 'reopen' };

/** `scan {"want":"rows",...}`: enough to see and to paste. */
export function printScriptOp({ kind, ...rest }: ScriptOp): string {
  return `${kind} ${JSON.stringify(rest)}`;
}

/** Keys that collide often, with common prefixes, prefixes of each other and edges of the byte order. */
const KEYS = Array.from({ length: 90 }, (_, i) => `user:${String(i * 7).padStart(4, '0')}`).concat(
  ['a', 'ab', 'abc', 'b', 'user', 'user:', 'user:0', '\u0000', '\u0001\u0000', 'z', 'zz', '\u00ff', 'é', '鍵'],
  `long:${'k'.repeat(700)}`,
);

export function randomScript(random: SeededRandom, count: number): ScriptOp[] {
  return Array.from({ length: count }, (_, index) => randomOp(random, index));
}

function randomOp(random: SeededRandom, index: number): ScriptOp {
  const roll = random.int(1000);
  if (roll < 430) return randomWrite(random, index, 0.02);
  if (roll < 560) return { kind: 'batch', writes: randomWrites(random, index, 30) };
  if (roll < 600) {
    const writes = randomWrites(random, index, 4);
    return { kind: 'compare', key: random.pick(KEYS), isMet: random.chance(0.6), writes };
  }
  if (roll < 760) return { kind: 'get', keys: randomKeys(random), snapshot: random.int(4) };
  if (roll < 930) return randomScan(random);
  if (roll < 945) return { kind: 'snapshot' };
  if (roll < 960) return { kind: 'release' };
  if (roll < 985) return { kind: 'flush' };
  if (roll < 990) return { kind: 'compact', range: randomRange(random) };
  if (roll < 992) return { kind: 'verify' };
  return { kind: 'reopen' };
}

function randomWrites(random: SeededRandom, index: number, most: number): ScriptWrite[] {
  return Array.from({ length: random.int(most) }, (_, i) => randomWrite(random, index * 100 + i, 0.01));
}

function randomWrite(random: SeededRandom, index: number, rangeChance: number): ScriptWrite {
  if (random.chance(rangeChance)) return { kind: 'delete-range', range: randomRange(random) };
  const key = random.pick(KEYS);
  if (random.chance(0.25)) return { kind: 'delete', key };
  const long = random.chance(0.04) ? 3000 : 60;
  return { kind: 'put', key, value: `v${index}é`.padEnd(random.int(long), '.') };
}

function randomKeys(random: SeededRandom): string[] {
  return Array.from({ length: 1 + random.int(random.chance(0.2) ? 50 : 3) }, () => random.pick(KEYS));
}

function randomRange(random: SeededRandom): ScriptRange {
  if (random.chance(0.15)) return { prefix: random.pick(['user:', 'user:00', 'a', 'none']) };
  const [from, to] = [random.pick(KEYS), random.pick(KEYS)].toSorted((a, b) => (a < b ? -1 : 1));
  return {
    ...random.pick([{}, { gt: from! }, { gte: from! }]),
    ...random.pick([{}, { lt: to! }, { lte: to! }]),
  };
}

function randomScan(random: SeededRandom): ScriptOp {
  return {
    kind: 'scan',
    want: random.pick(['rows', 'rows', 'keys', 'values'] as const),
    range: randomRange(random),
    reverse: random.chance(0.4),
    limit: random.chance(0.3) ? random.int(12) : Infinity,
    limitBytes: random.chance(0.2) ? 1 + random.int(400) : Infinity,
    batch: random.pick([0, 1, 2, 7, 1000]),
    seek: random.chance(0.2) ? random.pick(KEYS) : undefined,
    snapshot: random.int(4),
  };
}

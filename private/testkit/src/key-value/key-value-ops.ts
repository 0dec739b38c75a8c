/**
 * Random runs as data: an operation is a plain object of short texts that prints as one line and reads back, so that a
 * failing run can be pasted into a regression test.
 *
 * Keys and values are written as printable ASCII, any other byte as `\xNN`, the empty string as `""`; a value may end
 * in `*N`, which repeats what stands before it N times.
 */

import type { SeededRandom } from '../seeded-random.ts';
import type { KeyValueCapabilities, KeyValueScanOptions, KeyValueWrite } from './key-value-store.ts';

export type KeyValueWriteOp =
  | { readonly kind: 'put'; readonly key: string; readonly value: string }
  | { readonly kind: 'delete'; readonly key: string };

export type KeyValueOp =
  | KeyValueWriteOp
  | { readonly kind: 'get'; readonly key: string }
  | { readonly kind: 'batch'; readonly writes: readonly KeyValueWriteOp[] }
  | { readonly kind: 'delete-range'; readonly from: string; readonly to: string }
  | { readonly kind: 'scan'; readonly options: KeyValueScanText }
  | { readonly kind: 'flush' }
  | { readonly kind: 'reopen' };

/** Scan options in text form. */
export interface KeyValueScanText {
  readonly gt?: string;
  readonly gte?: string;
  readonly lt?: string;
  readonly lte?: string;
  readonly prefix?: string;
  readonly reverse?: true;
  readonly limit?: number;
}

const BOUNDS = ['gt', 'gte', 'lt', 'lte', 'prefix'] as const;

/** One line: `put a 1`, `batch put a 1; delete b`, `scan gte=a lt=c reverse limit=2`. */
export function printOp(op: KeyValueOp): string {
  if (op.kind === 'batch') return `batch ${op.writes.map(printOp).join('; ')}`.trimEnd();
  if (op.kind === 'scan') return ['scan', ...printScan(op.options)].join(' ');
  if (op.kind === 'delete-range') return `delete-range ${op.from} ${op.to}`;
  if (op.kind === 'put') return `put ${op.key} ${op.value}`;
  return 'key' in op ? `${op.kind} ${op.key}` : op.kind;
}

function printScan(options: KeyValueScanText): string[] {
  const words = BOUNDS.flatMap((name) => (options[name] === undefined ? [] : [`${name}=${options[name]}`]));
  if (options.reverse === true) words.push('reverse');
  if (options.limit !== undefined) words.push(`limit=${options.limit}`);
  return words;
}

/** Reads what `printOp` wrote. @throws SyntaxError naming the line otherwise. */
export function parseOp(line: string): KeyValueOp {
  const [kind, ...words] = line.trim().split(' ');
  const [first, second] = words;
  if (kind === 'put' && first !== undefined && second !== undefined) return { kind, key: first, value: second };
  if (kind === 'delete-range' && first !== undefined && second !== undefined) return { kind, from: first, to: second };
  if ((kind === 'get' || kind === 'delete') && first !== undefined) return { kind, key: first };
  if (kind === 'flush' || kind === 'reopen') return { kind };
  if (kind === 'scan') return { kind, options: parseScan(words, line) };
  if (kind === 'batch') {
    const parts = words.join(' ').split(';');
    const writes = parts.filter((part) => part.trim() !== '').map((part) => parseOp(part));
    if (writes.every((write) => write.kind === 'put' || write.kind === 'delete')) return { kind, writes };
  }
  throw new SyntaxError(`not an operation: "${line}"`);
}

function parseScan(words: readonly string[], line: string): KeyValueScanText {
  const options: { -readonly [Name in keyof KeyValueScanText]: KeyValueScanText[Name] } = {};
  for (const word of words) {
    const equals = word.indexOf('=');
    const name = equals < 0 ? word : word.slice(0, equals);
    const bound = BOUNDS.find((candidate) => candidate === name);
    if (bound !== undefined) options[bound] = word.slice(equals + 1);
    else if (name === 'reverse') options.reverse = true;
    else if (name === 'limit') options.limit = Number(word.slice(equals + 1));
    else throw new SyntaxError(`not a scan option: "${word}" in "${line}"`);
  }
  return options;
}

/** The bytes that a key or value text stands for. */
export function textToBytes(text: string): Uint8Array {
  if (text === '""') return new Uint8Array(0);
  const [, once = text, times] = /^(.*)\*(\d+)$/.exec(text) ?? [];
  const bytes = once.replaceAll(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Uint8Array.from(Buffer.from(bytes.repeat(times === undefined ? 1 : Number(times)), 'latin1'));
}

export function toWrite(op: KeyValueWriteOp): KeyValueWrite {
  const key = textToBytes(op.key);
  return op.kind === 'put' ? { kind: 'put', key, value: textToBytes(op.value) } : { kind: 'delete', key };
}

export function toScanOptions(text: KeyValueScanText): KeyValueScanOptions {
  const { gt, gte, lt, lte, prefix, reverse, limit } = text;
  return {
    ...(gt === undefined ? {} : { gt: textToBytes(gt) }),
    ...(gte === undefined ? {} : { gte: textToBytes(gte) }),
    ...(lt === undefined ? {} : { lt: textToBytes(lt) }),
    ...(lte === undefined ? {} : { lte: textToBytes(lte) }),
    ...(prefix === undefined ? {} : { prefix: textToBytes(prefix) }),
    ...(reverse === undefined ? {} : { reverse }),
    ...(limit === undefined ? {} : { limit }),
  };
}

/** What a random run may contain besides puts, gets and deletes. */
export interface RandomOpsOptions extends Pick<KeyValueCapabilities, 'ranges'> {
  readonly flush: boolean;
  readonly reopen: boolean;
  readonly deleteRange: boolean;
}

/** Few keys, some a prefix of others, some with the highest bytes: collisions and edges are where stores go wrong. */
const KEYS = [
  'a',
  'aa',
  'ab',
  'abc',
  'b',
  'b\\x00',
  'b\\x01',
  'c',
  'k1',
  'k10',
  'k2',
  '\\x00',
  '\\x7f',
  '\\x80',
  '\\xff',
  '\\xff\\xff',
];

/** `count` operations drawn from `random`. Every put has a value of its own, so that a stale one is noticed. */
export function randomOps(random: SeededRandom, count: number, options: RandomOpsOptions): KeyValueOp[] {
  return Array.from({ length: count }, (_, index) => randomOp(random, index, options));
}

function randomOp(random: SeededRandom, index: number, options: RandomOpsOptions): KeyValueOp {
  const roll = random.int(100);
  if (roll < 60) return randomWrite(random, `v${index}`);
  if (roll < 75) return { kind: 'get', key: random.pick(KEYS) };
  if (roll < 83) {
    const writes = Array.from({ length: random.int(5) }, (_, i) => randomWrite(random, `v${index}.${i}`));
    return { kind: 'batch', writes };
  }
  if (roll < 86 && options.deleteRange) return { kind: 'delete-range', from: random.pick(KEYS), to: random.pick(KEYS) };
  if (roll < 95)
    return {
      kind: 'scan',
      options: options.ranges ? randomRange(random) : { prefix: random.pick(['""', 'a', 'b', 'k1', '\\xff']) },
    };
  if (roll < 98 && options.flush) return { kind: 'flush' };
  if (roll >= 98 && options.reopen) return { kind: 'reopen' };
  return { kind: 'get', key: random.pick(KEYS) };
}

function randomWrite(random: SeededRandom, name: string): KeyValueWriteOp {
  const key = random.pick(KEYS);
  if (random.chance(0.3)) return { kind: 'delete', key };
  return { kind: 'put', key, value: random.chance(0.1) ? `${name}*${random.int(2000)}` : name };
}

function randomRange(random: SeededRandom): KeyValueScanText {
  const from = random.pick(KEYS);
  const to = random.pick(KEYS);
  return {
    ...random.pick([{}, { gt: from }, { gte: from }]),
    ...random.pick([{}, { lt: to }, { lte: to }]),
    ...(random.chance(0.4) ? { reverse: true } : {}),
    ...(random.chance(0.4) ? { limit: 1 + random.int(6) } : {}),
  };
}

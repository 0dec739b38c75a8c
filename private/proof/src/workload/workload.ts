/**
 * A random program for a store, as data: what the proofs record, crash and fail. Everything in it comes from one seed, so that it
 * prints, replays and shrinks.
 */

import { assertNever } from '@kayadb/codec';
import type { BatchOperation } from '@kayadb/engine';
import type { SeededRandom } from '@kayadb/testkit';

/** A write; `undefined` deletes the key. */
export interface WorkloadWrite {
  readonly key: string;
  readonly value: string | undefined;
}

export type WorkloadOp =
  | { readonly kind: 'put'; readonly key: string; readonly value: string }
  | { readonly kind: 'delete'; readonly key: string }
  /** Removes the keys that start with `prefix`. */
  | { readonly kind: 'delete-range'; readonly prefix: string }
  /** First the range, if there is one, then the writes, all or none. */
  | { readonly kind: 'batch'; readonly prefix: string | undefined; readonly writes: readonly WorkloadWrite[] }
  | { readonly kind: 'flush' }
  | { readonly kind: 'compact' }
  /** Makes `/checkpoints/<name>`. */
  | { readonly kind: 'checkpoint'; readonly name: string }
  | { readonly kind: 'reopen' };

export type WorkloadWriteOp = Extract<WorkloadOp, { readonly kind: 'put' | 'delete' | 'delete-range' | 'batch' }>;

/** What a store holds. */
export type Content = ReadonlyMap<string, string>;

/** How many operations of a kind there are among a thousand; the rest are puts. */
const SHARES = {
  delete: 120,
  'delete-range': 25,
  batch: 250,
  flush: 20,
  compact: 6,
  checkpoint: 4,
  reopen: 12,
} as const;
/** Come first, after so many other operations each, so that a short workload meets every kind. */
const EARLY_TASKS = ['flush', 'checkpoint', 'compact', 'reopen', 'checkpoint'] as const;
const OPS_PER_EARLY_TASK = 30;
/** Bound: checkpoints pin tables, and are checked after each crash. */
const MAX_CHECKPOINTS = 6;
/** Bound: what is printed of an operation; the seed has the rest. */
const MAX_PRINTED = 120;
/** All that a workload writes to. */
export const WORKLOAD_KEYS: readonly string[] = Array.from({ length: 30 }, (_, i) => `k${i}`);

/** `put {"key":...`: enough to see what it does. */
export function printWorkloadOp({ kind, ...rest }: WorkloadOp): string {
  const text = JSON.stringify(rest);
  return text === '{}' ? kind : `${kind} ${text.slice(0, MAX_PRINTED)}`;
}

/** @param count - Operations; every kind is there from 200 on. */
export function randomWorkload(random: SeededRandom, count: number): readonly WorkloadOp[] {
  let checkpoints = 0;
  return Array.from({ length: count }, (_, i): WorkloadOp => {
    const kind = earlyTask(i) ?? randomKind(random);
    switch (kind) {
      case 'put':
        return { kind, key: randomKey(random), value: randomValue(random, i) };
      case 'delete':
        return { kind, key: randomKey(random) };
      case 'delete-range':
        return { kind, prefix: randomPrefix(random) };
      case 'batch':
        return {
          kind,
          prefix: random.chance(0.1) ? randomPrefix(random) : undefined,
          writes: Array.from({ length: 1 + random.int(4) }, () => ({
            key: randomKey(random),
            value: random.chance(0.25) ? undefined : randomValue(random, i),
          })),
        };
      case 'checkpoint':
        return checkpoints < MAX_CHECKPOINTS ? { kind, name: `c${checkpoints++}` } : { kind: 'flush' };
      case 'flush':
      case 'compact':
      case 'reopen':
        return { kind };
      default:
        return assertNever(kind, 'kind of operation');
    }
  });
}

export function isWrite(op: WorkloadOp): op is WorkloadWriteOp {
  return op.kind === 'put' || op.kind === 'delete' || op.kind === 'delete-range' || op.kind === 'batch';
}

/** The write as the engine's `batch` takes it. */
export function toOperations(op: WorkloadWriteOp): readonly BatchOperation[] {
  switch (op.kind) {
    case 'put':
    case 'delete':
      return [op];
    case 'delete-range':
      return [{ kind: 'delete-range', range: { prefix: op.prefix } }];
    case 'batch': {
      const writes = op.writes.map(({ key, value }): BatchOperation =>
        value === undefined ? { kind: 'delete', key } : { kind: 'put', key, value },
      );
      return op.prefix === undefined ? writes : [{ kind: 'delete-range', range: { prefix: op.prefix } }, ...writes];
    }
    default:
      return assertNever(op, 'write');
  }
}

/** What a store that holds `content` holds after the write. */
export function applyWrite(content: Content, op: WorkloadWriteOp): Content {
  const next = new Map(content);
  for (const operation of toOperations(op)) {
    if (operation.kind === 'put') next.set(operation.key as string, operation.value as string);
    else if (operation.kind === 'delete') next.delete(operation.key as string);
    else for (const key of next.keys()) if (key.startsWith(operation.range.prefix as string)) next.delete(key);
  }
  return next;
}

export function sameContent(a: Content, b: Content): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value);
}

function earlyTask(index: number): (typeof EARLY_TASKS)[number] | undefined {
  return index % OPS_PER_EARLY_TASK === OPS_PER_EARLY_TASK - 1
    ? EARLY_TASKS[(index + 1) / OPS_PER_EARLY_TASK - 1]
    : undefined;
}

function randomKind(random: SeededRandom): WorkloadOp['kind'] {
  let roll = random.int(1000);
  for (const [kind, share] of Object.entries(SHARES)) {
    if (roll < share) return kind as keyof typeof SHARES;
    roll -= share;
  }
  return 'put';
}

function randomKey(random: SeededRandom): string {
  return random.pick(WORKLOAD_KEYS);
}

/** Covers one key or a third of them. */
function randomPrefix(random: SeededRandom): string {
  return random.chance(0.5) ? `k${random.int(3)}` : randomKey(random);
}

/** Unlike every other value, so that a content tells which writes are in it. */
function randomValue(random: SeededRandom, index: number): string {
  return `${index}:${'x'.repeat(random.int(random.chance(0.03) ? 3000 : 120))}`;
}

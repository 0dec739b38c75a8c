/**
 * Programs with every kind of operation of the engine, as data. The short one comes in chapters, each of which is run again for every call
 * that it makes to the disk.
 */

import type { BatchOperation } from '@kayadb/engine';
import type { SeededRandom } from '@kayadb/testkit';

import { randomWorkload, type WorkloadOp, type WorkloadWriteOp } from '../workload/workload.ts';
import type { ReadKind } from './fault-reads.ts';

export type FaultOp =
  | WorkloadOp
  /** As a batch of `write`, under a condition that holds or does not. */
  | { readonly kind: 'compare'; readonly isMet: boolean; readonly write: WorkloadWriteOp }
  /** Makes `/copies/<name>`. */
  | { readonly kind: 'backup'; readonly name: string }
  /** Checks the backup `from`, and makes `/copies/<name>` of it. */
  | { readonly kind: 'restore'; readonly name: string; readonly from: string }
  /** Snapshots and cursors: takes the next one; the one before is read to its end. */
  | { readonly kind: ReadKind }
  /** Another process tries to open the store, which is refused. */
  | { readonly kind: 'second-open' }
  /** Deletes so many ranges in which no key is, with long bounds: the manifest grows with each. Not with an external log. */
  | { readonly kind: 'empty-ranges'; readonly count: number }
  /** Time for whoever waits for it. */
  | { readonly kind: 'pause'; readonly ms: number };

export interface Chapter {
  readonly name: string;
  /** How the process before has left the store. */
  readonly begins: 'crashed' | 'closed';
  readonly program: readonly FaultOp[];
}

const OPENING: readonly FaultOp[] = [{ kind: 'gets' }, { kind: 'put', key: 'k1', value: 'a'.repeat(100) }];

const WORKING: readonly FaultOp[] = [
  { kind: 'put', key: 'k1', value: 'a'.repeat(300) },
  {
    kind: 'batch',
    prefix: 'k2',
    writes: [
      { key: 'k21', value: 'b'.repeat(200) },
      { key: 'k3', value: undefined },
    ],
  },
  { kind: 'compare', isMet: true, write: { kind: 'put', key: 'k4', value: 'c'.repeat(300) } },
  { kind: 'snapshot' },
  { kind: 'delete', key: 'k1' },
  { kind: 'pause', ms: 100 },
  { kind: 'put', key: 'k5', value: 'd'.repeat(700) },
  { kind: 'put', key: 'k6', value: 'e'.repeat(700) },
  { kind: 'compare', isMet: false, write: { kind: 'put', key: 'k4', value: 'never' } },
  { kind: 'flush' },
  { kind: 'scan' },
  { kind: 'delete-range', prefix: 'k5' },
  { kind: 'snapshot' },
  { kind: 'put', key: 'k6', value: 'f'.repeat(100) },
  { kind: 'cursor' },
  { kind: 'pause', ms: 100 },
  { kind: 'compact' },
  { kind: 'snapshot' },
  { kind: 'cursor' },
  { kind: 'size' },
  { kind: 'reverse-scan' },
  { kind: 'gets' },
  { kind: 'verify' },
  { kind: 'put', key: 'k8', value: 'g'.repeat(100) },
  { kind: 'reopen' },
  { kind: 'put', key: 'k9', value: 'h'.repeat(100) },
  { kind: 'gets' },
];

const COPYING: readonly FaultOp[] = [
  { kind: 'put', key: 'k1', value: 'a'.repeat(100) },
  { kind: 'checkpoint', name: 'checkpoint' },
  { kind: 'put', key: 'k2', value: 'b'.repeat(100) },
  { kind: 'backup', name: 'backup' },
  { kind: 'put', key: 'k3', value: 'c'.repeat(100) },
  { kind: 'restore', name: 'restored', from: 'backup' },
  { kind: 'gets' },
];

/** One workload: reaches every call site in few calls. */
export const CHAPTERS: readonly Chapter[] = [
  { name: 'opening', begins: 'crashed', program: OPENING },
  { name: 'working', begins: 'closed', program: WORKING },
  { name: 'copying', begins: 'closed', program: COPYING },
];

/** Grows the manifest until a fresh one takes its place. Needs memtables that hold it. */
export const REPLACING: Chapter = {
  name: 'replacing',
  begins: 'closed',
  program: [
    { kind: 'put', key: 'k1', value: 'a' },
    { kind: 'empty-ranges', count: 300 },
    { kind: 'flush' },
    { kind: 'empty-ranges', count: 300 },
    { kind: 'flush' },
    { kind: 'put', key: 'k2', value: 'b' },
    { kind: 'gets' },
  ],
};

/** The ranges of `empty-ranges`: between k1 and k2, where every table reaches and no key is. */
export function emptyRanges(count: number): readonly BatchOperation[] {
  const long = 'x'.repeat(4000);
  return Array.from({ length: count }, (_, i): BatchOperation => {
    const start = `k1!${String(i).padStart(4, '0')}`;
    return { kind: 'delete-range', range: { gte: `${start}a${long}`, lt: `${start}b${long}` } };
  });
}

/** A workload in one chapter. Ends with what the workload of the other proofs does not have. */
export function randomChapter(random: SeededRandom, count: number): Chapter {
  const between: readonly FaultOp[] = [
    { kind: 'scan' },
    { kind: 'gets' },
    { kind: 'snapshot' },
    { kind: 'cursor' },
    { kind: 'verify' },
    { kind: 'reverse-scan' },
    { kind: 'pause', ms: 100 },
  ];
  const program: FaultOp[] = [];
  for (const op of randomWorkload(random, count)) {
    const isMet = random.chance(0.7);
    if (op.kind === 'put' && random.chance(0.15)) program.push({ kind: 'compare', isMet, write: op });
    else program.push(op);
    if (random.chance(0.1)) program.push(random.pick(between));
  }
  program.push(
    { kind: 'compact' },
    { kind: 'checkpoint', name: 'last' },
    { kind: 'backup', name: 'backup' },
    { kind: 'restore', name: 'restored', from: 'backup' },
  );
  return { name: `seed ${random.seed}`, begins: 'crashed', program };
}

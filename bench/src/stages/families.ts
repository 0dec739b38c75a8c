/**
 * Families of workloads that share a store. Each family has a fresh folder; each of its stages has a process of its own in a
 * full run, so that no engine suffers from the code and the heap of what was measured before.
 */

import type { MetricId } from '../metrics.ts';
import { coldReads } from './cold-reads.ts';
import { fillLarge } from './fill-large.ts';
import { fillRandom } from './fill-random.ts';
import { fillSequential } from './fill-sequential.ts';
import { latency } from './latency.ts';
import { loadLong } from './load-long.ts';
import { memory } from './memory.ts';
import { prepareReads } from './prepare-reads.ts';
import { puts } from './puts.ts';
import { reads } from './reads.ts';
import type { Stage } from './stage.ts';
import { strictPuts } from './strict-puts.ts';

export interface Family {
  readonly name: string;
  readonly metrics: readonly MetricId[];
  readonly stages: Readonly<Record<string, Stage>>;
  /** Takes minutes, and is left out unless asked for. */
  readonly long?: true;
}

/** Memory comes first: a process that has measured other things starts with a large heap. */
export const FAMILIES: readonly Family[] = [
  { name: 'memory', metrics: ['memory'], stages: { memory } },
  { name: 'fillseq', metrics: ['fillseq'], stages: { fillSequential } },
  { name: 'fillrandom-1k', metrics: ['fillrandom-1k'], stages: { fillLarge } },
  {
    name: 'fillrandom',
    metrics: ['fillrandom', 'overwrite', 'write-amplification', 'disk-bytes'],
    stages: { fillRandom },
  },
  { name: 'puts', metrics: ['put-awaited', 'put-in-flight', 'put-sync'], stages: { puts } },
  { name: 'strict-puts', metrics: ['strict-put-1', 'strict-put-64', 'strict-put-sync'], stages: { strictPuts } },
  {
    name: 'reads',
    metrics: [
      'open',
      'get-hit',
      'get-missing',
      'scan-buffers',
      'scan-strings',
      'scan-for-await',
      'get-larger',
      'get-cold',
    ],
    stages: { prepareReads, reads, coldReads },
  },
  { name: 'latency', metrics: ['get-p99-idle', 'get-p99-compacting'], stages: { latency } },
  {
    name: 'load-long',
    metrics: ['load-long', 'load-tenths', 'load-p999', 'load-pause'],
    stages: { loadLong },
    long: true,
  },
];

/** @throws RangeError when there is no such family. */
export function familyOf(name: string): Family {
  const family = FAMILIES.find((one) => one.name === name);
  if (family === undefined) throw new RangeError(`there is no family of workloads ${name}`);
  return family;
}

/**
 * @param words - Names of families or metrics; none for all.
 * @param long - Whether the long ones are among all.
 * @throws RangeError for a word that names neither.
 */
export function chooseFamilies(words: readonly string[], long: boolean): readonly Family[] {
  if (words.length === 0) return FAMILIES.filter((family) => long || family.long !== true);
  const unknown = words.find((word) => !FAMILIES.some((family) => isNamed(family, word)));
  if (unknown !== undefined) {
    const known = FAMILIES.flatMap(({ name, metrics }) => [name, ...metrics]);
    throw new RangeError(`there is no workload ${unknown}; there are ${[...new Set(known)].join(', ')}`);
  }
  return FAMILIES.filter((family) => words.some((word) => isNamed(family, word)));
}

function isNamed({ name, metrics }: Family, word: string): boolean {
  return name === word || metrics.includes(word);
}

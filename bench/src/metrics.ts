/** Everything that is measured: its name, its unit, and what ours must reach over each peer. */

import type { PeerName } from './engines/engine-name.ts';

export type Unit = 'ops/s' | 'rows/s' | 'entries/s' | 'bytes' | 'ms' | 'us' | 'ratio';

export interface Metric {
  /** In the words of LevelDB's db_bench where it has them. */
  readonly id: string;
  readonly title: string;
  readonly unit: Unit;
  readonly better: 'higher' | 'lower';
  /** Least ratio of our median over the peer's; for rates only. */
  readonly targets: Readonly<Partial<Record<PeerName, number>>>;
}

const rate = (
  id: string,
  title: string,
  unit: Unit,
  targets: readonly [classicLevel?: number, lmdb?: number, rocksdb?: number] = [],
): Metric => ({
  id,
  title,
  unit,
  better: 'higher',
  targets: {
    ...(targets[0] === undefined ? {} : { 'classic-level': targets[0] }),
    ...(targets[1] === undefined ? {} : { lmdb: targets[1] }),
    ...(targets[2] === undefined ? {} : { rocksdb: targets[2] }),
  },
});

const cost = (id: string, title: string, unit: Unit): Metric => ({ id, title, unit, better: 'lower', targets: {} });

/** Compared as ratios, ours over the peer's. */
export const RATES: readonly Metric[] = [
  rate('fillseq', 'fillseq, batches of 1000, no fsync', 'entries/s', [1.6, 1.1, 1.5]),
  rate('fillrandom-1k', 'fillrandom, 1 KiB values, batches of 100', 'entries/s', [1.3, 1.5, 1.3]),
  rate('fillrandom', 'fillrandom, batches of 1000, no fsync', 'entries/s', [1.8, 7, 3.5]),
  rate('overwrite', 'overwrite, batches of 1000', 'entries/s', [1.4, 5.5, 2.8]),
  rate('put-awaited', 'put, awaited one by one, no fsync', 'ops/s', [12, 15, 12]),
  rate('put-in-flight', 'put, 256 in flight, no fsync', 'ops/s', [6, 4.5, 6]),
  rate('put-sync', "put in the caller's turn, no fsync", 'ops/s'),
  rate('strict-put-1', 'strict put, 1 writer', 'ops/s', [1, 1.5, 1]),
  rate('strict-put-64', 'strict put, 64 concurrent writers', 'ops/s', [13, 2.5, 15]),
  rate('strict-put-sync', "strict put in the caller's turn", 'ops/s'),
  rate('get-hit', 'get hit, uniform, cached', 'ops/s', [2.5, 1.7, 15]),
  rate('get-missing', 'get missing', 'ops/s', [6, 7, 50]),
  rate('scan-buffers', 'full scan, batched, copied Buffers', 'rows/s', [3, 1.8, 4]),
  rate('scan-strings', 'full scan, batched, strings', 'rows/s', [2, 1.2]),
  rate('scan-for-await', 'full scan, for await', 'rows/s', [5, 2, 4]),
  rate('get-larger', 'gets, data four times the cache, page cache warm', 'ops/s', [1.2, 0.8, 1.5]),
  rate('get-cold', 'gets after dropping the page cache, 64 in flight', 'ops/s', [0.9, 0.9]),
  rate('load-long', '20 million random entries, until compaction has settled', 'entries/s', [1.3, 5, 1]),
];

/** Compared as they are; `checks.ts` says with what. */
export const COSTS: readonly Metric[] = [
  cost('disk-bytes', 'bytes on disk after compaction', 'bytes'),
  cost('write-amplification', 'bytes written per byte put, fillrandom', 'ratio'),
  cost('get-p99-idle', 'p99 of a cached get, idle', 'us'),
  cost('get-p99-compacting', 'p99 of a cached get while a compaction runs', 'us'),
  cost('open', 'opening after a clean close', 'ms'),
  cost('memory', 'memory while loading ten times the budget, over the budget', 'ratio'),
  cost('load-tenths', 'fastest over slowest tenth of the long load', 'ratio'),
  cost('load-p999', 'p99.9 of a batch in the long load', 'ms'),
  cost('load-pause', 'longest batch in the long load', 'ms'),
];

export const METRICS: readonly Metric[] = [...RATES, ...COSTS];

export type MetricId = string;

export function metricOf(id: MetricId): Metric {
  const metric = METRICS.find((one) => one.id === id);
  if (metric === undefined) throw new RangeError(`there is no metric ${id}`);
  return metric;
}

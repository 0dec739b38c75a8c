/** How long each kind of work took, worked out of the totals in a STATS document. */

import { counterOf, engineCounters } from './stats-text.ts';
import type { StatsDocument } from './store/store.ts';

export interface Latency {
  readonly count: number;
  /** Mean, in microseconds; 0 when it never happened. */
  readonly mean_us: number;
  readonly max_us: number;
}

/** Name of the work and of its times, and counters that may hold how much of it was timed: the first that is there does. */
const KINDS: readonly (readonly [string, ...string[]])[] = [
  // Only gets that waited for the disk are timed, where they are counted apart.
  ['get', 'cold_get_count', 'get_count'],
  ['scan', 'scan_count'],
  ['wal_fsync', 'wal_fsync_count'],
  ['flush', 'flush_count'],
  ['compaction', 'compaction_count'],
];

/** Kinds that the server does not report are left out. */
export function readLatencies(document: StatsDocument): Readonly<Record<string, Latency>> {
  const counters = engineCounters(document);
  const result: Record<string, Latency> = {};
  for (const [kind, ...countNames] of KINDS) {
    const count = countNames.map((name) => counterOf(counters, name)).find((found) => found !== undefined);
    const total = counterOf(counters, `${kind}_total_us`);
    if (count === undefined || total === undefined) continue;
    const mean = count === 0 ? 0 : Math.round(total / count);
    result[kind] = { count, mean_us: mean, max_us: counterOf(counters, `${kind}_max_us`) ?? 0 };
  }
  return result;
}

export function describeLatencies(latencies: Readonly<Record<string, Latency>>): string {
  const lines = Object.entries(latencies).map(
    ([kind, { count, mean_us: mean, max_us: max }]) =>
      `${kind.padEnd(12)}count=${count} mean=${describeMicroseconds(mean)} max=${describeMicroseconds(max)}`,
  );
  return lines.length === 0 ? 'the server reports no latencies' : lines.join('\n');
}

function describeMicroseconds(us: number): string {
  return us < 10_000 ? `${Math.round(us)}us` : `${(us / 1000).toFixed(1)}ms`;
}

/** How long each kind of work took, worked out of the totals in a STATS document. */

import { counterOf, engineCounters } from './stats-text.ts';
import type { StatsDocument } from './store/store.ts';

export interface Latency {
  readonly count: number;
  /** Mean, in microseconds; 0 when it never happened. */
  readonly mean_us: number;
  readonly max_us: number;
}

/** Name of the work, and of the counters that hold its count and times. */
const KINDS = [
  ['get', 'get_count', 'get'],
  ['scan', 'scan_count', 'scan'],
  ['wal_fsync', 'wal_fsync_count', 'wal_fsync'],
  ['flush', 'flush_count', 'flush'],
  ['compaction', 'compaction_count', 'compaction'],
] as const;

/** Kinds that the server does not report are left out. */
export function readLatencies(document: StatsDocument): Readonly<Record<string, Latency>> {
  const counters = engineCounters(document);
  const result: Record<string, Latency> = {};
  for (const [kind, countName, times] of KINDS) {
    const count = counterOf(counters, countName);
    const total = counterOf(counters, `${times}_total_us`);
    if (count === undefined || total === undefined) continue;
    const mean = count === 0 ? 0 : Math.round(total / count);
    result[kind] = { count, mean_us: mean, max_us: counterOf(counters, `${times}_max_us`) ?? 0 };
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

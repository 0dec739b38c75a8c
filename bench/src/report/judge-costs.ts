/** Whether what ours costs stays within its limits, some of which are what a peer costs; pure. */

import { OURS } from '../engines/engine-name.ts';
import type { MetricId } from '../metrics.ts';
import { type Verdict, verdictOf } from './judge-rates.ts';
import type { Summaries } from './statistics.ts';

interface Limit {
  readonly metric: MetricId;
  readonly words: string;
  /** @returns The most that our median may be; `undefined` when what it depends on was not measured. */
  readonly most: (
    medianOf: (metric: MetricId, engine: 'kayadb' | 'classic-level') => number | undefined,
  ) => number | undefined;
}

export interface CostJudgement {
  readonly metric: MetricId;
  readonly limit: string;
  readonly ours: number;
  readonly most: number | undefined;
  readonly verdict: Verdict | undefined;
}

const LIMITS: readonly Limit[] = [
  {
    metric: 'disk-bytes',
    words: "1.05 of classic-level's",
    most: (medianOf) => times(medianOf('disk-bytes', 'classic-level'), 1.05),
  },
  {
    metric: 'write-amplification',
    words: "classic-level's",
    most: (medianOf) => medianOf('write-amplification', 'classic-level'),
  },
  {
    metric: 'get-p99-compacting',
    words: 'twice idle',
    most: (medianOf) => times(medianOf('get-p99-idle', OURS), 2),
  },
  { metric: 'open', words: '100 ms', most: () => 100 },
  { metric: 'memory', words: '1.2 of the budget', most: () => 1.2 },
  { metric: 'load-tenths', words: '2', most: () => 2 },
  { metric: 'load-p999', words: '20 ms', most: () => 20 },
  { metric: 'load-pause', words: '100 ms', most: () => 100 },
];

/** One for each limit on something that ours was measured for. */
export function judgeCosts(summaries: Summaries): readonly CostJudgement[] {
  return LIMITS.flatMap(({ metric, words, most }) => {
    const ours = summaries.get(metric)?.get(OURS)?.median;
    if (ours === undefined) return [];
    const limit = most((id, engine) => summaries.get(id)?.get(engine)?.median);
    return [
      { metric, limit: words, ours, most: limit, verdict: limit === undefined ? undefined : verdictOf(ours <= limit) },
    ];
  });
}

function times(number: number | undefined, factor: number): number | undefined {
  return number === undefined ? undefined : number * factor;
}

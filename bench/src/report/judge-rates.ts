/** Whether ours is as far ahead of each peer as it must be; pure. */

import { type EngineName, OURS, type PeerName } from '../engines/engine-name.ts';
import { type Metric, RATES } from '../metrics.ts';
import type { Summaries } from './statistics.ts';

export type Verdict = 'met' | 'missed';

export interface RatioToPeer {
  readonly metric: string;
  readonly peer: PeerName;
  /** Median of ours over median of the peer. */
  readonly ratio: number;
  /** Least ratio that was asked for, if any was. */
  readonly target: number | undefined;
  readonly verdict: Verdict | undefined;
}

/** One for each rate that both ours and the peer gave. */
export function judgeRates(summaries: Summaries): readonly RatioToPeer[] {
  return RATES.flatMap((metric) => {
    const engines = summaries.get(metric.id);
    const ours = engines?.get(OURS);
    if (engines === undefined || ours === undefined) return [];
    return [...engines]
      .filter((entry): entry is [PeerName, (typeof entry)[1]] => isPeer(entry[0]))
      .map(([peer, { median }]) => judge(metric, peer, ours.median / median));
  });
}

function judge({ id, targets }: Metric, peer: PeerName, ratio: number): RatioToPeer {
  const target = targets[peer];
  return { metric: id, peer, ratio, target, verdict: target === undefined ? undefined : verdictOf(ratio >= target) };
}

export function verdictOf(holds: boolean): Verdict {
  return holds ? 'met' : 'missed';
}

function isPeer(name: EngineName): name is PeerName {
  return name !== OURS;
}

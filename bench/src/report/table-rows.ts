/** The rows of the printed tables as text; pure. */

import type { EngineName } from '../engines/engine-name.ts';
import { COSTS, type Metric, RATES } from '../metrics.ts';
import { formatRatio, formatValue } from './format-number.ts';
import { judgeCosts } from './judge-costs.ts';
import { judgeRates } from './judge-rates.ts';
import type { Summaries, Summary } from './statistics.ts';

export interface TextTable {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

const NOTHING = '-';

/** Medians with min and max; below a peer's, how far ours is ahead, the target, and whether it is met. */
export function rateTable(summaries: Summaries, engines: readonly EngineName[]): TextTable {
  const ratios = judgeRates(summaries);
  const cell = (metric: Metric, engine: EngineName): string => {
    const judged = ratios.find((one) => one.metric === metric.id && one.peer === engine);
    const against = judged === undefined ? [] : [describeRatio(judged.ratio, judged.target, judged.verdict)];
    return [...describe(summaries.get(metric.id)?.get(engine), metric), ...against].join('\n');
  };
  return {
    head: ['workload', ...engines],
    rows: measured(RATES, summaries).map((metric) => [metric.title, ...engines.map((engine) => cell(metric, engine))]),
  };
}

/** Medians with min and max, and the limit of ours. */
export function costTable(summaries: Summaries, engines: readonly EngineName[]): TextTable {
  const judgements = judgeCosts(summaries);
  const limit = (metric: Metric): string => {
    const judged = judgements.find((one) => one.metric === metric.id);
    if (judged === undefined) return NOTHING;
    return `<= ${judged.limit}\n${judged.verdict ?? NOTHING}`;
  };
  return {
    head: ['figure', ...engines, 'limit for ours'],
    rows: measured(COSTS, summaries).map((metric) => [
      metric.title,
      ...engines.map((engine) => describe(summaries.get(metric.id)?.get(engine), metric).join('\n')),
      limit(metric),
    ]),
  };
}

function measured(metrics: readonly Metric[], summaries: Summaries): readonly Metric[] {
  return metrics.filter(({ id }) => summaries.has(id));
}

function describe(summary: Summary | undefined, { unit }: Metric): readonly string[] {
  if (summary === undefined) return [NOTHING];
  const { median, min, max, values } = summary;
  const spread = values.length > 1 ? [`${formatValue(min, unit)} - ${formatValue(max, unit)}`] : [];
  return [formatValue(median, unit), ...spread];
}

function describeRatio(ratio: number, target: number | undefined, verdict: string | undefined): string {
  if (target === undefined) return `ours ${formatRatio(ratio)}`;
  return `ours ${formatRatio(ratio)} (>= ${target}: ${verdict})`;
}

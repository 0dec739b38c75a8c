/** From raw figures to medians; pure. */

import type { EngineName } from '../engines/engine-name.ts';
import { median } from '../measure/quantile.ts';
import type { MetricId } from '../metrics.ts';
import type { Figure } from '../run/job.ts';

export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** One for each round that gave a figure. */
  readonly values: readonly number[];
}

/** Summaries by metric and engine; a combination that gave no figure is not there. */
export type Summaries = ReadonlyMap<MetricId, ReadonlyMap<EngineName, Summary>>;

export function summarise(figures: readonly Figure[]): Summaries {
  const values = new Map<MetricId, Map<EngineName, number[]>>();
  for (const { metric, engine, value } of figures) {
    const ofMetric = getOrMake(values, metric, () => new Map<EngineName, number[]>());
    getOrMake(ofMetric, engine, () => []).push(value);
  }
  return new Map(
    [...values].map(([metric, engines]) => [
      metric,
      new Map([...engines].map(([engine, list]) => [engine, summariseValues(list)])),
    ]),
  );
}

export function summariseValues(values: readonly number[]): Summary {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values), values };
}

function getOrMake<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}

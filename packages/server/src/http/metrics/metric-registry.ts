/**
 * All metrics of a node in the text format of Prometheus: those of its tables, read anew for each scrape, and those that prom-client has of the process.
 */

import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';

import { CLIENT_METRICS } from './client-metrics.ts';
import { ENGINE_METRICS } from './engine-metrics.ts';
import { GROUP_METRICS } from './group-metrics.ts';
import type { LabelledValue, Metric, MetricSource } from './metric.ts';
import { NODE_METRICS } from './node-metrics.ts';

export const ALL_METRICS: readonly Metric[] = [...NODE_METRICS, ...GROUP_METRICS, ...CLIENT_METRICS, ...ENGINE_METRICS];

export interface MetricRegistryOptions {
  /** Whether those of the process are with them. They watch it from then on until it ends, so once for a process is enough. */
  readonly withProcess: boolean;
}

interface Entry {
  readonly metric: Metric;
  readonly put: (values: readonly LabelledValue[]) => void;
}

export class MetricRegistry {
  readonly #told = new Registry();
  readonly #entries: readonly Entry[];

  constructor({ withProcess }: MetricRegistryOptions) {
    if (withProcess) collectDefaultMetrics({ register: this.#told });
    this.#entries = ALL_METRICS.map((metric) => ({ metric, put: makePut(metric, this.#told) }));
  }

  get contentType(): string {
    return this.#told.contentType;
  }

  /** Of all metrics, in the order in which they are told. */
  get names(): readonly string[] {
    return this.#told.getMetricsAsArray().map(({ name }) => name);
  }

  write(source: MetricSource): Promise<string> {
    for (const { metric, put } of this.#entries) put(metric.read(source));
    return this.#told.metrics();
  }
}

/** Counters are counted elsewhere; here they are set to where they are. */
function makePut({ name, help, labels, kind }: Metric, registry: Registry): Entry['put'] {
  // Without labels, `reset` leaves a 0, and what is not known is not 0.
  const isAbsent = (values: readonly LabelledValue[]): boolean => labels.length === 0 && values.length === 0;
  const options = { name, help, labelNames: [...labels], registers: [registry] };
  if (kind === 'gauge') {
    const gauge = new Gauge(options);
    return (values) => {
      gauge.reset();
      if (isAbsent(values)) gauge.remove();
      for (const each of values) gauge.labels(...each.labels).set(each.value);
    };
  }
  const counter = new Counter(options);
  return (values) => {
    counter.reset();
    if (isAbsent(values)) counter.remove();
    for (const each of values) counter.labels(...each.labels).inc(each.value);
  };
}

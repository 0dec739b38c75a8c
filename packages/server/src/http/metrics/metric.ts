/** A metric as a row of a table: what it is called, what it means, and where in a snapshot of the node it is. */

import type { EngineStats } from '@kayadb/engine';

import type { MemberRow } from '../../reports/member-rows.ts';
import type { NodeSnapshot } from '../../reports/node-snapshot.ts';
import type { Check } from '../health-checks.ts';

/** What metrics are read from: a node at one moment. */
export interface MetricSource {
  readonly snapshot: NodeSnapshot;
  /** Undefined while the log and the store are not open. */
  readonly engine: EngineStats | undefined;
  readonly members: readonly MemberRow[];
  readonly checks: readonly Check[];
  readonly httpFailedAttempts: number;
}

export interface LabelledValue {
  /** In the order of `Metric.labels`. */
  readonly labels: readonly string[];
  readonly value: number;
}

export interface Metric {
  /** Base units at its end; `_total` of what only grows. */
  readonly name: string;
  readonly kind: 'gauge' | 'counter';
  /** One sentence. docs/operating/monitoring.md, "Metrics", has the same. */
  readonly help: string;
  readonly labels: readonly string[];
  /** Nothing, while it is not known. */
  readonly read: (source: MetricSource) => readonly LabelledValue[];
}

type ReadOne = (source: MetricSource) => number | undefined;
type ReadMany = (source: MetricSource) => readonly (readonly [...string[], number])[] | undefined;

export function gauge(name: string, help: string, read: ReadOne): Metric {
  return { name, kind: 'gauge', help, labels: [], read: (source) => withoutLabels(read(source)) };
}

export function counter(name: string, help: string, read: ReadOne): Metric {
  return { name, kind: 'counter', help, labels: [], read: (source) => withoutLabels(read(source)) };
}

/** @param read - Rows of the labels' values and the number. */
export function gauges(name: string, labels: readonly string[], help: string, read: ReadMany): Metric {
  return { name, kind: 'gauge', help, labels, read: (source) => withLabels(read(source)) };
}

export function counters(name: string, labels: readonly string[], help: string, read: ReadMany): Metric {
  return { name, kind: 'counter', help, labels, read: (source) => withLabels(read(source)) };
}

export function flag(value: boolean): number {
  return value ? 1 : 0;
}

export function seconds(ms: number): number {
  return ms / 1_000;
}

/** A row for each of `states`, 1 for the one that is. */
export function oneOf<State extends string>(
  states: readonly State[],
  current: State,
): readonly (readonly [State, number])[] {
  return states.map((state) => [state, flag(state === current)]);
}

function withoutLabels(value: number | undefined): readonly LabelledValue[] {
  return value === undefined ? [] : [{ labels: [], value }];
}

function withLabels(rows: ReturnType<ReadMany>): readonly LabelledValue[] {
  return (rows ?? []).map((row) => {
    const labels = row.slice(0, -1).map(String);
    return { labels, value: Number(row.at(-1)) };
  });
}

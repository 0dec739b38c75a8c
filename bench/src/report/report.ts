/** The whole report: what is printed, and what is written to a folder. */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import Table from 'cli-table3';

import type { EngineName } from '../engines/engine-name.ts';
import { type Metric, METRICS } from '../metrics.ts';
import type { Gap } from '../run/job.ts';
import type { RunPlan } from '../run/plan-jobs.ts';
import type { BenchmarkResults } from '../run/run-benchmark.ts';
import { judgeCosts } from './judge-costs.ts';
import { judgeRates } from './judge-rates.ts';
import type { Machine } from './machine.ts';
import { renderChart } from './render-chart.ts';
import { type Summaries, type Summary, summarise } from './statistics.ts';
import { costTable, rateTable, type TextTable } from './table-rows.ts';

export interface Report {
  readonly machine: Machine;
  readonly plan: RunPlan;
  readonly results: BenchmarkResults;
  readonly summaries: Summaries;
}

export function createReport(machine: Machine, plan: RunPlan, results: BenchmarkResults): Report {
  return { machine, plan, results, summaries: summarise(results.figures) };
}

/** @returns Machine, versions, settings, both tables, and why figures are absent. */
export function renderText(report: Report): string {
  const { plan, results, summaries } = report;
  const rates = rateTable(summaries, plan.engines);
  const costs = costTable(summaries, plan.engines);
  return [
    describeRun(report),
    ...(rates.rows.length > 0 ? [renderTable(rates)] : []),
    ...(costs.rows.length > 0 ? [renderTable(costs)] : []),
    ...describeGaps(results.gaps),
    '',
  ].join('\n');
}

/** Writes `results.json`, `report.txt` and one `<workload>.svg` each. */
export async function writeReport(report: Report, directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'results.json'), `${JSON.stringify(toJson(report), undefined, 2)}\n`);
  await writeFile(join(directory, 'report.txt'), renderText(report));
  for (const metric of METRICS) {
    const summaries = inOrder(report, metric);
    if (summaries.size > 0) await writeFile(join(directory, `${metric.id}.svg`), renderChart(metric, summaries));
  }
}

function describeRun({ machine, plan, results }: Report): string {
  const { processors, processor, memoryBytes, system, fileSystem, load, node } = machine;
  const { scale, rounds } = plan;
  return [
    `machine: ${processors} x ${processor}, ${Math.round(memoryBytes / 2 ** 30)} GiB, ${system}, ${fileSystem}`,
    `node: ${node}; load average at the start: ${load.map((one) => one.toFixed(2)).join(' ')}`,
    `rounds: ${rounds}; keys of 16 bytes, values of 100 bytes (1k: 1024), half compressible`,
    ...(plan.isolated ? [] : ['a smoke run: these figures show that every workload runs, not how fast']),
    `scale: ${Object.entries(scale)
      .map(([name, value]) => `${name} ${value}`)
      .join(', ')}`,
    ...[...results.contestants].map(([name, { version, settings }]) => {
      const words = Object.entries(settings).map(([option, value]) => `${option}: ${value}`);
      return `${name} ${version}: ${words.join('; ')}`;
    }),
  ].join('\n');
}

function renderTable({ head, rows }: TextTable): string {
  const table = new Table({ head: [...head], style: { head: [], border: [] } });
  table.push(...rows.map((row) => [...row]));
  return table.toString();
}

/** One line for each engine and reason, however many workloads and rounds it holds for. */
function describeGaps(gaps: readonly Gap[]): readonly string[] {
  const lines = new Map<string, Set<string>>();
  for (const { engine, metric, reason, failed } of gaps) {
    const line = `${engine}${failed ? ' FAILED' : ''}: ${reason}`;
    lines.set(line, (lines.get(line) ?? new Set()).add(metric));
  }
  return [...lines].map(([line, metrics]) => `no ${[...metrics].join(', ')} of ${line}`);
}

function inOrder({ plan, summaries }: Report, { id }: Metric): ReadonlyMap<EngineName, Summary> {
  const found = summaries.get(id);
  return new Map(
    plan.engines.flatMap((engine) => {
      const summary = found?.get(engine);
      return summary === undefined ? [] : [[engine, summary] as const];
    }),
  );
}

function toJson(report: Report): object {
  const { machine, plan, results, summaries } = report;
  return {
    machine,
    rounds: plan.rounds,
    engines: Object.fromEntries(results.contestants),
    scale: plan.scale,
    workloads: METRICS.filter(({ id }) => summaries.has(id)).map((metric) => ({
      ...metric,
      engines: Object.fromEntries(inOrder(report, metric)),
    })),
    ratios: judgeRates(summaries),
    costs: judgeCosts(summaries),
    figures: results.figures,
    gaps: results.gaps,
  };
}

/** One run from options to files: the command without its command line. */

import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';

import type { BenchmarkOptions } from './options.ts';
import { describeMachine } from './report/machine.ts';
import { createReport, type Report, writeReport } from './report/report.ts';
import type { RunPlan } from './run/plan-jobs.ts';
import { type Progress, runBenchmark } from './run/run-benchmark.ts';
import { scaleOf } from './scale.ts';

/** The folder of the stores is removed in any case. */
export async function benchmark(options: BenchmarkOptions, progress: Progress, signal?: AbortSignal): Promise<Report> {
  const dataDirectory = await mkdtemp(join(options.data, 'kayadb-bench-'));
  try {
    const machine = describeMachine(dataDirectory);
    const plan: RunPlan = {
      engines: options.engines,
      rounds: options.rounds,
      families: options.families,
      scale: scaleOf(options.entries, options.size),
      dataDirectory,
      isolated: options.size !== 'smoke',
    };
    const report = createReport(machine, plan, await runBenchmark(plan, progress, signal));
    await writeReport(report, options.out);
    return report;
  } finally {
    await rm(dataDirectory, { recursive: true, force: true });
  }
}

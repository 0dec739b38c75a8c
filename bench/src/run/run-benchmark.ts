/** Runs all jobs of a plan one after the other and collects what they measured. One failed job does not end the run. */

import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import type { EngineName } from '../engines/engine-name.ts';
import { familyOf } from '../stages/families.ts';
import type { Figure, Gap, Job, Settings } from './job.ts';
import { planJobs, type RunPlan } from './plan-jobs.ts';
import { type JobOutcome, runJob } from './run-job.ts';

export interface ContestantInfo {
  readonly version: string;
  readonly settings: Settings;
}

export interface BenchmarkResults {
  readonly figures: readonly Figure[];
  readonly gaps: readonly Gap[];
  readonly contestants: ReadonlyMap<EngineName, ContestantInfo>;
}

/** For people who wait. */
export interface Progress {
  started(job: Job, done: number, total: number): void;
  finished(job: Job, figures: readonly Figure[], gaps: readonly Gap[]): void;
}

export const NO_PROGRESS: Progress = { started: () => undefined, finished: () => undefined };

const JOB_TIMEOUT_MS = 15 * 60 * 1000;
const LONG_JOB_TIMEOUT_MS = 60 * 60 * 1000;
const SYNC_TIMEOUT_MS = 60 * 1000;

/** @throws What `signal` was aborted with, once the process that was measuring has ended. */
export async function runBenchmark(plan: RunPlan, progress: Progress, signal?: AbortSignal): Promise<BenchmarkResults> {
  const figures: Figure[] = [];
  const gaps: Gap[] = [];
  const contestants = new Map<EngineName, ContestantInfo>();
  const jobs = planJobs(plan);
  for (const [index, job] of jobs.entries()) {
    progress.started(job, index, jobs.length);
    if (plan.scale.touchesPageCache) await writeBackPageCache();
    const outcome = await runJob(job, timeoutOf(plan), signal);
    signal?.throwIfAborted();
    const newFigures = outcome.messages.flatMap((message) => (message.kind === 'figure' ? [message.figure] : []));
    const newGaps = [
      ...outcome.messages.flatMap((message) => (message.kind === 'gap' ? [message.gap] : [])),
      ...gapsOfFailure(job, outcome),
    ];
    for (const message of outcome.messages) {
      if (message.kind === 'contestant') contestants.set(job.engine, message);
    }
    figures.push(...newFigures);
    gaps.push(...newGaps);
    progress.finished(job, newFigures, newGaps);
    await removeFinishedFolders(job, jobs.slice(index + 1));
  }
  return { figures, gaps, contestants };
}

/** What an engine left to be written back must not burden the next one. */
async function writeBackPageCache(): Promise<void> {
  await promisify(execFile)('sync', { timeout: SYNC_TIMEOUT_MS }).catch(() => undefined);
}

function timeoutOf({ families }: RunPlan): number {
  return families.some(({ long }) => long === true) ? LONG_JOB_TIMEOUT_MS : JOB_TIMEOUT_MS;
}

/** Every metric that a failed job may still have owed. */
function gapsOfFailure({ engine, round, steps }: Job, { messages, failure }: JobOutcome): readonly Gap[] {
  if (failure === undefined) return [];
  const told = new Set(
    messages.flatMap((message) =>
      message.kind === 'figure' ? [message.figure.metric] : message.kind === 'gap' ? [message.gap.metric] : [],
    ),
  );
  const owed = new Set(steps.flatMap(({ family }) => familyOf(family).metrics));
  return [...owed]
    .filter((metric) => !told.has(metric))
    .map((metric) => ({ engine, round, metric, reason: failure, failed: true }));
}

async function removeFinishedFolders(job: Job, later: readonly Job[]): Promise<void> {
  const needed = (family: string): boolean =>
    later.some(
      ({ engine, round, steps }) =>
        engine === job.engine && round === job.round && steps.some((step) => step.family === family),
    );
  const finished = job.steps.map(({ family }) => family).filter((family) => !needed(family));
  for (const family of new Set(finished)) {
    await rm(join(job.dataDirectory, job.engine, family), { recursive: true, force: true });
  }
}

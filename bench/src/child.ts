/** The process that measures: one engine, the steps of one job, figures to the parent as they come. */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { loadContestant } from './engines/load-contestant.ts';
import type { ChildMessage, Job } from './run/job.ts';
import { familyOf } from './stages/families.ts';
import type { StageContext } from './stages/stage.ts';

await main(JSON.parse(process.argv[2] ?? '') as Job);
// Engines may leave threads and handles behind that would keep the process alive.
process.exit(0);

async function main(job: Job): Promise<void> {
  const { engine, round, scale } = job;
  const contestant = await loadContestant(engine);
  const { memoryBytes, writeBufferBytes } = scale;
  await send({
    kind: 'contestant',
    version: contestant.version,
    settings: contestant.describe({ memoryBytes, writeBufferBytes, durability: 'none' }),
  });
  for (const { family, stage } of job.steps) {
    const run = familyOf(family).stages[stage];
    if (run === undefined) throw new Error(`family ${family} has no stage ${stage}`);
    const messages: ChildMessage[] = [];
    const directory = join(job.dataDirectory, engine, family);
    mkdirSync(directory, { recursive: true });
    const context: StageContext = {
      contestant,
      directory,
      scale,
      seed: round,
      report: (metric, value, detail) =>
        messages.push({
          kind: 'figure',
          figure: { engine, round, metric, value, ...(detail === undefined ? {} : { detail }) },
        }),
      skip: (metric, reason) => messages.push({ kind: 'gap', gap: { engine, round, metric, reason, failed: false } }),
    };
    try {
      await run(context);
    } finally {
      // Between the stages, so that telling the parent is no part of what is measured.
      for (const message of messages) await send(message);
    }
  }
}

function send(message: ChildMessage): Promise<void> {
  return new Promise((resolve, reject) => {
    if (process.send === undefined) throw new Error('this is a child process of the benchmark; run main instead');
    process.send(message, (error: Error | null) => (error === null ? resolve() : reject(error)));
  });
}

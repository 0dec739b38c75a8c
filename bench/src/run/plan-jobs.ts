/** The order of a run; pure. Engines alternate within each stage, and another one begins in each round. */

import type { EngineName } from '../engines/engine-name.ts';
import type { Scale } from '../scale.ts';
import type { Family } from '../stages/families.ts';
import type { Job, Step } from './job.ts';

export interface RunPlan {
  readonly engines: readonly EngineName[];
  readonly rounds: number;
  readonly families: readonly Family[];
  readonly scale: Scale;
  readonly dataDirectory: string;
  /** One process for each stage; otherwise one for each engine and round. */
  readonly isolated: boolean;
}

export function planJobs({ engines, rounds, families, scale, dataDirectory, isolated }: RunPlan): readonly Job[] {
  const groups = isolated ? families.flatMap(stepsOf).map((step) => [step]) : [families.flatMap(stepsOf)];
  return Array.from({ length: rounds }, (_, index) => index + 1).flatMap((round) =>
    groups.flatMap((steps) =>
      rotate(engines, round - 1).map((engine) => ({ engine, round, steps, scale, dataDirectory })),
    ),
  );
}

function stepsOf({ name, stages }: Family): readonly Step[] {
  return Object.keys(stages).map((stage) => ({ family: name, stage }));
}

function rotate<Item>(items: readonly Item[], by: number): readonly Item[] {
  const start = by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}

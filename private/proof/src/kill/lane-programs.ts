/** What the writers of one life are to do: a random workload for each, on keys of its own. */

import type { SeededRandom } from '@kayadb/testkit';

import { randomWorkload, type WorkloadOp } from '../workload/workload.ts';
import { lanePrefix } from './store-record.ts';

export interface ProgramShape {
  readonly lanes: number;
  readonly stepsPerLane: number;
  /** Bytes added to each value. Default 0. */
  readonly paddingBytes?: number;
}

/** @param life - Makes names and values unlike those of any other life. */
export function lanePrograms(
  random: SeededRandom,
  life: number,
  shape: ProgramShape,
): readonly (readonly WorkloadOp[])[] {
  const padding = 'p'.repeat(shape.paddingBytes ?? 0);
  return Array.from({ length: shape.lanes }, (_, lane) =>
    randomWorkload(random.fork(`lane ${lane}`), shape.stepsPerLane).map((op) => toLane(op, lane, life, padding)),
  );
}

function toLane(op: WorkloadOp, lane: number, life: number, padding: string): WorkloadOp {
  const key = (name: string): string => `${lanePrefix(lane)}${name}`;
  const value = (text: string): string => `${life}.${text}${padding}`;
  switch (op.kind) {
    case 'put':
      return { ...op, key: key(op.key), value: value(op.value) };
    case 'delete':
      return { ...op, key: key(op.key) };
    case 'delete-range':
      return { ...op, prefix: key(op.prefix) };
    case 'batch':
      return {
        ...op,
        prefix: op.prefix === undefined ? undefined : key(op.prefix),
        writes: op.writes.map((write) => ({
          key: key(write.key),
          value: write.value === undefined ? undefined : value(write.value),
        })),
      };
    case 'checkpoint':
      return { ...op, name: `${life}-${lane}-${op.name}` };
    // The others go on writing meanwhile, so the store cannot be closed in between.
    case 'reopen':
      return { kind: 'compact' };
    case 'flush':
    case 'compact':
      return op;
  }
}

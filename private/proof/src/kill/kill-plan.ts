/** When a writer is killed: after so many of its lines behind one of a kind. What it says is what it does, so no clock is needed. */

import type { SeededRandom } from '@kayadb/testkit';

import type { WorkloadOp } from '../workload/workload.ts';
import type { WriterLine } from './writer-protocol.ts';

export type KillPhase = 'opening' | 'writing' | 'merging' | 'closing' | 'never';

export interface KillPlan {
  readonly phase: KillPhase;
  /** Lines behind the one that begins the phase. */
  readonly lines: number;
  /** Every call to the file system is a line. */
  readonly announces: boolean;
}

/** How often each phase comes among as many lives as these add up to. */
const SHARES = { opening: 6, writing: 7, merging: 6, closing: 4, never: 2 } as const;
/** Bound: opening makes about sixty calls to the file system, and more with much to replay. */
const MAX_OPENING_CALLS = 90;
const MAX_CLOSING_CALLS = 20;
const MAX_MERGING_LINES = 40;
const MAX_WRITING_LINES = 500;
const MAX_WRITING_CALLS = 1500;

/** The phases of one stretch of lives, in random order: every one of them comes, however few lives there are. */
export function randomPhases(random: SeededRandom): readonly KillPhase[] {
  const entries = Object.entries(SHARES) as readonly (readonly [KillPhase, number])[];
  return random.shuffle(entries.flatMap(([phase, share]) => Array.from({ length: share }, () => phase)));
}

export function randomKillPlan(random: SeededRandom, phase: KillPhase): KillPlan {
  switch (phase) {
    case 'opening':
      return { phase, announces: true, lines: random.int(MAX_OPENING_CALLS) };
    case 'writing': {
      const announces = random.chance(0.25);
      return { phase, announces, lines: random.int(announces ? MAX_WRITING_CALLS : MAX_WRITING_LINES) };
    }
    // In the worker threads, which run only on the real file system.
    case 'merging':
      return { phase, announces: false, lines: random.int(MAX_MERGING_LINES) };
    case 'closing': {
      const announces = random.chance(0.7);
      return { phase, announces, lines: announces ? random.int(MAX_CLOSING_CALLS) : 0 };
    }
    case 'never':
      return { phase, announces: random.chance(0.3), lines: 0 };
  }
}

/** Counts lines, and says at which one the time has come. */
export class KillTrigger {
  readonly #plan: KillPlan;
  #behind: number | undefined;

  constructor(plan: KillPlan) {
    this.#plan = plan;
  }

  /** @param op - The step that the line is about, if it is about one. @returns Whether to kill now, once. */
  isDue(line: WriterLine, op: WorkloadOp | undefined): boolean {
    if (this.#behind === undefined && begins(this.#plan.phase, line, op)) this.#behind = 0;
    else if (this.#behind !== undefined) this.#behind++;
    return this.#behind === this.#plan.lines;
  }
}

function begins(phase: KillPhase, line: WriterLine, op: WorkloadOp | undefined): boolean {
  switch (phase) {
    case 'opening':
      return line.kind === 'opening';
    case 'writing':
      return line.kind === 'opened';
    case 'merging':
      return line.kind === 'begin' && op?.kind === 'compact';
    case 'closing':
      return line.kind === 'closing';
    case 'never':
      return false;
  }
}

/**
 * How far an import has certainly come, while units of lines are acknowledged in any order.
 *
 * Invariant: `counts.lines` lines from the start are all done with: acknowledged, refused as bad, or blank.
 */

/** What became of the lines so far. */
export interface LineCounts {
  readonly lines: number;
  readonly imported: number;
  readonly bad: number;
  readonly blank: number;
}

export const NO_LINES: LineCounts = { lines: 0, imported: 0, bad: 0, blank: 0 };

/** A run of consecutive lines that is settled as one. */
export interface Unit {
  readonly counts: LineCounts;
  /** Its acknowledgement says that it and everything before it survive a crash. */
  readonly isCheckpoint: boolean;
}

interface PendingUnit {
  unit: Unit;
  settled: boolean;
}

/** Gives the unit its final counts, once, when all its lines are done with. */
export type Settle = (counts: LineCounts) => void;

export class AcknowledgedPrefix {
  #counts: LineCounts;
  #checkpoint: LineCounts;
  readonly #pending: PendingUnit[] = [];

  /** @param start - What an earlier run has done. */
  constructor(start: LineCounts) {
    this.#counts = start;
    this.#checkpoint = start;
  }

  /** Everything acknowledged, from the start on without a gap. */
  get counts(): LineCounts {
    return this.#counts;
  }

  /** The part of it that a later run may rely on. */
  get checkpoint(): LineCounts {
    return this.#checkpoint;
  }

  /** Takes the next lines. Requires: they follow those of the unit added before. */
  add(unit: Unit): Settle {
    const pending: PendingUnit = { unit, settled: false };
    this.#pending.push(pending);
    return (counts) => {
      pending.unit = { ...pending.unit, counts };
      pending.settled = true;
      this.#advance();
    };
  }

  #advance(): void {
    let done = 0;
    for (const { unit, settled } of this.#pending) {
      if (!settled) break;
      this.#counts = addCounts(this.#counts, unit.counts);
      if (unit.isCheckpoint) this.#checkpoint = this.#counts;
      done++;
    }
    this.#pending.splice(0, done);
  }
}

export function addCounts(a: LineCounts, b: LineCounts): LineCounts {
  return {
    lines: a.lines + b.lines,
    imported: a.imported + b.imported,
    bad: a.bad + b.bad,
    blank: a.blank + b.blank,
  };
}

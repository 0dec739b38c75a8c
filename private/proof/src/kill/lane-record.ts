/**
 * What one writer may find again, from what was acknowledged to it. Each writer has keys of its own and waits for one answer at a time, so
 * that this is exact: the content after everything acknowledged, or that plus one write of which nobody heard the end.
 */

import { applyWrite, type Content, sameContent, type WorkloadWriteOp } from '../workload/workload.ts';

/** Bound: keys that a sentence names. */
const MAX_NAMED = 5;

export class LaneRecord {
  #acknowledged: Content = new Map();
  /** Begun since the last acknowledgement: cut off, or refused by an error that leaves its outcome open. */
  #open: WorkloadWriteOp[] = [];

  begin(op: WorkloadWriteOp): void {
    this.#open.push(op);
  }

  /** The write begun last was acknowledged, so those that had been refused before it are not there. */
  acknowledge(): void {
    const op = this.#open.at(-1);
    if (op === undefined) throw new RangeError('a write was acknowledged that nobody began');
    this.#acknowledged = applyWrite(this.#acknowledged, op);
    this.#open = [];
  }

  /** The write begun last was refused by an error that says that nothing of it is left. */
  takeBack(): void {
    this.#open.pop();
  }

  /** Whether a write was cut off or refused since the last acknowledgement. */
  get isOpen(): boolean {
    return this.#open.length > 0;
  }

  /**
   * Compares what was found after opening, and goes on from there: what opening shows has to stay.
   *
   * @returns What contradicts the promise, in words; undefined when nothing does.
   */
  settle(found: Content): string | undefined {
    const complaint = this.#compare(found);
    this.#acknowledged = found;
    this.#open = [];
    return complaint;
  }

  /** Compares what the running store shows: refused writes are not there. */
  compareRunning(found: Content): string | undefined {
    return sameContent(found, this.#acknowledged) ? undefined : describeDifference(found, this.#acknowledged);
  }

  #compare(found: Content): string | undefined {
    if (sameContent(found, this.#acknowledged)) return undefined;
    if (this.#open.some((op) => sameContent(found, applyWrite(this.#acknowledged, op)))) return undefined;
    return `${describeDifference(found, this.#acknowledged)}, and ${this.#open.length} open writes do not explain it`;
  }
}

function describeDifference(found: Content, expected: Content): string {
  const wrong = [...new Set([...found.keys(), ...expected.keys()])].filter(
    (key) => found.get(key) !== expected.get(key),
  );
  const named = wrong
    .slice(0, MAX_NAMED)
    .map((key) => `${key} is ${abbreviate(found.get(key))} and was acknowledged as ${abbreviate(expected.get(key))}`);
  return `${wrong.length} keys differ: ${named.join('; ')}`;
}

function abbreviate(value: string | undefined): string {
  return value === undefined ? 'absent' : `"${value.slice(0, 12)}", ${value.length} long,`;
}

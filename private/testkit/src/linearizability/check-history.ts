/**
 * Whether a history is linearizable: whether all operations could have been done one after the other, each at some moment between its call and its answer.
 * A reader starts here.
 */

import { nameOperation } from '../history/describe-operation.ts';
import { type History, keysOf, type Note, type Operation } from '../history/operation.ts';
import { findAppendFault } from './check-appends.ts';
import { findSessionFault } from './check-sessions.ts';
import type { Fault } from './fault.ts';
import { findOrder } from './find-order.ts';
import { findRevisionFault } from './revision-rules.ts';
import { searchProblem, splitByKeys } from './search-steps.ts';
import { settleHistory } from './settled-history.ts';
import { drawTimeline } from './timeline.ts';

/** Bound: states of one search; far more than a history with a fault in the middle of hundreds of unanswered writes needs. */
const MAX_STATES = 300_000;
/** Bound: lines of a timeline that are not of the fault itself. */
const MAX_CONTEXT = 8;

export interface CheckOptions {
  readonly maxStates?: number | undefined;
}

export type Verdict =
  | { readonly kind: 'linearizable' }
  | {
      readonly kind: 'faulty';
      readonly fault: Fault;
      /** The first operations of the history, as few as show a fault; the last to return is what it took. */
      readonly prefix: History;
      /** The sentence, and the operations about it as a picture. */
      readonly explanation: string;
    }
  /** The search was given up: nothing is known. */
  | { readonly kind: 'undecided' };

/** @throws RangeError for a history that `settleHistory` cannot read. */
export function checkHistory(history: History, { maxStates = MAX_STATES }: CheckOptions = {}): Verdict {
  const whole = findFault(history, maxStates);
  if (whole === undefined) return { kind: 'linearizable' };
  if (whole === 'undecided') return { kind: 'undecided' };
  const { prefix, fault: found } = smallestPrefix(history, whole, maxStates);
  const fault = wasLost(found, history) ? { ...found, kind: 'lost-write' as const } : found;
  return { kind: 'faulty', fault, prefix, explanation: explain(fault, prefix) };
}

/** @throws Error with the explanation unless the history is linearizable. */
export function assertLinearizable(history: History, options?: CheckOptions): void {
  const verdict = checkHistory(history, options);
  if (verdict.kind === 'undecided') throw new Error('the search for an order was given up: raise maxStates');
  if (verdict.kind === 'faulty') throw new Error(`not linearizable: ${verdict.explanation}`);
}

function findFault(history: History, maxStates: number): Fault | 'undecided' | undefined {
  const settled = settleHistory(history);
  if ('kind' in settled) return settled;
  const simple = findRevisionFault(settled) ?? findAppendFault(history) ?? findSessionFault(history);
  if (simple !== undefined) return simple;
  let isUndecided = false;
  for (const part of splitByKeys(settled)) {
    const result = findOrder(searchProblem(part), maxStates);
    if (result.kind === 'no-order') return faultOfSearch(result.blocked, history);
    isUndecided ||= result.kind === 'gave-up';
  }
  return isUndecided ? 'undecided' : undefined;
}

function faultOfSearch(blocked: Operation, { operations }: History): Fault {
  const keys = new Set(keysOf(blocked.action));
  const overlapping = operations.filter(
    ({ action, calledUs, returnedUs, outcome }) =>
      calledUs < (blocked.returnedUs ?? Infinity) &&
      (outcome === undefined || outcome.kind === 'unknown' || returnedUs! > blocked.calledUs) &&
      keysOf(action).some((key) => keys.has(key)),
  );
  return {
    kind: 'no-order',
    sentence: `no order of the operations explains the answer of ${nameOperation(blocked)}`,
    operations: [...overlapping.slice(-MAX_CONTEXT), blocked],
  };
}

/** What was called and answered before a moment; the rest of a linearizable history is linearizable at each. */
function cutAfter({ operations, notes }: History, us: number): History {
  return {
    operations: operations
      .filter(({ calledUs }) => calledUs <= us)
      .map((operation) => {
        if ((operation.returnedUs ?? 0) <= us) return operation;
        const { returnedUs: _returnedUs, outcome: _outcome, ...called } = operation;
        return called;
      }),
    notes: notes.filter(({ atUs }) => atUs <= us),
  };
}

/** Cuts the history in halves: a prefix of a linearizable one is linearizable. */
function smallestPrefix(
  history: History,
  whole: Fault,
  maxStates: number,
): { readonly prefix: History; readonly fault: Fault } {
  const returns = history.operations.flatMap(({ returnedUs }) => returnedUs ?? []).toSorted((a, b) => a - b);
  let smallest = { prefix: history, fault: whole };
  let [low, high] = [0, returns.length - 1];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const prefix = cutAfter(history, returns[middle]!);
    const fault = findFault(prefix, maxStates);
    if (fault === undefined || fault === 'undecided') low = middle + 1;
    else {
      smallest = { prefix, fault };
      high = middle;
    }
  }
  return smallest;
}

/** A stale read shows a write as not there; when no read ever shows it, it is the write that is lost. */
function wasLost({ kind, operations: [write] }: Fault, { operations }: History): boolean {
  if (kind !== 'stale-read' || write?.outcome?.kind !== 'written') return false;
  const { revision } = write.outcome;
  return !operations.some(
    ({ outcome }) => outcome?.kind === 'rows' && outcome.rows.some((row) => row?.revision === revision),
  );
}

/** The sentence, then those it names and the last few before on the same keys. */
function explain({ kind, sentence, operations }: Fault, prefix: History): string {
  const keys = new Set(operations.flatMap(({ action }) => keysOf(action)));
  const context = prefix.operations
    .filter(({ action }) => keysOf(action).some((key) => keys.has(key)))
    .slice(-MAX_CONTEXT);
  const shown = [...operations, ...context];
  return `${kind}: ${sentence}.\n${drawTimeline(shown, notesAmong(prefix.notes, shown))}`;
}

function notesAmong(notes: readonly Note[], operations: readonly Operation[]): readonly Note[] {
  const from = Math.min(...operations.map(({ calledUs }) => calledUs));
  return notes.filter(({ atUs }) => atUs >= from).slice(-MAX_CONTEXT);
}

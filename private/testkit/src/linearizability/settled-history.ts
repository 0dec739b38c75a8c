/**
 * A history after everything that its answers prove about revisions was put in its place: a write that went unanswered, but whose value was read with a
 * revision, was done at that revision. On the way it finds revisions and values that cannot be.
 *
 * Requires: where rows carry revisions, no two writes of unknown revision put the same value under the same key.
 */

import { describeRow, describeValue, nameOperation } from '../history/describe-operation.ts';
import {
  effectOf,
  type History,
  isRead,
  isWrite,
  type ReadOperation,
  type SeenRow,
  type WriteOperation,
} from '../history/operation.ts';
import type { Fault } from './fault.ts';

export type Branch = 'changes' | 'otherwise';

/** A write that was done, or may have been. */
export interface SettledWrite {
  readonly operation: WriteOperation;
  /** By then it was done: of its answer, or of the first read that saw it. Infinity: it may take effect at any time after its call. */
  readonly returnedUs: number;
  /** Undefined: not known. */
  readonly revision: number | undefined;
  /** What it did; undefined: either of them, or nothing at all. */
  readonly branch: Branch | undefined;
}

export interface AnsweredRead {
  readonly operation: ReadOperation;
  readonly returnedUs: number;
  readonly rows: readonly { readonly key: string; readonly row: SeenRow | null }[];
}

export interface SettledHistory {
  readonly writes: readonly SettledWrite[];
  readonly reads: readonly AnsweredRead[];
}

/** What the write leaves under each key; none while it is not known what it did. */
export function effectOfWrite({ operation, branch }: SettledWrite): ReadonlyMap<string, string | null> {
  return branch === undefined ? new Map() : effectOf(operation.action[branch]);
}

/** @throws RangeError when it cannot be told which write a revision belongs to. */
export function settleHistory(history: History): SettledHistory | Fault {
  const reads = history.operations.filter(isRead).flatMap(answeredRead);
  const writes = new SettledWrites(history.operations.filter(isWrite));
  const fault =
    writes.findSharedRevision() ?? writes.takeEvidence(reads.toSorted((a, b) => a.returnedUs - b.returnedUs));
  return fault ?? { writes: writes.all, reads };
}

function answeredRead(operation: ReadOperation): AnsweredRead[] {
  const { outcome, returnedUs, action } = operation;
  if (outcome?.kind !== 'rows' || returnedUs === undefined) return [];
  return [{ operation, returnedUs, rows: action.keys.map((key, at) => ({ key, row: outcome.rows[at] ?? null })) }];
}

class SettledWrites {
  readonly #settled: Map<WriteOperation, SettledWrite>;
  readonly #byRevision = new Map<number, SettledWrite>();
  /** By key, then by value: who might have left it there. */
  readonly #writers = new Map<string, Map<string, { readonly operation: WriteOperation; readonly branch: Branch }[]>>();

  constructor(operations: readonly WriteOperation[]) {
    const possible = operations.filter(({ outcome }) => outcome?.kind !== 'not-done');
    this.#settled = new Map(possible.map((operation) => [operation, settledByItself(operation)]));
    for (const operation of operations) {
      for (const branch of ['changes', 'otherwise'] as const) this.#addWriter(operation, branch);
    }
  }

  get all(): readonly SettledWrite[] {
    return [...this.#settled.values()];
  }

  findSharedRevision(): Fault | undefined {
    for (const write of this.#settled.values()) {
      if (write.revision === undefined) continue;
      const other = this.#byRevision.get(write.revision);
      if (other !== undefined) {
        const names = `${nameOperation(other.operation)} and ${nameOperation(write.operation)}`;
        return {
          kind: 'split-brain',
          sentence: `${names} were both answered with revision ${write.revision}`,
          operations: [other.operation, write.operation],
        };
      }
      this.#byRevision.set(write.revision, write);
    }
    return undefined;
  }

  /** Every row that was read has a writer, and one that did it at the row's revision. */
  takeEvidence(reads: readonly AnsweredRead[]): Fault | undefined {
    for (const read of reads) {
      for (const { key, row } of read.rows) {
        const fault = row === null ? undefined : this.#takeRow(read, key, row);
        if (fault !== undefined) return fault;
      }
    }
    return undefined;
  }

  #takeRow(read: AnsweredRead, key: string, row: SeenRow): Fault | undefined {
    const writers = this.#writers.get(key)?.get(row.value) ?? [];
    const possible = writers.filter(({ operation, branch }) => this.#mayHaveDone(operation, branch, row.revision));
    const known = row.revision === undefined ? undefined : this.#byRevision.get(row.revision);
    if (known !== undefined) {
      if (effectOfWrite(known).get(key) === row.value) return this.#settle(known.operation, { ...known }, read);
      const saw = `${nameOperation(read.operation)} saw ${key} as ${describeRow(row)}`;
      return {
        kind: 'split-brain',
        sentence: `${saw}, a revision at which ${nameOperation(known.operation)} did something else`,
        operations: [known.operation, read.operation],
      };
    }
    if (possible.length === 0) return this.#explainRow(read, key, row, writers);
    if (possible.length > 1) {
      if (row.revision === undefined) return undefined;
      throw new RangeError(
        `${possible.length} writes of unknown revision put ${describeValue(row.value)} under ${key}`,
      );
    }
    const { operation, branch } = possible[0]!;
    const settled = this.#settled.get(operation)!;
    return this.#settle(operation, { ...settled, revision: row.revision ?? settled.revision, branch }, read);
  }

  /** What was read was done before the read had ended. */
  #settle(operation: WriteOperation, write: SettledWrite, read: AnsweredRead): undefined {
    const settled = { ...write, returnedUs: Math.min(write.returnedUs, read.returnedUs) };
    this.#settled.set(operation, settled);
    if (settled.revision !== undefined) this.#byRevision.set(settled.revision, settled);
  }

  /** Whether a row of that revision may be the work of that branch; without a revision, whatever its own is. */
  #mayHaveDone(operation: WriteOperation, branch: Branch, revision: number | undefined): boolean {
    const settled = this.#settled.get(operation);
    if (settled === undefined || (settled.branch ?? branch) !== branch) return false;
    return revision === undefined || settled.revision === undefined;
  }

  /** Why no write can have left that row. */
  #explainRow(
    read: AnsweredRead,
    key: string,
    row: SeenRow,
    writers: readonly { readonly operation: WriteOperation; readonly branch: Branch }[],
  ): Fault {
    const saw = `${nameOperation(read.operation)} saw ${key} as ${describeRow(row)}`;
    const twice = writers.find(({ operation, branch }) => this.#settled.get(operation)?.branch === branch);
    if (twice !== undefined) {
      const { revision } = this.#settled.get(twice.operation)!;
      return {
        kind: 'applied-twice',
        sentence: `${saw}, but ${nameOperation(twice.operation)}, which wrote that, was done at revision ${revision}`,
        operations: [twice.operation, read.operation],
      };
    }
    const [refused] = writers;
    if (refused !== undefined) {
      return {
        kind: 'refused-but-done',
        sentence: `${saw}, but ${nameOperation(refused.operation)}, which would have written that, was answered that it was not done`,
        operations: [refused.operation, read.operation],
      };
    }
    return { kind: 'phantom', sentence: `${saw}, which nobody had written`, operations: [read.operation] };
  }

  #addWriter(operation: WriteOperation, branch: Branch): void {
    for (const [key, value] of effectOf(operation.action[branch])) {
      if (value === null) continue;
      const values = this.#writers.get(key) ?? new Map<string, { operation: WriteOperation; branch: Branch }[]>();
      this.#writers.set(key, values);
      values.set(value, [...(values.get(value) ?? []), { operation, branch }]);
    }
  }
}

function settledByItself(operation: WriteOperation): SettledWrite {
  const { outcome, returnedUs, action } = operation;
  if (outcome?.kind !== 'written' || returnedUs === undefined) {
    return { operation, returnedUs: Number.POSITIVE_INFINITY, revision: undefined, branch: undefined };
  }
  const branch = outcome.failed === undefined ? 'changes' : 'otherwise';
  if (outcome.failed !== undefined && action.conditions[outcome.failed] === undefined) {
    throw new RangeError(`${nameOperation(operation)} has no condition ${outcome.failed}`);
  }
  return { operation, returnedUs, revision: outcome.revision, branch };
}

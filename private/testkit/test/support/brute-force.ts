/**
 * Whether a tiny history is linearizable, by trying every order of every choice of unanswered writes. It shares nothing with the search but the meaning of operations.
 */

import {
  type Condition,
  effectOf,
  type History,
  isRead,
  isWrite,
  type Operation,
  type WriteOperation,
} from '../../src/history/operation.ts';

/** A row, and the write that left it; revisions are looked up by the write. */
interface Cell {
  readonly value: string;
  readonly by: WriteOperation;
}

export function isLinearizableByBruteForce({ operations }: History): boolean {
  const certain = operations.filter(isCertain);
  const possible = operations
    .filter(isWrite)
    .filter(({ outcome }) => outcome === undefined || outcome.kind === 'unknown');
  for (let choice = 0; choice < 2 ** possible.length; choice++) {
    const chosen = possible.filter((_, at) => ((choice >> at) & 1) === 1);
    for (const order of ordersOf([...certain, ...chosen])) if (explains(order)) return true;
  }
  return false;
}

function isCertain({ outcome }: Operation): boolean {
  return outcome?.kind === 'rows' || outcome?.kind === 'written';
}

/** Every order in which no operation comes before one that had ended when it was called. */
function* ordersOf(
  operations: readonly Operation[],
  before: readonly Operation[] = [],
): Generator<readonly Operation[]> {
  if (operations.length === 0) yield before;
  const firstEnd = Math.min(
    ...operations.map((operation) => (isCertain(operation) ? operation.returnedUs! : Infinity)),
  );
  for (const next of operations) {
    if (next.calledUs > firstEnd) continue;
    yield* ordersOf(
      operations.filter((operation) => operation !== next),
      [...before, next],
    );
  }
}

/** First the revisions that reads give to writes, assuming nothing of conditions; then everything, with these. */
function explains(order: readonly Operation[]): boolean {
  for (const revisions of revisionsFrom(order)) if (isExecution(order, revisions)) return true;
  return false;
}

/** The revisions that are told, and those of unanswered writes: none, or any that occurs in the history. */
function* revisionsFrom(order: readonly Operation[]): Generator<ReadonlyMap<WriteOperation, number>> {
  const told = new Map<WriteOperation, number>();
  for (const operation of order.filter(isWrite)) {
    if (operation.outcome?.kind === 'written' && operation.outcome.revision !== undefined) {
      told.set(operation, operation.outcome.revision);
    }
  }
  const seen = order.filter(isRead).flatMap(({ outcome }) => (outcome?.kind === 'rows' ? outcome.rows : []));
  const loose = new Set(seen.flatMap((row) => row?.revision ?? []));
  for (const revision of told.values()) loose.delete(revision);
  const untold = order.filter(isWrite).filter((operation) => !told.has(operation));
  yield* assign(untold, [...loose], told);
}

function* assign(
  writes: readonly WriteOperation[],
  revisions: readonly number[],
  given: ReadonlyMap<WriteOperation, number>,
): Generator<ReadonlyMap<WriteOperation, number>> {
  const [first, ...rest] = writes;
  if (first === undefined) {
    yield given;
    return;
  }
  yield* assign(rest, revisions, given);
  for (const revision of revisions) {
    yield* assign(
      rest,
      revisions.filter((other) => other !== revision),
      new Map([...given, [first, revision]]),
    );
  }
}

function isExecution(order: readonly Operation[], revisions: ReadonlyMap<WriteOperation, number>): boolean {
  const cells = new Map<string, Cell>();
  let last = 0;
  for (const operation of order) {
    if (isRead(operation)) {
      if (operation.outcome?.kind !== 'rows') return false;
      for (const [at, row] of operation.outcome.rows.entries()) {
        const cell = cells.get(operation.action.keys[at]!);
        if (row === null ? cell !== undefined : cell === undefined || cell.value !== row.value) return false;
        if (row?.revision !== undefined && revisions.get(cell!.by) !== row.revision) return false;
      }
      continue;
    }
    if (!isWrite(operation)) continue;
    const revision = revisions.get(operation);
    if (revision !== undefined && revision <= last) return false;
    last = revision ?? last;
    const { conditions, changes, otherwise } = operation.action;
    const failed = conditions.findIndex((condition) => !holds(condition, cells, revisions));
    if (operation.outcome?.kind === 'written' && (operation.outcome.failed ?? -1) !== failed) return false;
    for (const [key, value] of effectOf(failed === -1 ? changes : otherwise)) {
      if (value === null) cells.delete(key);
      else cells.set(key, { value, by: operation });
    }
  }
  return true;
}

function holds(
  condition: Condition,
  cells: ReadonlyMap<string, Cell>,
  revisions: ReadonlyMap<WriteOperation, number>,
): boolean {
  const cell = cells.get(condition.key);
  if (condition.kind === 'exists') return (cell !== undefined) === condition.exists;
  if (condition.kind === 'value') return cell?.value === condition.value;
  return (cell === undefined ? 0 : revisions.get(cell.by)) === condition.revision;
}

/**
 * What revisions say at once, without a search: rules that every linearizable history keeps, each of which can name the operations that break it.
 *
 * Invariant: a rule finds a fault only where there is one. What they let through, the search decides.
 */

import { describeCondition, describeRow, nameOperation } from '../history/describe-operation.ts';
import type { Condition } from '../history/operation.ts';
import type { Fault } from './fault.ts';
import { RevisionOrder } from './revision-order.ts';
import type { AnsweredRead, SettledHistory, SettledWrite } from './settled-history.ts';

/** The first fault that some rule finds. */
export function findRevisionFault(history: SettledHistory): Fault | undefined {
  const order = new RevisionOrder(history);
  const { reads } = history;
  return (
    firstOf(order.writes, (write) => findReordered(write, order)) ??
    firstOf(reads, (read) => findStaleRow(read, order)) ??
    firstOf(reads, (read) => findTornRow(read, order)) ??
    firstOf(reads, (read) => findLostWrite(read, order)) ??
    firstOf(order.writes, (write) => findWrongCompare(write, order))
  );
}

/** A later revision had been reached before the write was called. */
function findReordered(write: SettledWrite, order: RevisionOrder): Fault | undefined {
  const proof = order.firstProofOf(write.revision! + 1);
  if (proof === undefined || proof.atUs > write.operation.calledUs) return undefined;
  const { operation } = proof;
  return {
    kind: 'reordered',
    sentence: `${nameOperation(write.operation)} was done at revision ${write.revision}, but before it was called ${nameOperation(operation)} had ended at revision ${proof.revision}`,
    operations: [operation, write.operation],
  };
}

/** The key's next write was known to be done before the read was called. */
function findStaleRow(read: AnsweredRead, order: RevisionOrder): Fault | undefined {
  for (const { key, row } of read.rows) {
    const next = row?.revision === undefined ? undefined : order.nextWriteOf(key, row.revision);
    const proof = next === undefined ? undefined : order.firstProofOf(next.revision!);
    if (next === undefined || proof === undefined || proof.atUs > read.operation.calledUs) continue;
    const isSeen = proof.operation !== next.operation;
    const known = isSeen
      ? `${nameOperation(proof.operation)} had ended at revision ${proof.revision}`
      : 'that had been answered';
    return {
      kind: 'stale-read',
      sentence: `${nameOperation(read.operation)} saw ${key} as ${describeRow(row)}, but ${nameOperation(next.operation)} wrote it at revision ${next.revision}, and before the read was called ${known}`,
      operations: [next.operation, ...(isSeen ? [proof.operation] : []), read.operation],
    };
  }
  return undefined;
}

/** One row is of a revision by which another row's key had been written again. */
function findTornRow(read: AnsweredRead, order: RevisionOrder): Fault | undefined {
  const revisions = read.rows.map(({ row }) => row?.revision ?? 0);
  const newest = Math.max(0, ...revisions);
  for (const { key, row } of read.rows) {
    const next = row?.revision === undefined ? undefined : order.nextWriteOf(key, row.revision);
    if (next === undefined || next.revision! > newest) continue;
    return {
      kind: 'torn-read',
      sentence: `${nameOperation(read.operation)} saw one key at revision ${newest} and ${key} as ${describeRow(row)}, though ${nameOperation(next.operation)} wrote ${key} at revision ${next.revision}`,
      operations: [next.operation, read.operation],
    };
  }
  return undefined;
}

/** A key is absent that was written, and that nobody can have deleted since. */
function findLostWrite(read: AnsweredRead, order: RevisionOrder): Fault | undefined {
  for (const { key, row } of read.rows) {
    if (row !== null) continue;
    const reached = order.writesOf(key).filter(({ revision }) => {
      const proof = order.firstProofOf(revision!);
      return proof !== undefined && proof.atUs < read.operation.calledUs;
    });
    const last = reached.at(-1);
    if (last === undefined || order.effectOn(key, last) === null) continue;
    const mayBeDeleted = order
      .possibleDeletesOf(key)
      .some(
        ({ operation, revision }) => operation.calledUs < read.returnedUs && (revision ?? Infinity) > last.revision!,
      );
    if (mayBeDeleted) continue;
    return {
      kind: 'lost-write',
      sentence: `${nameOperation(read.operation)} saw ${key} as absent, but ${nameOperation(last.operation)} had written it at revision ${last.revision}, and nobody deleted it since`,
      operations: [last.operation, read.operation],
    };
  }
  return undefined;
}

/** Where every write of the keys is known, what the conditions were about is known too. */
function findWrongCompare(write: SettledWrite, order: RevisionOrder): Fault | undefined {
  const { operation, revision } = write;
  const { conditions } = operation.action;
  if (operation.outcome?.kind !== 'written' || conditions.some(({ key }) => order.hasUnknownWrites(key)))
    return undefined;
  const failed = conditions.findIndex((condition) => !order.holdsBefore(condition, revision!));
  const answered = operation.outcome.failed ?? -1;
  if (failed === answered) return undefined;
  const at = failed === -1 || (answered !== -1 && answered < failed) ? answered : failed;
  const condition = conditions[at]!;
  const was = order.lastWriteOf(condition.key, revision! - 1);
  const by =
    was === undefined ? 'had never been written' : `was as ${nameOperation(was.operation)} left it at ${was.revision}`;
  return {
    kind: 'wrong-compare',
    sentence: `${nameOperation(operation)} was answered that ${describeAnswer(condition, at === answered)}, but at its revision ${revision} ${condition.key} ${by}`,
    operations: [...(was === undefined ? [] : [was.operation]), operation],
  };
}

function describeAnswer(condition: Condition, isSaidToFail: boolean): string {
  return `"${describeCondition(condition)}" ${isSaidToFail ? 'did not hold' : 'held'}`;
}

function firstOf<Item>(items: readonly Item[], find: (item: Item) => Fault | undefined): Fault | undefined {
  for (const item of items) {
    const fault = find(item);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

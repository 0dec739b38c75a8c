/**
 * What each client may rely on for itself, one operation after the other: its writes are done in its order, it reads what it wrote, and what it has seen does not go back. Every
 * linearizable history keeps these rules; they can be held against reads of any freshness at one node, too.
 */

import { describeRow, nameOperation } from '../history/describe-operation.ts';
import { effectOf, type History, type Operation } from '../history/operation.ts';
import type { Fault } from './fault.ts';

interface Known {
  readonly revision: number;
  readonly by: Operation;
}

/** Requires: each client waits for an answer before it calls the next operation. */
export function findSessionFault(history: History): Fault | undefined {
  const clients = new Map<number, SessionCheck>();
  for (const operation of history.operations) {
    const session = clients.get(operation.client) ?? new SessionCheck();
    clients.set(operation.client, session);
    const fault = session.take(operation);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

class SessionCheck {
  readonly #ofKeys = new Map<string, Known>();
  #lastWrite: Known | undefined;

  take(operation: Operation): Fault | undefined {
    const { action, outcome } = operation;
    if (action.kind === 'read') {
      if (outcome?.kind !== 'rows') return undefined;
      for (const [at, row] of outcome.rows.entries()) {
        if (row?.revision === undefined) continue;
        const fault = this.#takeRow(operation, action.keys[at]!, row.revision, describeRow(row));
        if (fault !== undefined) return fault;
      }
      return undefined;
    }
    if (outcome?.kind !== 'written' || outcome.revision === undefined) return undefined;
    const { revision } = outcome;
    const before = this.#lastWrite;
    this.#lastWrite = { revision, by: operation };
    if (before !== undefined && before.revision >= revision) {
      const sentence = `${nameOperation(operation)} was done at revision ${revision}, after ${nameOperation(before.by)} at ${before.revision}`;
      return { kind: 'reordered', sentence, operations: [before.by, operation] };
    }
    const changes = outcome.failed === undefined ? action.changes : action.otherwise;
    for (const key of effectOf(changes).keys()) this.#ofKeys.set(key, { revision, by: operation });
    return undefined;
  }

  #takeRow(operation: Operation, key: string, revision: number, row: string): Fault | undefined {
    const before = this.#ofKeys.get(key);
    if (before !== undefined && before.revision > revision) {
      const knew = `${nameOperation(before.by)} had it at ${before.revision}`;
      const sentence = `${nameOperation(operation)} saw ${key} as ${row}, but before that ${knew}`;
      return { kind: 'stale-read', sentence, operations: [before.by, operation] };
    }
    this.#ofKeys.set(key, { revision, by: operation });
    return undefined;
  }
}

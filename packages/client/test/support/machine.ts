/**
 * What a cluster agrees on, as a test needs it: rows with revisions, sessions with answers, and how often each write was really done.
 * The rules of sessions are those of docs/format/state-machine.md, "Sessions", said as plainly as possible.
 */

import { compareBytes, type Write, type WriteAnswer, type WriteCondition, type WriteOperation } from '@kayadb/codec';

const WINDOW = 1024;

export interface MachineRow {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly revision: number;
}

interface MachineSession {
  settled: number;
  readonly answers: Map<number, WriteAnswer>;
}

export type MachineRefusal = 'expired' | 'stale' | 'far';

export class Machine {
  readonly rows = new Map<string, MachineRow>();
  readonly sessions = new Map<number, MachineSession>();
  /** Writes that were done, in their order; a second time of the same write would be seen here. */
  readonly done: Write[] = [];
  /** The most that any session ever had open. */
  widestWindow = 0;
  index = 100;

  openSession(): number {
    const id = ++this.index;
    this.sessions.set(id, { settled: 1, answers: new Map() });
    return id;
  }

  write(write: Write, term: number): WriteAnswer | MachineRefusal {
    const { place } = write;
    if (place === undefined) return this.#apply(write, term);
    const session = this.sessions.get(place.session);
    if (session === undefined) return 'expired';
    const settled = Math.max(place.settled, session.settled);
    this.widestWindow = Math.max(this.widestWindow, place.serial - place.settled + 1);
    if (place.serial < settled) return 'stale';
    if (place.serial >= settled + WINDOW) return 'far';
    const before = session.answers.get(place.serial);
    if (before !== undefined) return before;
    const answer = this.#apply(write, term);
    session.settled = settled;
    session.answers.set(place.serial, answer);
    for (const serial of session.answers.keys()) if (serial < settled) session.answers.delete(serial);
    return answer;
  }

  sorted(): readonly MachineRow[] {
    return [...this.rows.values()].toSorted((a, b) => compareBytes(a.key, b.key));
  }

  #apply(write: Write, term: number): WriteAnswer {
    const revision = ++this.index;
    const at = write.conditions.findIndex((condition) => !this.#holds(condition));
    const operations = at < 0 ? write.operations : write.otherwise;
    for (const operation of operations) this.#do(operation, revision);
    this.done.push(write);
    return { revision, term, failed: at < 0 ? undefined : at };
  }

  #holds(condition: WriteCondition): boolean {
    const row = this.rows.get(hex(condition.key));
    switch (condition.kind) {
      case 'exists':
        return (row !== undefined) === condition.exists;
      case 'value':
        return row !== undefined && hex(row.value) === hex(condition.value);
      case 'revision':
        return (row?.revision ?? 0) === condition.revision;
    }
  }

  #do(operation: WriteOperation, revision: number): void {
    switch (operation.kind) {
      case 'put': {
        const [key, value] = [new Uint8Array(operation.key), new Uint8Array(operation.value)];
        this.rows.set(hex(key), { key, value, revision });
        return;
      }
      case 'delete':
        this.rows.delete(hex(operation.key));
        return;
      case 'delete-range':
        for (const [name, { key }] of this.rows) {
          const isBelow = operation.to.length === 0 || compareBytes(key, operation.to) < 0;
          if (compareBytes(key, operation.from) >= 0 && isBelow) this.rows.delete(name);
        }
    }
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

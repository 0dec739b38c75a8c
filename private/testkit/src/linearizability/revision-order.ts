/** The writes of a history in the order of their revisions, and since when each revision was known to be reached. */

import type { Condition, Operation } from '../history/operation.ts';
import { effectOf, keysOf } from '../history/operation.ts';
import { effectOfWrite, type SettledHistory, type SettledWrite } from './settled-history.ts';

/** An operation whose answer shows that a revision had been reached. */
export interface Proof {
  readonly operation: Operation;
  readonly revision: number;
  readonly atUs: number;
}

interface KeyWrites {
  /** Ascending. */
  readonly revisions: number[];
  readonly writes: SettledWrite[];
}

const NO_WRITES: KeyWrites = { revisions: [], writes: [] };

export class RevisionOrder {
  /** Those whose revision is known, ascending. */
  readonly writes: readonly SettledWrite[];
  readonly #byKey = new Map<string, KeyWrites>();
  readonly #unknown: readonly SettledWrite[];
  readonly #unknownKeys: ReadonlySet<string>;
  /** Ascending by revision, each the earliest of all that prove as much or more. */
  readonly #proofs: readonly Proof[];
  readonly #proofRevisions: readonly number[];

  constructor(history: SettledHistory) {
    this.writes = history.writes
      .filter(({ revision }) => revision !== undefined)
      .toSorted((a, b) => a.revision! - b.revision!);
    for (const write of this.writes) for (const key of effectOfWrite(write).keys()) this.#add(key, write);
    this.#unknown = history.writes.filter(({ revision }) => revision === undefined);
    this.#unknownKeys = new Set(this.#unknown.flatMap(({ operation }) => keysOf(operation.action)));
    this.#proofs = earliestProofs(history);
    this.#proofRevisions = this.#proofs.map(({ revision }) => revision);
  }

  /** Of known revision, ascending. */
  writesOf(key: string): readonly SettledWrite[] {
    return this.#of(key).writes;
  }

  /** The key's first write above that revision. */
  nextWriteOf(key: string, revision: number): SettledWrite | undefined {
    const { revisions, writes } = this.#of(key);
    return writes[countUpTo(revisions, revision)];
  }

  /** The key's last write at or below that revision. */
  lastWriteOf(key: string, revision: number): SettledWrite | undefined {
    const { revisions, writes } = this.#of(key);
    return writes[countUpTo(revisions, revision) - 1];
  }

  effectOn(key: string, write: SettledWrite): string | null {
    return effectOfWrite(write).get(key) ?? null;
  }

  /** The earliest answer that shows that `revision` or a later one had been reached. */
  firstProofOf(revision: number): Proof | undefined {
    return this.#proofs[countUpTo(this.#proofRevisions, revision - 1)];
  }

  /** Writes that have deleted the key, or may have. */
  possibleDeletesOf(key: string): readonly SettledWrite[] {
    const deletes = ({ operation: { action } }: SettledWrite): boolean =>
      [action.changes, action.otherwise].some((changes) => effectOf(changes).get(key) === null);
    return [
      ...this.writesOf(key).filter((write) => this.effectOn(key, write) === null),
      ...this.#unknown.filter(deletes),
    ];
  }

  /** Whether some write that may have changed the key has no known place. */
  hasUnknownWrites(key: string): boolean {
    return this.#unknownKeys.has(key);
  }

  /** Requires: the key has no unknown writes. */
  holdsBefore(condition: Condition, revision: number): boolean {
    const last = this.lastWriteOf(condition.key, revision - 1);
    const value = last === undefined ? null : this.effectOn(condition.key, last);
    switch (condition.kind) {
      case 'exists':
        return (value !== null) === condition.exists;
      case 'value':
        return value === condition.value;
      case 'revision':
        return condition.revision === (value === null ? 0 : last!.revision);
    }
  }

  #of(key: string): KeyWrites {
    return this.#byKey.get(key) ?? NO_WRITES;
  }

  #add(key: string, write: SettledWrite): void {
    const list = this.#byKey.get(key) ?? { revisions: [], writes: [] };
    this.#byKey.set(key, list);
    list.revisions.push(write.revision!);
    list.writes.push(write);
  }
}

function earliestProofs({ writes, reads }: SettledHistory): readonly Proof[] {
  const all: Proof[] = [
    ...writes.map(({ operation, revision }) => ({ operation, revision: revision ?? 0, atUs: answeredUs(operation) })),
    ...reads.flatMap(({ operation, rows, returnedUs }) =>
      rows.map(({ row }) => ({ operation, revision: row?.revision ?? 0, atUs: returnedUs })),
    ),
  ].toSorted((a, b) => a.revision - b.revision);
  for (let at = all.length - 2; at >= 0; at--) if (all[at + 1]!.atUs < all[at]!.atUs) all[at] = all[at + 1]!;
  return all.filter(({ atUs }) => atUs < Number.POSITIVE_INFINITY);
}

function answeredUs({ outcome, returnedUs }: Operation): number {
  return outcome?.kind === 'written' ? returnedUs! : Number.POSITIVE_INFINITY;
}

/** How many of the ascending numbers are at most `limit`. */
function countUpTo(ascending: readonly number[], limit: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle]! <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

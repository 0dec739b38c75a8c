/**
 * A store in memory that does everything at one moment between call and answer, which is drawn from the seed; now and then it leaves a call unanswered, or refuses it.
 * The wrong stores override one step each.
 */

import {
  type Condition,
  effectOf,
  type ReadAction,
  type ReadOutcome,
  type SeenRow,
  type WriteAction,
  type WriteOutcome,
} from '../../src/history/operation.ts';
import type { SeededRandom } from '../../src/seeded-random.ts';
import type { StoreClient } from '../../src/workload/store-client.ts';

export interface MemoryStoreOptions {
  readonly random: SeededRandom;
  /** Share of writes that are not answered; half of them are done, some of those long after. Default 0. */
  readonly unknownShare?: number;
  /** Share of calls that are refused. Default 0. */
  readonly refusedShare?: number;
  /** Whether answers carry revisions. Default true. */
  readonly hasRevisions?: boolean;
}

export interface StoredRow {
  readonly value: string;
  readonly revision: number;
}

export type Rows = Map<string, StoredRow>;

/** A moment of the store, for those that look at an old one. */
export class MemoryStore {
  readonly random: SeededRandom;
  rows: Rows = new Map();
  revision = 0;
  readonly #options: MemoryStoreOptions;
  readonly #late: Promise<void>[] = [];

  constructor(options: MemoryStoreOptions) {
    this.#options = options;
    this.random = options.random.fork('store');
  }

  client(number: number): StoreClient {
    return {
      read: (action) => this.#read(number, action),
      write: (action) => this.#write(number, action),
    };
  }

  /** Resolves when writes that came late have come. */
  async settled(): Promise<void> {
    await Promise.all(this.#late);
  }

  /** What a read finds at its moment. */
  look(_client: number, keys: readonly string[]): readonly (StoredRow | undefined)[] {
    return keys.map((key) => this.rows.get(key));
  }

  /** Does a write at its moment. */
  apply(_client: number, action: WriteAction): { readonly revision: number; readonly failed: number | undefined } {
    const revision = ++this.revision;
    const failed = firstBroken(action.conditions, this.rows);
    change(this.rows, failed === undefined ? action.changes : action.otherwise, revision);
    return { revision, failed };
  }

  /** Whether an answer to a write that was done tells it; a wrong store says that it was refused. */
  refusesWhatItDid(): boolean {
    return false;
  }

  async #read(client: number, { keys }: ReadAction): Promise<ReadOutcome> {
    await this.#wander();
    if (this.random.chance(this.#options.refusedShare ?? 0)) return { kind: 'not-done', reason: 'refused' };
    const rows = this.look(client, keys).map((row) => (row === undefined ? null : this.#tell(row)));
    await this.#wander();
    return { kind: 'rows', rows };
  }

  async #write(client: number, action: WriteAction): Promise<WriteOutcome> {
    await this.#wander();
    if (this.random.chance(this.#options.refusedShare ?? 0)) return { kind: 'not-done', reason: 'refused' };
    if (this.random.chance(this.#options.unknownShare ?? 0)) {
      if (this.random.chance(0.5)) this.#late.push(this.#applyLate(client, action));
      await this.#wander();
      return { kind: 'unknown', reason: 'lost' };
    }
    const { revision, failed } = this.apply(client, action);
    await this.#wander();
    if (this.refusesWhatItDid()) return { kind: 'not-done', reason: 'refused' };
    const told = this.#options.hasRevisions === false ? {} : { revision };
    return { kind: 'written', ...told, ...(failed === undefined ? {} : { failed }) };
  }

  async #applyLate(client: number, action: WriteAction): Promise<void> {
    for (let turns = this.random.int(40); turns > 0; turns--) await this.#wander();
    this.apply(client, action);
  }

  #tell({ value, revision }: StoredRow): SeenRow {
    return this.#options.hasRevisions === false ? { value } : { value, revision };
  }

  async #wander(): Promise<void> {
    for (let turns = this.random.int(12); turns > 0; turns--) await Promise.resolve();
  }
}

export function firstBroken(conditions: readonly Condition[], rows: Rows): number | undefined {
  const failed = conditions.findIndex((condition) => {
    const row = rows.get(condition.key);
    if (condition.kind === 'exists') return (row !== undefined) !== condition.exists;
    return condition.kind === 'value' ? row?.value !== condition.value : (row?.revision ?? 0) !== condition.revision;
  });
  return failed === -1 ? undefined : failed;
}

export function change(rows: Rows, changes: WriteAction['changes'], revision: number): void {
  for (const [key, value] of effectOf(changes)) {
    if (value === null) rows.delete(key);
    else rows.set(key, { value, revision });
  }
}

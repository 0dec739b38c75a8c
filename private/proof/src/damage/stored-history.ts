/** What a store held after each of its writes, so that any prefix of them can be recognised. */

import type { BatchOperation, Engine } from '@kayadb/engine';

import { applyWrite, type Content, toOperations, type WorkloadWriteOp } from '../workload/workload.ts';

/** The rows of a content as a scan gives them: `key=value`, in the order of keys. */
export type Rows = readonly string[];

/** Writes to a store and remembers. A place is a sequence number, or an applied index in a store with an external log. */
export class StoredHistory {
  readonly #rowsAt = new Map<number, Rows>([[0, []]]);
  readonly #keys = new Set<string>();
  #content: Content = new Map();
  #lastPlace = 0;

  /** @param engine - The store as it is open now: a history may go over several openings. */
  async write(engine: Engine, ops: readonly WorkloadWriteOp[], log: 'own' | 'external'): Promise<void> {
    const first = this.#lastPlace;
    const writes = ops.map(async (op, i) => {
      const operations: readonly BatchOperation[] = toOperations(op);
      const options = log === 'external' ? { appliedIndex: first + 1 + i } : {};
      const { sequence } = await engine.batch(operations, options);
      return log === 'external' ? first + 1 + i : sequence;
    });
    // Writes that wait together are one record, and apply in the order in which they were handed in.
    for (const [i, place] of (await Promise.all(writes)).entries()) {
      this.#content = applyWrite(this.#content, ops[i]!);
      for (const key of this.#content.keys()) this.#keys.add(key);
      this.#rowsAt.set(place, rowsOf(this.#content));
      this.#lastPlace = place;
    }
  }

  get lastPlace(): number {
    return this.#lastPlace;
  }

  /** Every key that was ever written, also those that are gone. */
  get keys(): readonly string[] {
    return [...this.#keys].toSorted();
  }

  /** @returns `undefined` inside a batch, where no reader ever was. */
  at(place: number): Rows | undefined {
    return this.#rowsAt.get(place);
  }
}

function rowsOf(content: Content): Rows {
  return [...content].map(([key, value]) => `${key}=${value}`).toSorted();
}

/**
 * Point reads of one state of the store: memtables, then tables, minus what range deletes hide.
 *
 * Invariant: memtables, range deletes and version are taken in one turn, so that together they are one state however long the
 * reading takes. A read that is answered from memory allocates nothing but its result.
 */

import { copyBytes } from '@kayadb/codec';

import { lookUpInTables, readFromTables } from './iterate/lookup.ts';
import { type Entry, PUT_KIND, type SequenceNumber } from './key/internal-key.ts';
import type { MemtableHit } from './memtable/memtable-hit.ts';
import type { MemtableList } from './memtable/memtable-list.ts';
import type { RangeDeleteIndex } from './range-delete/range-delete-index.ts';
import type { KeySpan } from './range-delete/range-delete.ts';
import { hashKey } from './sstable/filter.ts';
import { LOOKUP, type LookupOutcome, PointLookup } from './sstable/point-lookup.ts';
import type { Tables } from './sstable/tables.ts';
import { ValuePool } from './value-pool.ts';
import type { VersionSet } from './version/version-set.ts';

export interface ReadPathParts {
  readonly memtables: MemtableList;
  readonly versions: VersionSet;
  readonly tables: Tables;
  readonly rangeDeletes: RangeDeleteIndex;
}

type Value = Uint8Array | undefined;

/** Bound: reads of `getMany` that wait for the disk at the same time. */
const MAX_READS_IN_FLIGHT = 64;

export class ReadPath {
  readonly #parts: ReadPathParts;
  readonly #lookup = new PointLookup();
  readonly #values = new ValuePool();

  constructor(parts: ReadPathParts) {
    this.#parts = parts;
  }

  /**
   * The value of `key` at `sequence`, in an array of the caller's own. In the caller's turn if everything needed is in memory.
   * Keeps no reference to `key`.
   */
  get(key: Uint8Array, sequence: SequenceNumber): Value | Promise<Value> {
    const hidden = this.#hiddenBelow(key, sequence);
    const recent = this.#parts.memtables.find(key, sequence);
    if (recent !== undefined) return this.#recentValue(recent, hidden);
    const hash = hashKey(key);
    const outcome = this.#lookUp(key, hash, sequence, false);
    if (outcome === LOOKUP.cold) return this.#readValue(copyBytes(key), hash, sequence, hidden);
    return this.#foundValue(outcome, hidden);
  }

  /** As `get`, in the caller's turn in any case. */
  getSync(key: Uint8Array, sequence: SequenceNumber): Value {
    const hidden = this.#hiddenBelow(key, sequence);
    const recent = this.#parts.memtables.find(key, sequence);
    if (recent !== undefined) return this.#recentValue(recent, hidden);
    return this.#foundValue(this.#lookUp(key, hashKey(key), sequence, true), hidden);
  }

  /** Whether `key` has a value at `sequence`. As `get`, without the copy. */
  has(key: Uint8Array, sequence: SequenceNumber): boolean | Promise<boolean> {
    const hidden = this.#hiddenBelow(key, sequence);
    const recent = this.#parts.memtables.find(key, sequence);
    if (recent !== undefined) return isVisible(recent, hidden);
    const hash = hashKey(key);
    const outcome = this.#lookUp(key, hash, sequence, false);
    if (outcome !== LOOKUP.cold) return outcome === LOOKUP.found && isVisible(this.#lookup, hidden);
    return this.#read(copyBytes(key), hash, sequence).then((found) => found !== undefined && isVisible(found, hidden));
  }

  /** The values of `keys`, in their order, all of one state; what is not in memory is read at the same time. */
  async getMany(keys: readonly Uint8Array[], sequence: SequenceNumber): Promise<Value[]> {
    const values: Value[] = Array.from({ length: keys.length });
    const cold: ColdKey[] = [];
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!;
      const hidden = this.#hiddenBelow(key, sequence);
      const recent = this.#parts.memtables.find(key, sequence);
      if (recent !== undefined) {
        values[i] = this.#recentValue(recent, hidden);
        continue;
      }
      const hash = hashKey(key);
      const outcome = this.#lookUp(key, hash, sequence, false);
      if (outcome === LOOKUP.cold) cold.push({ index: i, key: copyBytes(key), hash, hidden });
      else values[i] = this.#foundValue(outcome, hidden);
    }
    if (cold.length > 0) await this.#readCold(cold, sequence, values);
    return values;
  }

  /** Bytes on disk of what may hold keys of `span`; what is in memtables only counts nothing. */
  async approximateBytes(span: KeySpan): Promise<number> {
    const { versions, tables } = this.#parts;
    const version = versions.current.retain();
    try {
      let bytes = 0;
      for (const table of version.levels.flat()) bytes += await tables.approximateBytes(table, span);
      return bytes;
    } finally {
      version.release();
    }
  }

  #lookUp(key: Uint8Array, hash: number, sequence: SequenceNumber, mayRead: boolean): LookupOutcome {
    const { versions, tables } = this.#parts;
    return lookUpInTables(versions.current, tables, key, hash, sequence, this.#lookup, mayRead);
  }

  /** Entries of `key` with a smaller sequence number are hidden from readers at `sequence`. */
  #hiddenBelow(key: Uint8Array, sequence: SequenceNumber): SequenceNumber {
    const deletes = this.#parts.rangeDeletes.current;
    return deletes.isEmpty ? 0 : deletes.newestCovering(key, sequence);
  }

  #recentValue(hit: Readonly<MemtableHit>, hidden: SequenceNumber): Value {
    return isVisible(hit, hidden) ? this.#values.copy(hit.bytes, hit.valueAt, hit.valueBytes) : undefined;
  }

  #foundValue(outcome: LookupOutcome, hidden: SequenceNumber): Value {
    const lookup = this.#lookup;
    if (outcome !== LOOKUP.found || !isVisible(lookup, hidden)) return undefined;
    return this.#values.copyFound(lookup);
  }

  async #readValue(key: Uint8Array, hash: number, sequence: SequenceNumber, hidden: SequenceNumber): Promise<Value> {
    const found = await this.#read(key, hash, sequence);
    return found !== undefined && isVisible(found, hidden) ? found.value : undefined;
  }

  /** Takes the version in the caller's turn. The entry is the caller's own. */
  async #read(key: Uint8Array, hash: number, sequence: SequenceNumber): Promise<Entry | undefined> {
    const { versions, tables } = this.#parts;
    const version = versions.current.retain();
    try {
      return await readFromTables(version, tables, key, hash, sequence);
    } finally {
      version.release();
    }
  }

  async #readCold(cold: readonly ColdKey[], sequence: SequenceNumber, values: Value[]): Promise<void> {
    // Holds the version of this turn for those that have to queue.
    const version = this.#parts.versions.current.retain();
    let next = 0;
    const work = async (): Promise<void> => {
      while (next < cold.length) {
        const { index, key, hash, hidden } = cold[next++]!;
        const found = await readFromTables(version, this.#parts.tables, key, hash, sequence);
        if (found !== undefined && isVisible(found, hidden)) values[index] = found.value;
      }
    };
    try {
      const outcomes = await Promise.allSettled(
        Array.from({ length: Math.min(cold.length, MAX_READS_IN_FLIGHT) }, work),
      );
      const failure = outcomes.find(({ status }) => status === 'rejected');
      if (failure?.status === 'rejected') throw failure.reason;
    } finally {
      version.release();
    }
  }
}

interface ColdKey {
  /** Among the keys asked for. */
  readonly index: number;
  readonly key: Uint8Array;
  readonly hash: number;
  readonly hidden: SequenceNumber;
}

/** Whether readers see the entry as a value: it is no delete, and no range delete hides it. */
function isVisible(
  entry: { readonly kind: number; readonly sequence: SequenceNumber },
  hidden: SequenceNumber,
): boolean {
  return entry.kind === PUT_KIND && entry.sequence >= hidden;
}

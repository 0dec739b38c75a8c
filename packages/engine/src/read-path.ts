/** Reads of one state of the store: memtables, then tables, minus what range deletes hide. */

import { copyValue, lookUpInTables } from './iterate/lookup.ts';
import type { SequenceNumber } from './key/internal-key.ts';
import type { MemtableList } from './memtable/memtable-list.ts';
import type { RangeDeleteIndex } from './range-delete/range-delete-index.ts';
import type { Tables } from './sstable/tables.ts';
import type { VersionSet } from './version/version-set.ts';

export interface ReadPathParts {
  readonly memtables: MemtableList;
  readonly versions: VersionSet;
  readonly tables: Tables;
  readonly rangeDeletes: RangeDeleteIndex;
}

export class ReadPath {
  readonly #parts: ReadPathParts;

  constructor(parts: ReadPathParts) {
    this.#parts = parts;
  }

  /** The value of `key` at `sequence`, in an array of the caller's own. */
  get(key: Uint8Array, sequence: SequenceNumber): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    const found = this.#parts.memtables.get(key, sequence);
    return found === undefined ? this.#getFromTables(key, sequence) : copyValue(found);
  }

  async #getFromTables(key: Uint8Array, sequence: SequenceNumber): Promise<Uint8Array | undefined> {
    const { versions, tables } = this.#parts;
    const version = versions.current.retain();
    try {
      const found = await lookUpInTables(version, key, sequence, (table, wanted, maxSequence) =>
        tables.get(table, wanted, maxSequence),
      );
      return copyValue(found);
    } finally {
      version.release();
    }
  }
}

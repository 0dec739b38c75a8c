/**
 * What the records of a log make of it, one after the other, and which of them no sync vouches for.
 *
 * Invariant: after every record the log has no gap. Format: docs/format/raft-log.md, "Life of the log".
 */

import type { LogIndex, Term } from '../core/types.ts';
import { RaftCorruptionError } from '../errors.ts';
import { EntryTable } from './entry-table.ts';
import type { SegmentStart } from './file-header.ts';
import { RESET_RECORD } from './segment-format.ts';
import type { SegmentRecord } from './segment-records.ts';

/** A record that no later one says was durable, and where the log ended before it. */
export interface UnvouchedRecord {
  readonly lsn: number;
  readonly isReset: boolean;
  readonly count: number;
  readonly firstIndex: LogIndex;
  readonly lastIndexBefore: LogIndex;
  readonly lastTermBefore: Term;
}

export class LogReplay {
  #table: EntryTable;
  #commit: LogIndex = 0;
  #durableLsn: number;
  #unvouched: UnvouchedRecord[] = [];

  /** @param start - Of the first segment. */
  constructor(start: SegmentStart) {
    this.#table = new EntryTable(start.firstIndex - 1, start.previousTerm);
    this.#durableLsn = start.startLsn;
  }

  get table(): EntryTable {
    return this.#table;
  }

  /** The greatest that a record says. */
  get commit(): LogIndex {
    return this.#commit;
  }

  /** Everything below was durable, as far as records and headers say. */
  get durableLsn(): number {
    return this.#durableLsn;
  }

  /** Oldest first; the first begins at `durableLsn`, or there is none. */
  get unvouched(): readonly UnvouchedRecord[] {
    return this.#unvouched;
  }

  /** Whether the log ends with the entry that `start` says it follows. Then it is that log: where two have an entry in common, they have all before it (paper section 5.3). */
  leadsTo({ firstIndex, previousTerm }: SegmentStart): boolean {
    return firstIndex === this.#table.lastIndex + 1 && previousTerm === this.#table.lastTerm;
  }

  /** The next segment begins, where the records of the last have ended. @throws RaftCorruptionError when it says otherwise. */
  enter(file: string, start: SegmentStart): void {
    if (!this.leadsTo(start)) {
      const { lastIndex, lastTerm } = this.#table;
      throw new RaftCorruptionError(
        file,
        0,
        `it begins behind entry ${start.firstIndex - 1} of term ${start.previousTerm}, and the log ends with entry ${lastIndex} of term ${lastTerm}`,
      );
    }
    this.#vouch(start.startLsn);
  }

  /** @throws RaftCorruptionError when `record` does not fit the log. */
  apply(file: string, segment: number, record: SegmentRecord): void {
    this.#vouch(record.durableLsn);
    const { firstIndex, previousTerm, count, lsn, kind } = record;
    const isReset = kind === RESET_RECORD;
    this.#unvouched.push({
      lsn,
      isReset,
      count,
      firstIndex,
      lastIndexBefore: this.#table.lastIndex,
      lastTermBefore: this.#table.lastTerm,
    });
    if (isReset || firstIndex < this.#table.firstIndex) this.#table = new EntryTable(firstIndex - 1, previousTerm);
    this.#checkPlace(file, record);
    if (count > 0) this.#table.truncate(firstIndex);
    for (const { term, offset, bytes } of record.entries) this.#table.push(term, segment, offset, bytes);
    this.#commit = Math.max(this.#commit, record.commit);
  }

  #checkPlace(file: string, { firstIndex, previousTerm, count, offset }: SegmentRecord): void {
    const { lastIndex } = this.#table;
    if (firstIndex > lastIndex + 1 || (count === 0 && firstIndex !== lastIndex + 1)) {
      throw new RaftCorruptionError(
        file,
        offset,
        `a record begins at index ${firstIndex}, and the log ends at ${lastIndex}`,
      );
    }
    const term = this.#table.term(firstIndex - 1);
    if (term !== previousTerm) {
      throw new RaftCorruptionError(
        file,
        offset,
        `a record follows an entry of term ${previousTerm}, and the log has term ${term} at index ${firstIndex - 1}`,
      );
    }
  }

  #vouch(durableLsn: number): void {
    if (durableLsn <= this.#durableLsn) return;
    this.#durableLsn = durableLsn;
    const first = this.#unvouched.findIndex(({ lsn }) => lsn >= durableLsn);
    this.#unvouched.splice(0, first === -1 ? this.#unvouched.length : first);
  }
}

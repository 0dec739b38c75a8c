/** Planted bugs of versions: which writes are there, which are hidden, which may go. */

import type { Mutant } from './mutant.ts';

export const versionMutants: readonly Mutant[] = [
  {
    name: 'reuse-sequence',
    file: 'packages/engine/src/recover/load-store.ts',
    find: 'lastSequence: wal.lastSequence,\n    endLsn',
    replace: 'lastSequence: Math.max(state.flushedSequence, wal.lastSequence - 1),\n    endLsn',
    proof: 'crash',
    why: 'The first write after opening has the sequence number of the last one before.',
  },
  {
    name: 'reuse-file-number',
    file: 'packages/engine/src/recover/load-store.ts',
    find: 'nextFileNumber: Math.max(state.nextFileNumber, nextFileNumber(entries)) };',
    replace: 'nextFileNumber: state.nextFileNumber };',
    proof: 'crash',
    why: 'A new file wants the name of one that a crash left.',
  },
  {
    name: 'range-delete-forgotten-too-early',
    file: 'packages/engine/src/range-delete/spent.ts',
    find: '(table.rangeDeletesApplied ?? 0) < one.sequence &&',
    replace: '(table.rangeDeletesApplied ?? 0) < one.sequence - 50 &&',
    proof: 'crash',
    why: 'What a range delete hides comes back when it is forgotten.',
  },
  {
    name: 'range-deletes-of-flush-lost',
    file: 'packages/engine/src/compaction/flush-job.ts',
    find: 'addedRangeDeletes: withoutCovered(rangeDeletes, snapshots),',
    replace: '',
    proof: 'crash',
    why: 'The flush drops range deletes, and what lies deeper comes back.',
  },
  {
    name: 'range-deletes-applied-to-all',
    file: 'packages/engine/src/compaction/retention.ts',
    find: 'this.#snapshots[stripe] ?? Infinity) > sequence',
    replace: 'this.#snapshots[stripe] ?? Infinity) > 0',
    proof: 'crash',
    why: 'A merge drops what was written after a range delete.',
  },
  {
    name: 'tombstone-dropped-too-early',
    file: 'packages/engine/src/compaction/table-work.ts',
    find: ': (key: Uint8Array) => below.some((tables) => findTable(tables, key) !== undefined);',
    replace: ': () => false;',
    proof: 'crash',
    why: 'A delete goes while an older version lies deeper, which comes back.',
  },
  {
    name: 'tombstone-dropped-by-flush',
    file: 'packages/engine/src/compaction/table-work.ts',
    find: 'return writeTables(job, world, [entries], 0, () => true);',
    replace: 'return writeTables(job, world, [entries], 0, () => false);',
    proof: 'crash',
    why: 'A flush drops deletes, and older versions come back.',
  },
  {
    name: 'merge-keeps-older-version',
    file: 'packages/engine/src/compaction/run-merge.ts',
    find: 'return order === 0 ? a.sequence > b.sequence : order < 0;',
    replace: 'return order === 0 ? a.sequence < b.sequence : order < 0;',
    proof: 'crash',
    why: 'Of two versions of a key the merge keeps the older one.',
  },
  {
    name: 'snapshot-ignored-by-compaction',
    file: 'packages/engine/src/compaction/retention.ts',
    find: 'const stripe = this.#snapshots.length === 0 ? 0 : this.#oldestSnapshotSeeing(sequence);',
    replace: 'const stripe = 0;',
    proof: 'faults',
    why: 'A merge drops what an open snapshot sees.',
  },
  {
    name: 'overlaps-left-out',
    file: 'packages/engine/src/compaction/compaction-job.ts',
    find: 'removedTables: [...removals(level, choice.inputs), ...removals(toLevel, overlaps)],',
    replace: 'removedTables: [...removals(level, choice.inputs)],',
    proof: 'crash',
    why: 'Tables that were merged stay beside what they were merged into.',
  },
  {
    name: 'torn-batch-taken',
    file: 'packages/engine/src/wal/wal-replay.ts',
    find: 'if (count !== record.count) throw new DecodeError',
    replace: 'if (count > record.count) throw new DecodeError',
    proof: 'fuzz',
    test: "'wal'",
    why: 'A record with fewer operations than it says is taken for whole.',
  },
  {
    name: 'batch-split-over-records',
    file: 'packages/engine/src/wal/wal-writer.ts',
    find: `    this.#current.log.append(group.payloads, {
      kind: COMMIT_GROUP_RECORD,
      firstOrdinal: group.firstSequence,
      count: group.count,
      durableLsn: this.#durableLsn,
    });`,
    replace: `    let firstOrdinal = group.firstSequence;
    for (const payload of group.payloads) {
      for (let at = 0; at < payload.length;) {
        const bytes = 8 + payload[at + 4]! + 256 * payload[at + 5]! + payload[at]! + 256 * payload[at + 1]! + 65536 * payload[at + 2]!;
        const fields = { kind: COMMIT_GROUP_RECORD, firstOrdinal, count: 1, durableLsn: this.#durableLsn };
        this.#current.log.append([payload.subarray(at, at + bytes)], fields);
        firstOrdinal++;
        at += bytes;
      }
    }`,
    proof: 'crash',
    why: 'A crash leaves one half of a batch.',
  },
  {
    name: 'replay-skips-what-tables-hold-and-one-more',
    file: 'packages/engine/src/wal/wal-replay.ts',
    find: 'if (sequence > flushedSequence) return;',
    replace: 'if (sequence > flushedSequence + 1) return;',
    proof: 'crash',
    why: 'The first write behind the last flush is lost by recovery.',
  },
  {
    name: 'applied-index-ahead-of-data',
    file: 'packages/engine/src/compaction/flush-job.ts',
    find: 'const durableIndex = hasExternalLog ? memtable.appliedIndex : undefined;',
    replace:
      'const durableIndex = hasExternalLog ? (memtables.active.appliedIndex ?? memtable.appliedIndex) : undefined;',
    proof: 'crash-settings',
    why: 'Tables claim an index of the external log that they do not hold, and it is not repeated.',
  },
  {
    name: 'filter-says-absent',
    file: 'packages/engine/src/sstable/filter.ts',
    find: 'let bit = mixed & (LINE_BITS - 1);',
    replace: 'let bit = (mixed + 1) & (LINE_BITS - 1);',
    proof: 'crash',
    why: 'A key that is there is not found.',
  },
  {
    name: 'deleted-files-too-many',
    file: 'packages/engine/src/version/version-set.ts',
    find: 'const live = new Set<FileNumber>(this.#reserved);',
    replace: 'const live = new Set<FileNumber>();',
    proof: 'crash',
    why: 'A table that is being written is removed as an orphan.',
  },
  {
    name: 'retained-versions-forgotten',
    file: 'packages/engine/src/version/version-set.ts',
    find: 'for (const version of this.#inUse) {',
    replace: 'for (const version of [this.#current]) {',
    proof: 'faults',
    why: 'Tables that a scan or a checkpoint still reads are removed.',
  },
];

/** The engine's counters under the names of the original's STATS document, in its order, then the newer ones. */

import type { EngineStats } from '@kayadb/engine';

import type { StatsDocument } from './store.ts';

/** Times are microseconds, sizes bytes. Counts start at zero when the store is opened. */
export function engineStatsDocument(stats: EngineStats): StatsDocument {
  return {
    put_count: stats.putCount,
    get_count: stats.getCount,
    delete_count: stats.deleteCount,
    scan_count: stats.scanCount,
    wal_bytes_written: stats.walBytesWritten,
    wal_fsync_count: stats.walFsyncCount,
    wal_fsync_total_us: stats.walFsyncTotalUs,
    wal_fsync_max_us: stats.walFsyncMaxUs,
    memtable_entries: stats.memtableEntries,
    sstable_count: stats.tableCount,
    last_sequence: stats.lastSequence,
    flush_total_us: stats.flushTotalUs,
    flush_max_us: stats.flushMaxUs,
    flush_count: stats.flushCount,
    compaction_total_us: stats.compactionTotalUs,
    compaction_max_us: stats.compactionMaxUs,
    compaction_count: stats.compactionCount,
    block_cache_hits: stats.blockCacheHits,
    block_cache_misses: stats.blockCacheMisses,
    recovery_duration_us: stats.recoveryDurationUs,
    get_total_us: stats.getTotalUs,
    get_max_us: stats.getMaxUs,
    scan_total_us: stats.scanTotalUs,
    scan_max_us: stats.scanMaxUs,
    sstable_bytes: stats.tableBytes,
    levels: stats.levels.map(({ tableCount, bytes, entryCount }) => ({
      sstable_count: tableCount,
      bytes,
      entry_count: entryCount,
    })),
    compaction_bytes_read: stats.compactionBytesRead,
    compaction_bytes_written: stats.compactionBytesWritten,
    memtable_bytes: stats.memtableBytes,
    block_cache_bytes: stats.blockCacheBytes,
    recovered_records: stats.recoveredRecords,
    truncated_bytes: stats.truncatedBytes,
    stall_count: stats.stallCount,
    stall_total_us: stats.stallTotalUs,
    open_snapshots: stats.openSnapshots,
    slowed_bytes: stats.slowedBytes,
    slowed_total_us: stats.slowedTotalUs,
    range_deletes: stats.rangeDeletes,
    memory_bytes: stats.memoryBytes,
    table_index_bytes: stats.tableIndexBytes,
    cold_get_count: stats.coldGetCount,
    disk_state: stats.diskState,
    disk_available_bytes: stats.diskAvailableBytes,
    disk_reserve_bytes: stats.diskReserveBytes,
    scrub_count: stats.scrubCount,
    scrub_total_us: stats.scrubTotalUs,
    scrub_last: stats.scrubLast,
    scrub_damage_count: stats.scrubDamageCount,
    scrub_damage: stats.scrubDamage,
  };
}

/** Puts the figures of a store's parts together. */

import type { Store } from './store.ts';
import type { EngineStats } from './types.ts';

/** What opening found and did. */
export interface RecoveryFigures {
  readonly durationUs: number;
  readonly recoveredRecords: number;
  readonly truncatedBytes: number;
}

export function collectStats(store: Store, recovery: RecoveryFigures): EngineStats {
  const { counters, versions, blockCache, wal, startLsn, options } = store.parts;
  const levels = versions.current.levels.map((tables) => ({
    tableCount: tables.length,
    bytes: tables.reduce((sum, { fileBytes }) => sum + fileBytes, 0),
    entryCount: tables.reduce((sum, { entryCount }) => sum + entryCount, 0),
  }));
  const cache = blockCache.stats;
  return {
    putCount: counters.puts,
    deleteCount: counters.deletes,
    getCount: counters.gets.count,
    scanCount: counters.scans.count,
    coldGetCount: counters.coldGets.count,
    getTotalUs: counters.coldGets.totalUs,
    getMaxUs: counters.coldGets.maxUs,
    scanTotalUs: counters.scans.totalUs,
    scanMaxUs: counters.scans.maxUs,
    walBytesWritten: wal.endLsn - startLsn,
    walFsyncCount: counters.walSyncs.count,
    walFsyncTotalUs: counters.walSyncs.totalUs,
    walFsyncMaxUs: counters.walSyncs.maxUs,
    flushCount: counters.flushes.count,
    flushTotalUs: counters.flushes.totalUs,
    flushMaxUs: counters.flushes.maxUs,
    compactionCount: counters.compactions.count,
    compactionTotalUs: counters.compactions.totalUs,
    compactionMaxUs: counters.compactions.maxUs,
    compactionBytesRead: counters.compactionBytesRead,
    compactionBytesWritten: counters.compactionBytesWritten,
    stallCount: counters.stalls.count,
    stallTotalUs: counters.stalls.totalUs,
    blockCacheHits: cache.hits,
    blockCacheMisses: cache.misses,
    blockCacheBytes: cache.bytes,
    memtableEntries: store.memtables.entryCount,
    memtableBytes: store.memtables.memoryBytes,
    tableCount: levels.reduce((sum, level) => sum + level.tableCount, 0),
    tableBytes: levels.reduce((sum, level) => sum + level.bytes, 0),
    levels,
    lastSequence: store.lastSequence,
    durableIndex: versions.durableIndex,
    rangeDeletes: versions.rangeDeletes.length,
    slowedBytes: counters.slowedBytes,
    slowedTotalUs: counters.slowedTotalUs,
    tableIndexBytes: cache.reservedBytes,
    memoryBytes: options.memoryBytes,
    openSnapshots: store.snapshots.size,
    recoveryDurationUs: recovery.durationUs,
    recoveredRecords: recovery.recoveredRecords,
    truncatedBytes: recovery.truncatedBytes,
    diskState: store.space.state,
    diskAvailableBytes: store.space.availableBytes ?? null,
    diskReserveBytes: store.space.heldBytes,
    scrubCount: counters.scrubs.count,
    scrubTotalUs: counters.scrubs.totalUs,
    scrubLast: store.scrubber.last ?? null,
    scrubDamageCount: store.scrubber.damage.count,
    scrubDamage: [...store.scrubber.damage.kept],
  };
}

/** Metrics of the store, and of the room on its disk. Its counters begin again when the store is replaced by a snapshot. */

import type { DiskState, EngineStats } from '@kayadb/engine';

import { counter, gauge, gauges, type Metric, type MetricSource, oneOf } from './metric.ts';

const DISK_STATES: readonly DiskState[] = ['ok', 'low', 'full', 'unwatched'];
const US_PER_SECOND = 1_000_000;

export const ENGINE_METRICS: readonly Metric[] = [
  count('puts', 'Keys put.', ({ putCount }) => putCount),
  count('deletes', 'Keys deleted; a range counts as one.', ({ deleteCount }) => deleteCount),
  count('gets', 'Keys looked up.', ({ getCount }) => getCount),
  count('cold_gets', 'Keys looked up that had to wait for the disk.', ({ coldGetCount }) => coldGetCount),
  count('cold_get_seconds', 'How long those took together.', ({ getTotalUs }) => getTotalUs / US_PER_SECOND),
  count('scans', 'Scans begun.', ({ scanCount }) => scanCount),
  count('scan_seconds', 'How long scans took together.', ({ scanTotalUs }) => scanTotalUs / US_PER_SECOND),
  count('flushes', 'Memtables written to tables.', ({ flushCount }) => flushCount),
  count('flush_seconds', 'How long that took together.', ({ flushTotalUs }) => flushTotalUs / US_PER_SECOND),
  count('compactions', 'Merges of tables.', ({ compactionCount }) => compactionCount),
  count(
    'compaction_seconds',
    'How long those took together.',
    ({ compactionTotalUs }) => compactionTotalUs / US_PER_SECOND,
  ),
  count('compaction_read_bytes', 'What merges read.', ({ compactionBytesRead }) => compactionBytesRead),
  count('compaction_written_bytes', 'What merges wrote.', ({ compactionBytesWritten }) => compactionBytesWritten),
  count('stalls', 'Times that writers had to wait for the background.', ({ stallCount }) => stallCount),
  count('stall_seconds', 'How long they waited together.', ({ stallTotalUs }) => stallTotalUs / US_PER_SECOND),
  count('slowed_bytes', 'What was written while writers were slowed down.', ({ slowedBytes }) => slowedBytes),
  count(
    'slowed_seconds',
    'By how much they were slowed together.',
    ({ slowedTotalUs }) => slowedTotalUs / US_PER_SECOND,
  ),
  count('block_cache_hits', 'Blocks that were in memory.', ({ blockCacheHits }) => blockCacheHits),
  count('block_cache_misses', 'Blocks that were not.', ({ blockCacheMisses }) => blockCacheMisses),
  level('block_cache_bytes', 'Memory of cached blocks.', ({ blockCacheBytes }) => blockCacheBytes),
  level('memtable_bytes', 'Memory of memtables.', ({ memtableBytes }) => memtableBytes),
  level('memtable_entries', 'Entries in memtables.', ({ memtableEntries }) => memtableEntries),
  level('table_index_bytes', 'Memory of filters and indexes of open tables.', ({ tableIndexBytes }) => tableIndexBytes),
  level('memory_budget_bytes', 'What the store means to stay within.', ({ memoryBytes }) => memoryBytes),
  level('open_snapshots', 'States that are held for readers.', ({ openSnapshots }) => openSnapshots),
  level('range_deletes', 'Range deletes that still hide something.', ({ rangeDeletes }) => rangeDeletes),
  level('durable_index', 'The entry of the log that the tables stand for.', ({ durableIndex }) => durableIndex),
  levels('tables', 'Tables of a level.', ({ tableCount }) => tableCount),
  levels('bytes', 'Bytes of the tables of a level.', ({ bytes }) => bytes),
  levels('entries', 'Entries in the tables of a level.', ({ entryCount }) => entryCount),
  count('scrubs', 'Times that the whole store was read back and checked.', ({ scrubCount }) => scrubCount),
  level(
    'damaged_places',
    'Damaged places that were found since the store was opened.',
    ({ scrubDamageCount }) => scrubDamageCount,
  ),
  gauges(
    'kayadb_disk_state',
    ['state'],
    'The room on the disk: 1 for the state that it is in.',
    ({ snapshot: { machine } }) => (machine === undefined ? undefined : oneOf(DISK_STATES, machine.diskState)),
  ),
  gauge(
    'kayadb_disk_available_bytes',
    'What is free on the disk.',
    ({ engine }) => engine?.diskAvailableBytes ?? undefined,
  ),
  gauge('kayadb_disk_reserve_bytes', 'What the reserve file holds.', ({ engine }) => engine?.diskReserveBytes),
];

function count(name: string, help: string, read: (stats: EngineStats) => number): Metric {
  return counter(`kayadb_engine_${name}_total`, help, ofEngine(read));
}

function level(name: string, help: string, read: (stats: EngineStats) => number | undefined): Metric {
  return gauge(`kayadb_engine_${name}`, help, ofEngine(read));
}

function levels(name: string, help: string, read: (level: EngineStats['levels'][number]) => number): Metric {
  return gauges(`kayadb_engine_level_${name}`, ['level'], help, ({ engine }) =>
    engine?.levels.map((each, at) => [String(at), read(each)]),
  );
}

function ofEngine<Value>(read: (stats: EngineStats) => Value): (source: MetricSource) => Value | undefined {
  return ({ engine }) => (engine === undefined ? undefined : read(engine));
}

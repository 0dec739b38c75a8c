/** Makes a scan over everything a store holds at one moment. */

import type { SequenceNumber } from '../key/internal-key.ts';
import type { Memtable } from '../memtable/memtable.ts';
import type { RangeDeleteSet } from '../range-delete/range-delete-set.ts';
import type { Resources } from '../resources.ts';
import type { Tables } from '../sstable/tables.ts';
import { Turn } from '../turn.ts';
import type { Encoding } from '../types.ts';
import type { Version } from '../version/version.ts';
import type { Direction } from './cursor.ts';
import { HiddenRegions } from './hidden-regions.ts';
import { LevelRuns, type OpenTableRuns } from './level-runs.ts';
import { MemtableRuns } from './memtable-runs.ts';
import type { Bounds } from './range.ts';
import { pickDecoder, type Wanted } from './row-decoder.ts';
import { RowProducer } from './row-producer.ts';
import { ScanSource } from './scan-source.ts';
import { type ScanSpan, spanOf } from './scan-span.ts';
import { StoreScan } from './store-scan.ts';

/** As `ReadPathParts`, but no more of them than scans need. */
export interface ScanParts {
  readonly memtables: { all(): readonly ScannedMemtable[] };
  readonly versions: { readonly current: Version };
  readonly tables: Pick<Tables, 'openCursor'>;
  readonly rangeDeletes: { readonly current: RangeDeleteSet };
  readonly resources: Pick<Resources, 'clock' | 'yieldTurn'>;
}

type ScannedMemtable = Pick<Memtable, 'entryCount' | 'largestSequence' | 'cursor' | 'retain' | 'release'>;

export interface ScanRequest {
  readonly direction: Direction;
  /** The state to read. */
  readonly sequence: SequenceNumber;
  readonly bounds: Bounds;
  /** Rows; Infinity for all. */
  readonly limit: number;
  /** The scan ends behind the row with which what was handed out reaches this many bytes; Infinity for never. */
  readonly limitBytes: number;
  readonly keyEncoding: Encoding;
  readonly valueEncoding: Encoding;
  readonly want: Wanted;
  readonly signal?: AbortSignal;
  /** Called once, when the scan has ended in whatever way and holds nothing any more; never before `openScan` has returned. */
  readonly onEnd: () => void;
}

export { StoreScan } from './store-scan.ts';

/**
 * Opens a scan of the state at `request.sequence`, which is held from now until it ends; files are touched when the first row is
 * asked for.
 */
export function openScan<Item>(parts: ScanParts, request: ScanRequest): StoreScan<Item> {
  const { direction, sequence, want } = request;
  const version = parts.versions.current.retain();
  const memtables = parts.memtables.all().filter(({ entryCount }) => entryCount > 0);
  for (const memtable of memtables) memtable.retain();
  const rangeDeletes = parts.rangeDeletes.current;
  const span = spanOf(request.bounds);
  const producer = new RowProducer({
    direction,
    sequence,
    span,
    regions: rangeDeletes.isEmpty ? undefined : new HiddenRegions(rangeDeletes, sequence),
    turn: new Turn(parts.resources),
    openSources: () => [
      ...memtables.map((memtable) => openMemtable(memtable, direction, sequence)),
      ...openTables(version, parts, request, span),
    ],
  });
  return new StoreScan<Item>({
    producer,
    want,
    decode: pickDecoder(want, request.keyEncoding, request.valueEncoding),
    limit: request.limit,
    limitBytes: request.limitBytes,
    signal: request.signal,
    onEnd: () => {
      for (const memtable of memtables) memtable.release();
      version.release();
      request.onEnd();
    },
  });
}

function openMemtable(memtable: ScannedMemtable, direction: Direction, sequence: SequenceNumber): ScanSource {
  const newest = Math.min(memtable.largestSequence, sequence);
  return new ScanSource(
    new MemtableRuns(memtable.cursor(direction), direction, sequence, newest),
    direction === 'forward' ? 1 : -1,
  );
}

/** Level-0 tables overlap, so each is a source of its own; the tables of any other level follow each other. */
function openTables(
  version: Version,
  { tables }: ScanParts,
  { direction, sequence }: ScanRequest,
  span: ScanSpan,
): readonly ScanSource[] {
  const openTable: OpenTableRuns = async (table) => (await tables.openCursor(table, direction)).runs();
  const [level0, ...deeper] = version.levels;
  const step = direction === 'forward' ? 1 : -1;
  const limit = direction === 'forward' ? span.end : span.start;
  return [...level0!.map((table) => [table]), ...deeper]
    .map((level) => level.filter(({ smallestSequence }) => smallestSequence <= sequence))
    .filter((level) => level.length > 0)
    .map((level) => new ScanSource(new LevelRuns(level, direction, limit, openTable), step));
}

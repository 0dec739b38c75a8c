/**
 * What a damaged store may still hold, worked out from the bytes alone: the proof's own reading of docs/format/record-log.md,
 * "Where a log ends", that shares no code with the engine.
 *
 * The rule. Let X be the first record of a log of which a byte (its padding apart) or whose file's header is not what was written. If a
 * whole record behind X says that X had been durable, or the store was closed in good order, no content is right: it has to be refused.
 * Otherwise X was vouched for by nothing, and the one right content is that of just before X. Without an X it is what there was.
 */

import type { Damage, FileChange } from './damage.ts';
import type { DamagedStore } from './damaged-store.ts';
import { type LogPiece, segmentNumber, type StateAtEdit } from './store-layout.ts';
import type { Rows } from './stored-history.ts';

const FILE_HEADER_BYTES = 64;

export interface Allowed {
  /** The one content that may be read; `undefined`: opening has to be refused. */
  readonly rows: Rows | undefined;
  /** With an external log: what the store has to say it holds everything up to. */
  readonly durableIndex: number | undefined;
  /**
   * CURRENT and its manifest are those of an earlier moment, with an external log: what they describe may be there, and then it is that of
   * the durable index that the store itself tells.
   */
  readonly isRollback: boolean;
  /** Nothing that the store needs has changed: it has to open and to read. */
  readonly harmless: boolean;
}

const REFUSE: Allowed = { rows: undefined, durableIndex: undefined, isRollback: false, harmless: false };

/** What became of each file of the store that was changed. */
type Touched = ReadonlyMap<string, FileChange>;

export function allowedRows(store: DamagedStore, { kind, changes }: Damage): Allowed {
  const { layout, history, files, tables } = store;
  const touched: Touched = new Map(
    changes.filter(({ file }) => files.has(file)).map((change) => [change.file, change]),
  );
  if (touched.has('CURRENT')) return { ...REFUSE, isRollback: kind === 'stale' && store.recipe.log === 'external' };
  const editCount = survivors(store, layout.edits, touched);
  if (editCount === undefined || editCount === 0) return REFUSE;
  const state = layout.states[editCount - 1]!;
  if (state.tables.some((name) => !files.has(name))) return REFUSE;
  const isAdded = changes.some(({ file }) => !files.has(file) && file.endsWith('.wal'));
  const isDescribed = editCount === layout.edits.length && !tables.some((name) => touched.has(name)) && !isAdded;
  if (store.recipe.log === 'external') {
    const { durableIndex } = state;
    return { rows: history.at(durableIndex!), durableIndex, isRollback: false, harmless: isDescribed };
  }
  const rows = rowsOfLog(store, state, touched);
  const harmless = isDescribed && areSegmentsWhole(store, state, touched);
  return { rows, durableIndex: undefined, isRollback: false, harmless };
}

function rowsOfLog(store: DamagedStore, state: StateAtEdit, touched: Touched): Rows | undefined {
  const { layout, history, files, rows } = store;
  const oldest = `${String(state.oldestSegment).padStart(6, '0')}.wal`;
  // The oldest segment is known to have been used, so its header is needed even if no record is left in it.
  if (!files.has(oldest) || !isHeaderWhole(store, oldest, touched)) return undefined;
  const records = layout.records.filter(({ file }) => segmentNumber(file) >= state.oldestSegment);
  const count = survivors(store, records, touched);
  if (count === undefined) return undefined;
  if (count === records.length) return rows;
  if (state.closed) return undefined;
  return history.at(Math.max(state.flushedSequence, records[count]!.firstOrdinal - 1));
}

/** How many pieces, from the first on, count; `undefined` when a later one vouches for the first that does not. */
function survivors(store: DamagedStore, pieces: readonly LogPiece[], touched: Touched): number | undefined {
  const isSound = (piece: LogPiece): boolean =>
    isWhole(store, piece, touched) && isHeaderWhole(store, piece.file, touched);
  const first = pieces.findIndex((piece) => !isSound(piece));
  if (first === -1) return pieces.length;
  const { lsn } = pieces[first]!;
  const isVouchedFor = pieces.slice(first + 1).some((piece) => piece.durableLsn > lsn && isSound(piece));
  return isVouchedFor ? undefined : first;
}

/** Nothing in them has changed but padding, and what stands behind the last record. */
function areSegmentsWhole(store: DamagedStore, state: StateAtEdit, touched: Touched): boolean {
  const isNeeded = (file: string): boolean => file.endsWith('.wal') && segmentNumber(file) >= state.oldestSegment;
  const isHeaderFine = (file: string): boolean =>
    // One that was never used is all zeros, and garbage in it may have been records.
    store.contentEnds.get(file) === 0 ? !touched.has(file) : isHeaderWhole(store, file, touched);
  return (
    [...store.files.keys()].every((file) => !isNeeded(file) || isHeaderFine(file)) &&
    store.layout.records.every((piece) => !isNeeded(piece.file) || isWhole(store, piece, touched))
  );
}

function isHeaderWhole(store: DamagedStore, file: string, touched: Touched): boolean {
  return isWhole(store, { file, offset: 0, end: FILE_HEADER_BYTES }, touched);
}

function isWhole(
  { files }: DamagedStore,
  { file, offset, end }: Pick<LogPiece, 'file' | 'offset' | 'end'>,
  touched: Touched,
): boolean {
  const change = touched.get(file);
  if (change === undefined || change.to <= offset || change.from >= end) return true;
  const { bytes } = change;
  const before = files.get(file)!;
  if (bytes === undefined || bytes.length < end) return before.length < end && bytes?.length === before.length;
  for (let i = offset; i < end; i++) if (bytes[i] !== before[i]) return false;
  return true;
}

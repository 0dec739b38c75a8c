/** The segment that opening begins: it holds once more what no sync vouches for. Format: docs/format/raft-log.md, "Life of the log". */

import type { Entry, LogIndex, Snapshot, Term } from '../core/types.ts';
import { type EntrySource, readRun } from './entry-reader.ts';
import { EntryTable } from './entry-table.ts';
import { RAFT_HEADER_BYTES } from './file-header.ts';
import type { SegmentFile } from './segment-file.ts';
import {
  APPEND_RECORD,
  ENTRY_HEADER_BYTES,
  encodeRecord,
  payloadBytesOf,
  RECORD_HEADER_BYTES,
  recordBytes,
  RESET_RECORD,
} from './segment-format.ts';
import type { SegmentMaker } from './segment-maker.ts';
import type { RecoveredLog } from './segment-recovery.ts';

export interface TailRewrite {
  readonly recovered: Pick<RecoveredLog, 'table' | 'end' | 'rewriteFrom' | 'rewriteIsReset'>;
  /** A snapshot takes the place of the whole log. */
  readonly reset: Snapshot | undefined;
  readonly commit: LogIndex;
  readonly source: EntrySource;
}

export interface RewrittenTail {
  readonly file: SegmentFile;
  readonly table: EntryTable;
}

interface Place {
  readonly term: Term;
  readonly offset: number;
  readonly bytes: number;
}

/**
 * Durability: of the segment and all that is in it, when it resolves.
 *
 * @throws RaftCorruptionError, FileSystemError; RaftError KAYA_RAFT_POISONED.
 */
export async function rewriteTail(rewrite: TailRewrite, maker: SegmentMaker): Promise<RewrittenTail> {
  const { recovered, reset } = rewrite;
  const { table, end, rewriteFrom } = recovered;
  const places: Place[] = [];
  const file = await maker.make(end, (seed) => records(rewrite, seed, places));
  if (reset !== undefined) return { file, table: new EntryTable(reset.meta.index, reset.meta.term) };
  if (rewriteFrom === undefined) return { file, table };
  table.truncate(rewriteFrom);
  for (const { term, offset, bytes } of places) table.push(term, end.segment, offset, bytes);
  return { file, table };
}

/** Fills `places` as it goes. */
function* records(
  { recovered, reset, commit, source }: TailRewrite,
  seed: number,
  places: Place[],
): Generator<Uint8Array> {
  const { table, end, rewriteFrom, rewriteIsReset } = recovered;
  const encode = (kind: number, firstIndex: LogIndex, previousTerm: Term, entries: readonly Entry[]): Uint8Array => {
    const bytes = new Uint8Array(recordBytes(payloadBytesOf(entries)));
    encodeRecord(bytes, { kind, firstIndex, previousTerm, commit, durableLsn: end.startLsn }, entries, seed);
    return bytes;
  };
  if (reset !== undefined) {
    yield encode(RESET_RECORD, reset.meta.index + 1, reset.meta.term, []);
    return;
  }
  if (rewriteFrom === undefined) return;
  let offset = RAFT_HEADER_BYTES;
  if (rewriteIsReset) {
    const record = encode(RESET_RECORD, rewriteFrom, table.term(rewriteFrom - 1) as Term, []);
    offset += record.length;
    yield record;
  }
  for (let from = rewriteFrom; from <= table.lastIndex;) {
    const entries = readRun(source, table, from, table.lastIndex + 1, Number.MAX_SAFE_INTEGER);
    const record = encode(APPEND_RECORD, from, table.term(from - 1) as Term, entries);
    let at = offset + RECORD_HEADER_BYTES;
    for (const { term, data } of entries) {
      const bytes = ENTRY_HEADER_BYTES + data.length;
      places.push({ term, offset: at, bytes });
      at += bytes;
    }
    offset += record.length;
    yield record;
    from += entries.length;
  }
}

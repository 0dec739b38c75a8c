/** Reads entries back from the segments that they stand in, as many at once as lie side by side. */

import type { Entry, LogIndex, Term } from '../core/types.ts';
import { RaftCorruptionError } from '../errors.ts';
import type { EntryTable } from './entry-table.ts';
import { segmentFileName } from './file-names.ts';
import { decodeEntry } from './segment-format.ts';

/** The bytes of segments. */
export interface EntrySource {
  /** @returns Bytes read; fewer than `buffer` takes only at the end of the file. @throws FileSystemError */
  readSync(segment: number, buffer: Uint8Array, offset: number): number;
  seedOf(segment: number): number;
}

/** Bound: bytes that are read at once, but for a single entry that is larger. */
const MAX_READ_BYTES = 1024 * 1024;

/**
 * Entries from `from` on, before `to`, at least one of them. Stops where the next stands elsewhere, or at `maxBytes`.
 *
 * Requires: `table` has rows for all of them. Their data are views of one array.
 * @throws RaftCorruptionError when they are not what was written. @throws FileSystemError when they cannot be read.
 */
export function readRun(
  source: EntrySource,
  table: EntryTable,
  from: LogIndex,
  to: LogIndex,
  maxBytes: number,
): readonly Entry[] {
  const segment = table.segmentOf(from);
  const start = table.offsetOf(from);
  const most = Math.min(maxBytes, MAX_READ_BYTES);
  let end = start + table.bytesOf(from);
  let next = from + 1;
  while (next < to && table.segmentOf(next) === segment && table.offsetOf(next) === end) {
    const bytes = table.bytesOf(next);
    if (end + bytes - start > most) break;
    end += bytes;
    next++;
  }

  const buffer = new Uint8Array(end - start);
  const bytes = buffer.subarray(0, source.readSync(segment, buffer, start));
  const seed = source.seedOf(segment);
  const entries: Entry[] = [];
  for (let index = from, at = 0; index < next; index++) {
    const entryEnd = at + table.bytesOf(index);
    const entry = decodeEntry(bytes, at, entryEnd, index, table.term(index) as Term, seed);
    if (entry === undefined) {
      throw new RaftCorruptionError(
        segmentFileName(segment),
        start + at,
        `entry ${index} does not read back as written`,
      );
    }
    entries.push(entry);
    at = entryEnd;
  }
  return entries;
}

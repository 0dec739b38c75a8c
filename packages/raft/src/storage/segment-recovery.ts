/**
 * Reads the segments of a log and decides where it ends: normally, in a torn write, or in damage.
 *
 * Invariant: never writes; what had been acknowledged as durable is missing only if this throws, or if nothing behind it vouches for it.
 * Format: docs/format/raft-log.md, "Where the log ends".
 */

import type { FileSystem } from '@kayadb/vfs';

import type { LogIndex } from '../core/types.ts';
import { RaftCorruptionError } from '../errors.ts';
import type { EntryTable } from './entry-table.ts';
import {
  type DecodedHeader,
  decodeFileHeader,
  RAFT_HEADER_BYTES,
  SEGMENT_MAGIC,
  type SegmentStart,
} from './file-header.ts';
import { segmentFileName } from './file-names.ts';
import { LogReplay } from './log-replay.ts';
import type { RaftIdentity } from './raft-identity.ts';
import type { OldSegment } from './segment-log.ts';
import {
  classifyTail,
  findWitness,
  type SegmentBytes,
  type SegmentStop,
  type TailKind,
  walkSegment,
} from './segment-records.ts';

export interface RecoveryOptions {
  readonly fs: FileSystem;
  readonly directory: string;
  readonly identity: RaftIdentity;
  /** Numbers of the segments that are there, ascending; at least one. */
  readonly segments: readonly number[];
}

export interface RecoveredLog {
  readonly table: EntryTable;
  readonly commit: LogIndex;
  /** Segments that the log is in, oldest first. */
  readonly segments: readonly OldSegment[];
  /** Segments that nothing of the log is in, or will be once a segment begins at `end`; the last of `segments` may be one. */
  readonly obsolete: readonly number[];
  /** Where the next segment is to begin: behind all that some sync vouches for. `segment` is its number. */
  readonly end: SegmentStart;
  /** What stands behind `end` and is part of the log, so that it is to be written again: entries from this index on. */
  readonly rewriteFrom: LogIndex | undefined;
  /** What is to be written again begins with an empty log. */
  readonly rewriteIsReset: boolean;
  /** Where the log begins, for those who miss something before it. */
  readonly begin: { readonly file: string; readonly offset: number };
  /** Where records end, and what stands there. */
  readonly tail: LogTail;
}

export interface LogTail {
  readonly file: string;
  readonly offset: number;
  readonly reason: string;
  readonly kind: TailKind;
}

interface Segment {
  readonly segment: number;
  readonly file: string;
  readonly header: DecodedHeader;
}

/**
 * @throws RaftCorruptionError when something that may have been durable is damaged.
 * @throws RaftError KAYA_RAFT_FOREIGN, KAYA_RAFT_UNSUPPORTED. @throws FileSystemError
 */
export async function recoverSegments(options: RecoveryOptions): Promise<RecoveredLog> {
  const segments = await readHeaders(options);
  let replay = new LogReplay(segments[0]!.header);
  let first = 0;
  let begin = { file: segments[0]!.file, offset: 0 };
  let tail: LogTail | undefined;
  for (const [i, segment] of segments.entries()) {
    const next = segments[i + 1];
    const bytes = await options.fs.readFile(`${options.directory}/${segment.file}`);
    const walked: SegmentBytes = { ...segment, bytes, limitLsn: next?.header.startLsn ?? Number.POSITIVE_INFINITY };
    const stop = walkSegment(walked, (record) => replay.apply(segment.file, segment.segment, record));
    if (next === undefined) {
      refuseIfDurable(walked, stop, replay);
      tail = { file: segment.file, offset: stop.offset, reason: stop.reason, kind: classifyTail(walked, stop) };
      break;
    }
    const isNext = next.segment === segment.segment + 1;
    // Of a segment that is gone the number may be missing, because nothing was in it; or there was, and the two meet by chance.
    if (stop.lsn === next.header.startLsn && (isNext || replay.leadsTo(next.header))) {
      replay.enter(next.file, next.header);
      continue;
    }
    if (isNext) throw stopped(segment.file, stop, `and ${next.file} says that it was durable`);
    // A compaction was under way: segments between the two are gone, and so nothing before the later one is needed.
    replay = new LogReplay(next.header);
    first = i + 1;
    begin = { file: segment.file, offset: stop.offset };
  }
  return { ...describeEnd(segments, first, replay), begin, tail: tail! };
}

function describeEnd(
  segments: readonly Segment[],
  first: number,
  replay: LogReplay,
): Omit<RecoveredLog, 'begin' | 'tail'> {
  const { table, commit, unvouched, durableLsn } = replay;
  const last = segments.at(-1)!;
  const needed = segments.slice(first, last.header.startLsn < durableLsn ? undefined : -1);
  const written = unvouched.filter(({ count, isReset }) => count > 0 || isReset);
  const rewriteIsReset = written.some(({ isReset }) => isReset);
  const from = rewriteIsReset ? table.firstIndex : Math.min(...written.map(({ firstIndex }) => firstIndex));
  return {
    table,
    commit,
    segments: segments.slice(first).map(({ segment, header }) => ({ segment, seed: header.seed })),
    obsolete: segments.filter((segment) => !needed.includes(segment)).map(({ segment }) => segment),
    end: {
      segment: last.segment + 1,
      startLsn: durableLsn,
      firstIndex: (unvouched[0]?.lastIndexBefore ?? table.lastIndex) + 1,
      previousTerm: unvouched[0]?.lastTermBefore ?? table.lastTerm,
    },
    rewriteFrom: written.length === 0 ? undefined : from,
    rewriteIsReset,
  };
}

/** @throws RaftCorruptionError when the place where the last segment's records end had been durable, or cannot be told. */
function refuseIfDurable(segment: SegmentBytes, stop: SegmentStop, replay: LogReplay): void {
  const { durableLsn, unvouched } = replay;
  if ((unvouched[0]?.lsn ?? stop.lsn) !== durableLsn) {
    throw new RaftCorruptionError(
      segment.file,
      stop.offset,
      `LSN ${durableLsn}, to which it was durable, is in no place between records`,
    );
  }
  const witness = findWitness(segment, stop);
  if (witness !== undefined) throw stopped(segment.file, stop, witness);
}

function stopped(file: string, { offset, reason }: SegmentStop, evidence: string): RaftCorruptionError {
  return new RaftCorruptionError(file, offset, `${reason}, ${evidence}`);
}

async function readHeaders({ fs, directory, identity, segments }: RecoveryOptions): Promise<readonly Segment[]> {
  const read: Segment[] = [];
  for (const segment of segments) {
    const file = segmentFileName(segment);
    const handle = await fs.open(`${directory}/${file}`, 'read');
    try {
      const bytes = new Uint8Array(RAFT_HEADER_BYTES);
      const count = await handle.read(bytes, 0);
      const header = decodeFileHeader(file, bytes.subarray(0, count), SEGMENT_MAGIC, identity);
      if (header.segment !== segment) {
        throw new RaftCorruptionError(file, 0, `it was written as segment ${header.segment}; was it renamed?`);
      }
      const before = read.at(-1);
      if (before !== undefined && header.startLsn < before.header.startLsn) {
        throw new RaftCorruptionError(file, 0, `it begins before ${before.file} does`);
      }
      if (header.firstIndex < 1) throw new RaftCorruptionError(file, 0, 'it begins before the first entry');
      read.push({ segment, file, header });
    } finally {
      await handle.close();
    }
  }
  return read;
}

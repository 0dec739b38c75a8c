/** The names in a Raft directory, formatted and parsed in one place. Format: docs/format/raft-log.md and its neighbours. */

import { TEMPORARY_SUFFIX } from '@kayadb/vfs';

export const STATE_FILE_NAME = 'raft-state';
export const SNAPSHOT_FILE_NAME = 'raft-snapshot.bin';

const SEGMENT_SUFFIX = '.rlog';
const SEGMENT_DIGITS = 6;

/** A segment that is being made. */
export const NEXT_SEGMENT_NAME = `next${SEGMENT_SUFFIX}${TEMPORARY_SUFFIX}`;
/** A segment that is not needed any more, kept for its blocks. */
export const SPARE_SEGMENT_NAME = `spare${SEGMENT_SUFFIX}${TEMPORARY_SUFFIX}`;

/** What a crash may leave of a file that was being made or given up. */
export const LEFTOVER_NAMES: readonly string[] = [
  NEXT_SEGMENT_NAME,
  SPARE_SEGMENT_NAME,
  `${STATE_FILE_NAME}${TEMPORARY_SUFFIX}`,
  `${SNAPSHOT_FILE_NAME}${TEMPORARY_SUFFIX}`,
];

export function segmentFileName(segment: number): string {
  return `${String(segment).padStart(SEGMENT_DIGITS, '0')}${SEGMENT_SUFFIX}`;
}

/** @returns The number, or undefined when `name` is not spelled as a segment's. */
export function parseSegmentFileName(name: string): number | undefined {
  if (!name.endsWith(SEGMENT_SUFFIX)) return undefined;
  const segment = Number(name.slice(0, -SEGMENT_SUFFIX.length));
  return Number.isSafeInteger(segment) && segment > 0 && segmentFileName(segment) === name ? segment : undefined;
}

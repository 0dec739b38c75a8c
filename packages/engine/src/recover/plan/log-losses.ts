/** What is lost of a log, from what was found in it. Pure. Format: docs/format/record-log.md, "Where a log ends". */

import type { SequenceNumber } from '../../key/internal-key.ts';
import type { Loss, LossKind } from './recovery-plan.ts';

interface Stretch {
  readonly file: string;
  readonly offset: number;
  readonly bytes: number;
  readonly lsn: number;
}

/** Whole records: `held` ones follow what comes before them without a gap in the sequence numbers, `behind` ones do not. */
export interface RecordStretch extends Stretch {
  readonly kind: 'held' | 'behind';
  /** The largest durable LSN that they claim. */
  readonly durableLsn: number;
  readonly first: SequenceNumber;
  readonly last: SequenceNumber;
}

export interface GapStretch extends Stretch {
  readonly kind: 'gap';
  readonly reason: string;
  /** No torn write looks like this, or its place in the log is not known. */
  readonly isNeeded: boolean;
}

/** A part of one log file, in the order of the log. */
export type LogStretch = RecordStretch | GapStretch;

export interface FoundInLog {
  readonly stretches: readonly LogStretch[];
  /** Of the part without a gap, and of the tables. */
  readonly lastSequence: SequenceNumber;
  /** The last sequence number that a clean close has recorded. */
  readonly closedAt: SequenceNumber | undefined;
}

export interface LogLosses {
  /** The end of the log was never known to be durable: what stands behind the first gap is none of it. */
  readonly isTorn: boolean;
  readonly lossesOfPrefix: readonly Loss[];
  readonly lossesOfAll: readonly Loss[];
}

/** Extends the last stretch by `next` if they are one, else appends it. */
export function addStretch(stretches: LogStretch[], next: LogStretch): void {
  const last = stretches.at(-1);
  const isOne =
    last?.kind === next.kind &&
    last.kind !== 'gap' &&
    next.kind !== 'gap' &&
    last.file === next.file &&
    last.offset + last.bytes === next.offset &&
    last.last + 1 === next.first;
  if (!isOne) {
    stretches.push(next);
    return;
  }
  const durableLsn = Math.max(last.durableLsn, next.durableLsn);
  stretches[stretches.length - 1] = { ...last, bytes: last.bytes + next.bytes, last: next.last, durableLsn };
}

export function describeLogLosses({ stretches, lastSequence, closedAt }: FoundInLog): LogLosses {
  const heldAt = stretches.findLastIndex(({ kind }) => kind === 'held');
  const rest = stretches.slice(heldAt + 1);
  const held = stretches[heldAt];
  const isCutShort = closedAt !== undefined && lastSequence < closedAt;
  if (rest.length === 0) {
    if (!isCutShort) return { isTorn: false, lossesOfPrefix: [], lossesOfAll: [] };
    const losses = [
      lossOf(
        'log',
        atEndOf(held),
        'the log ends before the place where the store was closed',
        lastSequence + 1,
        closedAt,
      ),
    ];
    return { isTorn: false, lossesOfPrefix: losses, lossesOfAll: losses };
  }
  if (closedAt !== undefined && !isCutShort && !rest.some(isBehind)) {
    return { isTorn: false, lossesOfPrefix: [], lossesOfAll: [] };
  }
  if (!isCutShort && looksTorn(held, rest)) {
    const losses = groupByFile(rest).map((group) =>
      lossOf('torn-tail', spanOf(group), reasonOf(group), lastSequence + 1, null),
    );
    return { isTorn: true, lossesOfPrefix: losses, lossesOfAll: losses };
  }
  return {
    isTorn: false,
    lossesOfPrefix: losePlacesOf(groupByFile(rest), lastSequence, closedAt),
    lossesOfAll: loseGaps(rest, held, lastSequence, closedAt),
  };
}

/** Whether nothing vouches for the place where the part without a gap ends. */
function looksTorn(held: LogStretch | undefined, rest: readonly LogStretch[]): boolean {
  if (rest.some((stretch) => stretch.kind === 'gap' && stretch.isNeeded)) return false;
  const [first] = rest;
  // Records that do not follow what tables hold are missing their beginning.
  if (held === undefined && isBehind(first!)) return false;
  const endLsn = first!.kind === 'gap' || held === undefined ? first!.lsn : held.lsn + held.bytes;
  return rest.every((stretch) => !isBehind(stretch) || stretch.durableLsn <= endLsn);
}

function losePlacesOf(
  groups: readonly (readonly LogStretch[])[],
  lastSequence: SequenceNumber,
  closedAt: SequenceNumber | undefined,
): readonly Loss[] {
  const losses: Loss[] = [];
  let first = lastSequence + 1;
  for (const [i, group] of groups.entries()) {
    const after = groups
      .slice(i + 1)
      .flat()
      .find(isBehind);
    const here = group.findLast(isBehind);
    const endsWhole = group.at(-1) === here;
    const last = after === undefined ? (closedAt ?? (endsWhole ? here!.last : null)) : after.first - 1;
    // Where sequence numbers go on without a gap, nothing stood between them.
    if (last !== null && last < first) continue;
    losses.push(lossOf('log', spanOf(group), reasonOf(group), first, last));
    first = (last ?? first - 1) + 1;
  }
  return losses;
}

/** Only what no record that verifies holds. */
function loseGaps(
  rest: readonly LogStretch[],
  held: LogStretch | undefined,
  lastSequence: SequenceNumber,
  closedAt: SequenceNumber | undefined,
): readonly Loss[] {
  const losses: Loss[] = [];
  let before = held;
  let last = lastSequence;
  for (const [i, stretch] of rest.entries()) {
    const after = rest.slice(i + 1).find(isBehind);
    if (stretch.kind === 'gap') {
      const until = after === undefined ? (closedAt ?? null) : after.first - 1;
      if (until === null || until > last) losses.push(lossOf('log', stretch, stretch.reason, last + 1, until));
    } else {
      const isGap = before?.kind === 'gap';
      if (!isGap && stretch.first > last + 1) {
        const place = before === undefined ? { ...stretch, bytes: 0 } : atEndOf(before);
        losses.push(
          lossOf('log', place, 'records between here and the next ones are missing', last + 1, stretch.first - 1),
        );
      }
      last = Math.max(last, stretch.last);
    }
    before = stretch;
  }
  const end = rest.at(-1)!;
  if (closedAt !== undefined && last < closedAt && end.kind !== 'gap') {
    losses.push(
      lossOf('log', atEndOf(end), 'the log ends before the place where the store was closed', last + 1, closedAt),
    );
  }
  return losses;
}

type Place = Pick<Stretch, 'file' | 'offset' | 'bytes'>;

function lossOf(
  kind: LossKind,
  { file, offset, bytes }: Place,
  reason: string,
  firstSequence: SequenceNumber,
  lastSequence: SequenceNumber | null,
): Loss {
  const entryCount = lastSequence === null ? null : lastSequence - firstSequence + 1;
  const common = { level: null, hasKeys: false, keys: null };
  return { kind, file, offset, bytes, reason, entryCount, firstSequence, lastSequence, ...common };
}

function isBehind(stretch: LogStretch): stretch is RecordStretch {
  return stretch.kind === 'behind';
}

function groupByFile(stretches: readonly LogStretch[]): readonly (readonly LogStretch[])[] {
  const groups: LogStretch[][] = [];
  for (const stretch of stretches) {
    const group = groups.at(-1);
    if (group?.[0]!.file === stretch.file) group.push(stretch);
    else groups.push([stretch]);
  }
  return groups;
}

function spanOf(group: readonly LogStretch[]): Place {
  const { file, offset } = group[0]!;
  const end = group.at(-1)!;
  return { file, offset, bytes: end.offset + end.bytes - offset };
}

function reasonOf(group: readonly LogStretch[]): string {
  const gap = group.find((stretch) => stretch.kind === 'gap');
  return gap?.reason ?? 'it stands behind a gap in the log';
}

function atEndOf(stretch: LogStretch | undefined): Place {
  if (stretch === undefined) return { file: 'CURRENT', offset: 0, bytes: 0 };
  return { file: stretch.file, offset: stretch.offset + stretch.bytes, bytes: 0 };
}

/** Compares what a salvage wrote with the whole past of the store. */

import type { Loss, RecoveryPlan, SalvageReport, WayOut } from '@kayadb/engine';

import type { Content } from '../workload/workload.ts';
import { type PastStore, type PastWrite, rowsAt } from './past-store.ts';

export interface Salvaged {
  readonly report: SalvageReport;
  readonly content: Content;
}

export interface Judgement {
  readonly basis: RecoveryPlan['basis'];
  /** The log may seem to end earlier than it did, without anything that says so. */
  readonly mayEndEarly: boolean;
  /** Something that a crash had taken may be back. */
  readonly isStale: boolean;
}

/** Rows that `provable` has and should not have, or lacks without saying so. */
export function judgeProvable(
  { report, content }: Salvaged,
  store: PastStore,
  { mayEndEarly, isStale, basis }: Judgement,
): readonly string[] {
  const { wayOut } = report;
  const sequence = wayOut.lastSequence!;
  const { history, lastSequence, ends } = store;
  const sentences: string[] = [];
  if (sequence > (isStale ? history.length : lastSequence))
    sentences.push(`it proves ${sequence} of ${lastSequence} writes`);
  if (!ends.has(sequence)) sentences.push(`it ends at ${sequence}, inside a batch`);
  const model = rowsAt(history, sequence);
  for (const [key, value] of content) {
    if (model.get(key)?.value !== value) sentences.push(`${key} is ${value} and was ${model.get(key)?.value}`);
  }
  // Edits that are lost take nothing from a state before them.
  const losses = wayOut.losses.filter(({ kind }) => kind !== 'manifest' || basis === 'tables');
  const ofState = { ...wayOut, losses };
  for (const [key, row] of model) {
    if (!content.has(key) && !admits(ofState, key, row.sequence))
      sentences.push(`${key} at ${row.sequence} is lost in silence`);
  }
  if (!mayEndEarly && sequence < lastSequence && !wayOut.losses.some((loss) => mayHold(loss, lastSequence))) {
    sentences.push(`it ends at ${sequence} of ${lastSequence} and does not say why`);
  }
  return [...sentences, ...wayOut.losses.flatMap(nonsenseIn)].map((sentence) => `provable: ${sentence}`);
}

/** Rows of `newest-found` that were never written, or that it lacks without saying so. */
export function judgeNewest(
  { report, content }: Salvaged,
  store: PastStore,
  { mayEndEarly }: Judgement,
): readonly string[] {
  const { history, lastSequence, written } = store;
  const sentences: string[] = [];
  for (const [key, value] of content) if (!written.has(`${key}=${value}`)) sentences.push(`${key} was never ${value}`);
  sentences.push(...report.wayOut.losses.flatMap(nonsenseIn));
  if (!mayEndEarly) {
    for (const [key, { value, sequence }] of rowsAt(history, lastSequence)) {
      // Behind damage there may be newer ones, which no store counted.
      const isTouched = history.slice(lastSequence).some((write) => touches(write, key));
      if (content.get(key) !== value && !isTouched && !admits(report.wayOut, key, sequence)) {
        sentences.push(`${key} at ${sequence} is lost in silence`);
      }
    }
  }
  return sentences.map((sentence) => `newest-found: ${sentence}`);
}

function nonsenseIn({ kind, file, entryCount, firstSequence, lastSequence, bytes }: Loss): readonly string[] {
  const isBackwards = firstSequence !== null && lastSequence !== null && lastSequence < firstSequence;
  const isNegative = (entryCount ?? 0) < 0 || bytes < 0;
  return isBackwards || isNegative
    ? [
        `a loss is nonsense: ${kind} of ${file}, ${entryCount} entries, ${firstSequence} to ${lastSequence}, ${bytes} bytes`,
      ]
    : [];
}

function touches({ key, end }: PastWrite, wanted: string): boolean {
  return end === undefined ? key === wanted : key <= wanted && wanted < end;
}

function admits(way: WayOut, key: string, sequence: number): boolean {
  const inHex = Buffer.from(key).toString('hex');
  return way.losses.some((loss) => covers(loss, inHex, sequence)) || way.doubtful!.some((each) => each.key === inHex);
}

function covers(loss: Loss, key: string, sequence: number): boolean {
  if (loss.kind === 'range-deletes' || !mayHold(loss, sequence)) return false;
  if (!loss.hasKeys) return true;
  const { from, isFromExcluded, to } = loss.keys!;
  return (isFromExcluded ? key > from! : key >= from!) && key <= to!;
}

function mayHold({ firstSequence, lastSequence }: Loss, sequence: number): boolean {
  return (firstSequence ?? 0) <= sequence && sequence <= (lastSequence ?? Infinity);
}

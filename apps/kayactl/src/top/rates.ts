/** What a node did between two looks at it, for each second. Counters begin anew when a node starts: then there is nothing to say. */

import type { JsonDocument } from '@kayadb/client';

import { numberOf, objectOf } from '../cluster/fields.ts';

/** A document, and when it was asked for by the clock of this program. */
export interface Sample {
  readonly atMs: number;
  readonly document: JsonDocument;
}

export interface Rates {
  /** Entries of the log that were applied. */
  readonly entries: number;
  /** Gets and scans of its store. */
  readonly reads: number;
  /** Bytes that compactions wrote. */
  readonly mergedBytes: number;
  /** Share of the time in which writes were held back; several at once count each. */
  readonly stalled: number;
  /** Mean of the syncs of its log; `undefined` when there was none. */
  readonly syncMs: number | undefined;
}

/** @returns `undefined` when the node was started in between, or no time has passed. */
export function ratesBetween(before: Sample, now: Sample): Rates | undefined {
  const seconds = (now.atMs - before.atMs) / 1_000;
  const isSameRun =
    numberOf(before.document, 'incarnation') === numberOf(now.document, 'incarnation') &&
    numberOf(before.document, 'boot') === numberOf(now.document, 'boot');
  if (seconds <= 0 || !isSameRun) return undefined;
  const [engineBefore, engineNow] = [objectOf(before.document, 'engine'), objectOf(now.document, 'engine')];
  const engine = (name: string): number => grown(engineBefore, engineNow, name);
  const [storageBefore, storageNow] = [objectOf(before.document, 'storage'), objectOf(now.document, 'storage')];
  const syncs = grown(storageBefore, storageNow, 'sync_count');
  const heldUs = engine('stall_total_us') + engine('slowed_total_us');
  return {
    entries: grown(before.document, now.document, 'applied_index') / seconds,
    reads: (engine('get_count') + engine('scan_count')) / seconds,
    mergedBytes: engine('compaction_bytes_written') / seconds,
    stalled: heldUs / 1_000_000 / seconds,
    syncMs: syncs === 0 ? undefined : grown(storageBefore, storageNow, 'sync_total_ms') / syncs,
  };
}

function grown(before: JsonDocument | undefined, now: JsonDocument | undefined, name: string): number {
  return Math.max(0, (numberOf(now, name) ?? 0) - (numberOf(before, name) ?? 0));
}

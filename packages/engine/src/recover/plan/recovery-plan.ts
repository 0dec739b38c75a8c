/**
 * What `planRecovery` finds out: the ways out of the state that a store is in, best first, and what each of them loses.
 * `salvageStore` carries out one of them. Page: docs/reference/recovery-plan.md.
 *
 * Invariant: a way out names everything that it may lose: whatever the store held and no `Loss` covers is in the result.
 */

import type { RecoveryReport } from '../recovery-report.ts';

/** Rises when a field changes its meaning or goes away. New fields do not raise it. */
export const RECOVERY_PLAN_FORMAT = 1;

/**
 * What a salvage writes.
 *
 * - `provable`: one state that the store went through, the newest that can be read, without the keys of which a newer version may
 *   have stood in a damaged place. Every row was the newest of its key in that state.
 * - `newest-found`: for each key the newest version that can be read anywhere, also behind damage in the log. Deleted keys and
 *   overwritten values may come back, and batches may be half there.
 */
export type SalvagePolicy = 'provable' | 'newest-found';

/**
 * - `open`: opening the store as it is, which recovers it.
 * - `salvage`: writing what is good into a new directory.
 * - `restore`: a backup, of which nothing can be said from here.
 * - `look-again`: a file could not be read, or the directory never held still: mend that first.
 */
export type WayOutKind = 'open' | 'salvage' | 'restore' | 'look-again';

/**
 * Where something is lost.
 *
 * - `block`: a data block of a table that does not verify.
 * - `table`: a table that is missing, or of which nothing can be read, or nothing from some place on.
 * - `log`: records of the write-ahead log from a damaged place on, or in it.
 * - `torn-tail`: the end of the log, never known to be durable.
 * - `range-deletes`: range deletes that only a damaged place held: what they removed comes back.
 * - `manifest`: edits that do not verify.
 */
export type LossKind = 'block' | 'table' | 'log' | 'torn-tail' | 'range-deletes' | 'manifest';

/** Bounds of keys, in hexadecimal; `null` where there is none. */
export interface LostKeys {
  /** The first key that may be lost, or the one before it when `isFromExcluded`. */
  readonly from: string | null;
  readonly isFromExcluded: boolean;
  /** The last key that may be lost. */
  readonly to: string | null;
}

/** One place of which a way out keeps nothing. */
export interface Loss {
  readonly kind: LossKind;
  /** Name inside the directory. */
  readonly file: string;
  readonly offset: number;
  readonly bytes: number;
  readonly reason: string;
  /** Level of a table. */
  readonly level: number | null;
  /** How many entries stood there, if that is known. */
  readonly entryCount: number | null;
  /** Sequence numbers that stood there, or may have; `null` when nothing bounds them. */
  readonly firstSequence: number | null;
  readonly lastSequence: number | null;
  /** Whether it is known between which keys they lie. Otherwise any key may be among them. */
  readonly hasKeys: boolean;
  /** `null` unless keys were asked for. */
  readonly keys: LostKeys | null;
}

/** A key of which a version can be read, and a newer one may have stood in a damaged place. */
export interface DoubtfulKey {
  /** In hexadecimal. */
  readonly key: string;
  /** Of the version that can be read. */
  readonly sequence: number;
  /** Where that version stands. */
  readonly file: string;
}

export interface WayOut {
  readonly kind: WayOutKind;
  /** Of a salvage. */
  readonly policy: SalvagePolicy | null;
  /** What it does, in one sentence. */
  readonly summary: string;
  /** The command that does it, without the directory to write to; `null` when it is not one command. */
  readonly command: string | null;
  /** Rows that readers see afterwards; `null` when that cannot be said from here. */
  readonly rowCount: number | null;
  /** The newest write that is in the result; `null` as above. */
  readonly lastSequence: number | null;
  /** In the order of files and offsets. Empty: it loses nothing that was acknowledged as durable. */
  readonly losses: readonly Loss[];
  /** Doubtful keys: `provable` leaves them out, `newest-found` takes them as they can be read. */
  readonly doubtfulCount: number;
  /** Which ones, in the order of keys; `null` unless keys were asked for. Bound: the first 10,000. */
  readonly doubtful: readonly DoubtfulKey[] | null;
  /** What else to know before choosing it, in sentences. */
  readonly cautions: readonly string[];
}

/** A damaged stretch of a table in the picture of the store. */
export interface PlanDamage {
  readonly offset: number;
  readonly bytes: number;
  readonly reason: string;
}

export interface PlanTable {
  /** Name inside the directory. */
  readonly file: string;
  readonly bytes: number;
  readonly entryCount: number | null;
  readonly firstSequence: number | null;
  readonly lastSequence: number | null;
  /** Where its keys lie among all keys of the store, 0 to 1, by rank: enough for a picture, and no key is given away. */
  readonly from: number;
  readonly to: number;
  readonly isMissing: boolean;
  readonly damage: readonly PlanDamage[];
}

export interface RecoveryPlan {
  readonly format: typeof RECOVERY_PLAN_FORMAT;
  /** What the plan is made from, whole. */
  readonly report: RecoveryReport;
  /** Which description of the store the plan goes by: CURRENT's manifest, a whole manifest that CURRENT does not name, or the tables alone. */
  readonly basis: 'current' | 'other-manifest' | 'tables';
  /** The manifest; `null` with `basis` `tables`. */
  readonly manifest: string | null;
  /** For a picture: level 0 first, tables in the order of their smallest keys. */
  readonly levels: readonly (readonly PlanTable[])[];
  /** Best first; never empty. */
  readonly waysOut: readonly WayOut[];
}

/** What `salvageStore` did. */
export interface SalvageReport {
  readonly directory: string;
  readonly target: string;
  readonly policy: SalvagePolicy;
  /** The way out as the plan had it; what was lost is what it says. */
  readonly wayOut: WayOut;
  readonly rowCount: number;
  /** Of keys and values. */
  readonly bytes: number;
  readonly durationUs: number;
}

/** Told while files are read or written. `totalBytes` may grow. */
export interface RecoveryProgress {
  readonly phase: 'read' | 'write';
  readonly bytes: number;
  readonly totalBytes: number;
}

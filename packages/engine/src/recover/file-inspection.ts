/** What `inspectFile` tells of one log segment, manifest or table: every piece of it, where it stands, and whether it verifies. */

import type { TableSection } from './examine-table.ts';
import type { NumberedKind } from './file-header-evidence.ts';
import type { FileDamage } from './recovery-report.ts';

export type InspectableKind = NumberedKind;

/** `damaged` pieces are described as far as they can be read; `unsupported` ones cannot be read by this version, here. */
export type ChecksumState = 'ok' | 'damaged' | 'unsupported';

export interface InspectedHeader {
  readonly checksum: ChecksumState;
  readonly formatVersion: number | null;
  /** 32 hexadecimal digits. */
  readonly storeId: string | null;
  readonly fileNumber: number | null;
  /** Only of a log segment. */
  readonly startLsn: number | null;
}

interface InspectedFile {
  readonly bytes: number;
  readonly header: InspectedHeader;
  /** In the order of offsets. */
  readonly damage: readonly FileDamage[];
  /** Where the end of the file does not verify and nothing behind it vouches for it: torn, as far as the file alone can tell. */
  readonly tornAt: number | null;
}

export interface InspectedOperation {
  readonly kind: 'put' | 'delete' | 'delete-range';
  /** Of a range delete: its start. In hexadecimal; `null` unless keys were asked for. */
  readonly key: string | null;
  /** Where a range delete ends; `null` when it has no end, of other operations, and unless keys were asked for. */
  readonly endKey: string | null;
  readonly keyBytes: number;
  /** Of a range delete: of its end, 0 when it has none. */
  readonly valueBytes: number;
}

export interface InspectedWalRecord {
  readonly offset: number;
  /** Header and padding included. */
  readonly bytes: number;
  readonly lsn: number;
  readonly durableLsn: number;
  readonly firstSequence: number;
  readonly count: number;
  readonly puts: number;
  readonly deletes: number;
  readonly rangeDeletes: number;
  /** `null` unless keys were asked for. */
  readonly operations: readonly InspectedOperation[] | null;
}

export interface InspectedGap {
  readonly offset: number;
  readonly bytes: number;
  readonly reason: string;
}

export interface WalInspection extends InspectedFile {
  readonly kind: 'wal';
  /** All that verify, also behind damage. */
  readonly records: readonly InspectedWalRecord[];
  /** Stretches that hold no valid record. */
  readonly gaps: readonly InspectedGap[];
}

export interface InspectedTableEntry {
  readonly level: number;
  readonly fileNumber: number;
  readonly fileBytes: number;
  readonly entryCount: number;
  readonly deleteCount: number;
  readonly smallestSequence: number;
  readonly largestSequence: number;
  readonly smallestKey: string | null;
  readonly largestKey: string | null;
  /** The table holds nothing that a range delete up to this sequence number hides. */
  readonly rangeDeletesApplied: number | null;
}

export interface InspectedRangeDelete {
  readonly sequence: number;
  /** In hexadecimal; `null` unless keys were asked for. */
  readonly start: string | null;
  /** `null` also for a range without an end. */
  readonly end: string | null;
  readonly hasEnd: boolean;
}

export interface InspectedEdit {
  readonly offset: number;
  readonly bytes: number;
  /** From 1. */
  readonly ordinal: number;
  readonly nextFileNumber: number | null;
  /** 0 in a store without a log of its own. */
  readonly oldestSegment: number | null;
  readonly flushedSequence: number | null;
  readonly addedTables: readonly InspectedTableEntry[];
  readonly removedTables: readonly { readonly level: number; readonly fileNumber: number }[];
  readonly cleanClose: { readonly segment: number; readonly endLsn: number; readonly lastSequence: number } | null;
  readonly addedRangeDeletes: readonly InspectedRangeDelete[];
  /** By their sequence numbers. */
  readonly removedRangeDeletes: readonly number[];
  readonly durableIndex: number | null;
}

export interface ManifestInspection extends InspectedFile {
  readonly kind: 'manifest';
  readonly edits: readonly InspectedEdit[];
  readonly gaps: readonly InspectedGap[];
}

export interface InspectedSection {
  readonly section: TableSection;
  readonly offset: number;
  /** As stored, the trailer included. */
  readonly bytes: number;
  /** After decompression. */
  readonly rawBytes: number | null;
  readonly checksum: ChecksumState;
  /** Of a data block that verifies. */
  readonly entryCount: number | null;
  readonly firstSequence: number | null;
  readonly lastSequence: number | null;
  readonly firstKey: string | null;
  readonly lastKey: string | null;
}

export interface TableInspection extends InspectedFile {
  readonly kind: 'table';
  readonly sections: readonly InspectedSection[];
  readonly entryCount: number;
  readonly deleteCount: number | null;
  readonly firstSequence: number | null;
  readonly lastSequence: number | null;
}

/** The file is not of the kind that was asked for; `found` is the kind whose magic it opens with, if any. */
export interface StrangeFile {
  readonly kind: 'other';
  readonly found: InspectableKind | null;
}

export type FileInspection = WalInspection | ManifestInspection | TableInspection | StrangeFile;

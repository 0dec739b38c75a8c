/** What `inspectFile` tells of one file: every piece of it, where it stands, and whether it verifies. */

import type { TableSection } from './examine-table.ts';
import type { NumberedKind } from './file-header-evidence.ts';
import type { FileDamage } from './recovery-report.ts';

/** `backup` is the list of a backup, `reserve` the room that is kept free; `table` is what users call an sstable. */
export type InspectableKind = NumberedKind | 'current' | 'lock' | 'backup' | 'reserve';

/** `damaged` pieces are described as far as they can be read; `unsupported` ones cannot be read by this version, here. */
export type ChecksumState = 'ok' | 'damaged' | 'unsupported';

/** Both checksums of a structure, 8 hexadecimal digits each; `null` where it is not known where they stand or what they cover. */
export interface InspectedChecksums {
  /** As it stands in the file. */
  readonly storedCrc: string | null;
  /** Over the bytes that are there. */
  readonly computedCrc: string | null;
}

/** A stretch that the operating system did not give; everything else is told as if zeros stood there. */
export interface UnreadableStretch {
  readonly offset: number;
  readonly bytes: number;
  readonly reason: string;
}

export interface InspectedHeader extends InspectedChecksums {
  readonly checksum: ChecksumState;
  readonly formatVersion: number | null;
  /** 32 hexadecimal digits. */
  readonly storeId: string | null;
  readonly fileNumber: number | null;
  /** Only of a log segment. */
  readonly startLsn: number | null;
}

interface InspectedBytes {
  readonly bytes: number;
  /** In the order of offsets. */
  readonly damage: readonly FileDamage[];
  /** In the order of offsets. Not empty: nothing that was found says that the file is in order. */
  readonly unreadable: readonly UnreadableStretch[];
}

interface InspectedFile extends InspectedBytes {
  readonly header: InspectedHeader;
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

export interface InspectedWalRecord extends InspectedChecksums {
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

/** The checksums are those of the record that seems to stand at its start. */
export interface InspectedGap extends InspectedChecksums {
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

export interface InspectedEdit extends InspectedChecksums {
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

export interface InspectedSection extends InspectedChecksums {
  readonly section: TableSection;
  readonly offset: number;
  /** As stored, the trailer included. */
  readonly bytes: number;
  /** After decompression. */
  readonly rawBytes: number | null;
  /** Of a block. */
  readonly compression: 'none' | 'zstd' | null;
  readonly checksum: ChecksumState;
  /** Of a data block that verifies. */
  readonly entryCount: number | null;
  readonly firstSequence: number | null;
  readonly lastSequence: number | null;
  readonly firstKey: string | null;
  readonly lastKey: string | null;
}

export interface InspectedFilter {
  readonly bits: number;
  /** Bits that are looked at for a key. */
  readonly probes: number;
  /** Share of the bits that are set, 0 to 1. */
  readonly fill: number;
  /** Share of the absent keys that it lets pass, by its fill. */
  readonly falsePositiveRate: number;
}

export interface InspectedProperties {
  readonly entryCount: number;
  readonly deleteCount: number;
  readonly smallestSequence: number;
  readonly largestSequence: number;
  /** Sums over all entries, in bytes. */
  readonly keyBytes: number;
  readonly valueBytes: number;
  readonly blockCount: number;
  /** In hexadecimal; `null` unless keys were asked for. */
  readonly smallestKey: string | null;
  readonly largestKey: string | null;
}

/** What the index says of one data block. */
export interface InspectedIndexEntry {
  readonly offset: number;
  /** As stored, without the trailer. */
  readonly storedBytes: number;
  readonly rawBytes: number;
  /** Last key of the block, in hexadecimal; `null` unless keys were asked for. */
  readonly lastKey: string | null;
}

export interface TableInspection extends InspectedFile {
  readonly kind: 'table';
  readonly sections: readonly InspectedSection[];
  /** `null` when it cannot be read. */
  readonly filter: InspectedFilter | null;
  readonly properties: InspectedProperties | null;
  /** Empty when it cannot be read. */
  readonly index: readonly InspectedIndexEntry[];
  readonly entryCount: number;
  readonly deleteCount: number | null;
  readonly firstSequence: number | null;
  readonly lastSequence: number | null;
}

export interface CurrentInspection extends InspectedBytes, InspectedChecksums {
  readonly kind: 'current';
  readonly checksum: ChecksumState;
  readonly formatVersion: number | null;
  /** 32 hexadecimal digits. */
  readonly storeId: string | null;
  /** Name of the manifest in force. */
  readonly manifest: string | null;
}

/** Who took the lock. Whether the process still runs, the file does not say. */
export interface LockInspection extends InspectedBytes {
  readonly kind: 'lock';
  readonly pid: number | null;
  readonly host: string | null;
  readonly token: string | null;
  /** ISO 8601. */
  readonly takenAt: string | null;
}

export interface InspectedBackupFile {
  readonly name: string;
  readonly bytes: number;
  /** CRC-32C of the whole file, 8 hexadecimal digits. */
  readonly crc: string;
}

/** The list of a backup. Whether the files are what it says, `inspectBackup` finds out. */
export interface BackupListInspection extends InspectedBytes, InspectedChecksums {
  readonly kind: 'backup';
  readonly checksum: ChecksumState;
  readonly formatVersion: number | null;
  readonly storeId: string | null;
  readonly sequence: number | null;
  readonly durableIndex: number | null;
  readonly files: readonly InspectedBackupFile[];
}

/** Room on the disk that is kept to be given back; its content says nothing. */
export interface ReserveInspection extends InspectedBytes {
  readonly kind: 'reserve';
}

/** The file is not of the kind that was asked for; `found` is the kind whose magic it opens with, if any. */
export interface StrangeFile {
  readonly kind: 'other';
  readonly found: InspectableKind | null;
}

export type FileInspection =
  | WalInspection
  | ManifestInspection
  | TableInspection
  | CurrentInspection
  | LockInspection
  | BackupListInspection
  | ReserveInspection
  | StrangeFile;

/**
 * What `inspectStore` finds out: a store as evidence, file by file, and what opening it would do.
 *
 * Every field is always there; `null` says that it does not apply or could not be found out. The page
 * docs/reference/recovery-report.md describes each field under the name that it has here, and a test compares them.
 * Names with underscores are those of the original program's report.
 */

/** Rises when a field changes its meaning or goes away. New fields do not raise it. */
export const RECOVERY_REPORT_FORMAT = 1;

/**
 * - `clean`: opening succeeds and drops nothing.
 * - `recoverable`: opening succeeds and drops nothing but a torn tail.
 * - `corrupt`: something that may have been acknowledged is damaged or missing.
 * - `unsupported`: nothing is damaged, but a newer version wrote it, or a module to read it is missing here.
 * - `undecided`: a file could not be read, the directory changed with every look, or it is a backup, which is not opened.
 * - `empty`: there is no store.
 */
export type RecoveryVerdict = 'clean' | 'recoverable' | 'corrupt' | 'unsupported' | 'undecided' | 'empty';

export type RecoveredFileKind = 'current' | 'lock' | 'manifest' | 'wal' | 'table' | 'reserve' | 'temporary' | 'unknown';

/**
 * What the file is to the store:
 * - `intact`: everything in it verifies.
 * - `torn-tail`: its end was never known to be durable, and opening drops it.
 * - `corrupt`: it is needed, and something in it does not verify.
 * - `missing`: it is needed, and it is not there.
 * - `orphan`: a table or manifest that was written and never became part of the store, or a segment beside a store without
 *   a log of its own.
 * - `obsolete`: a segment or manifest that the store has left behind.
 * - `temporary`: what is left of a file that was being published.
 * - `vanished`: it was removed while the directory was being looked at.
 * - `unsupported`: a newer version wrote it, or a module to read it is missing here.
 * - `unreadable`: the operating system refused to open or read it.
 * - `unknown`: not a name that a store gives.
 */
export type RecoveredFileState =
  | 'intact'
  | 'torn-tail'
  | 'corrupt'
  | 'missing'
  | 'orphan'
  | 'obsolete'
  | 'temporary'
  | 'vanished'
  | 'unsupported'
  | 'unreadable'
  | 'unknown';

/** A place in one file that does not verify. */
export interface FileDamage {
  /** Bytes from the start of the file to the damaged structure. */
  readonly offset: number;
  readonly reason: string;
}

/** A place in the store that does not verify. */
export interface StoreDamage extends FileDamage {
  /** Name inside the data directory. */
  readonly file: string;
}

/**
 * What opening does with one file:
 * - `keep`: it stays as it is.
 * - `replay`: what it holds is read and written anew; then it is removed.
 * - `replace`: a new file takes its name.
 * - `take-over`: the lock of a process that has ended becomes the opener's.
 * - `remove`: it goes unread.
 * - `leave`: it is none of the store's business.
 * - `none`: opening does not get that far.
 */
export type OpeningAction = 'keep' | 'replay' | 'replace' | 'take-over' | 'remove' | 'leave' | 'none';

export interface FileOpening {
  readonly action: OpeningAction;
  /** Records of this file that are applied. */
  readonly recordsReplayed: number;
  /** Bytes of torn tail in this file. */
  readonly bytesCut: number;
}

export interface RecoveredFile {
  /** Name inside the data directory. */
  readonly name: string;
  readonly kind: RecoveredFileKind;
  readonly state: RecoveredFileState;
  readonly formatVersion: number | null;
  /** Where the first damage or the torn tail begins. */
  readonly offset: number | null;
  /** What is the matter with it, in words. */
  readonly reason: string | null;
  /** Everything in it that does not verify, in the order of offsets, also where the store does not need the file. */
  readonly damage: readonly FileDamage[];
  readonly bytes: number;
  /** Log records or version edits that verify. */
  readonly recordCount: number | null;
  /** Operations in them, or entries of the table. */
  readonly entryCount: number | null;
  /** Smallest and largest sequence number among them. */
  readonly firstSequence: number | null;
  readonly lastSequence: number | null;
  /** Where the manifest has the table. */
  readonly level: number | null;
  /** Whether the table says which keys it spans. */
  readonly hasKeyRange: boolean;
  /** Its keys in hexadecimal; `null` unless they were asked for. */
  readonly smallestKey: string | null;
  readonly largestKey: string | null;
  readonly opening: FileOpening;
}

export interface RecoveredLock {
  readonly state: 'free' | 'held' | 'stale' | 'unreadable';
  /** Whether the owner runs; `unknown` when it cannot be seen from here. */
  readonly liveness: 'alive' | 'dead' | 'unknown' | null;
  readonly pid: number | null;
  readonly host: string | null;
  /** ISO 8601, by the clock of the file system. */
  readonly takenAt: string | null;
}

/** What opening would do once nobody holds the lock. */
export interface OpeningForecast {
  readonly outcome: 'opens' | 'creates' | 'refused';
  /** The error of a refusal. */
  readonly code: string | null;
  readonly file: string | null;
  readonly offset: number | null;
  readonly reason: string | null;
  /** Records of the write-ahead log that are applied. */
  readonly recordsReplayed: number;
  readonly walTruncatedBytes: number;
  /** In the order of names. */
  readonly filesRemoved: readonly string[];
  readonly lockTakeover: boolean;
}

export interface RecoveryReport {
  readonly format: typeof RECOVERY_REPORT_FORMAT;
  readonly directory: string;
  readonly verdict: RecoveryVerdict;
  /** Whether a process has the store open, or may have. */
  readonly live: boolean;
  readonly lock: RecoveredLock;
  /** 32 hexadecimal digits, from CURRENT. */
  readonly storeId: string | null;
  /** Name of the manifest in force. */
  readonly manifest: string | null;
  /** Name of the newest manifest that verifies by itself: what to look at when CURRENT or its manifest is damaged. */
  readonly newestWholeManifest: string | null;
  readonly opening: OpeningForecast;
  /** Everything damaged or missing that the store needs; what opening stumbles over comes first. */
  readonly damage: readonly StoreDamage[];
  /** In the order of names; files that are missing are listed too. */
  readonly files: readonly RecoveredFile[];
  /** The newest write that opening brings back; if it is refused, the newest that was found anywhere. */
  readonly lastSequence: number;
  /** Where the write-ahead log goes on; if opening is refused, the end of the newest record that was found. */
  readonly lastLsn: number;
  /** Whether the last process closed the store in good order. */
  readonly cleanClose: boolean;
  /** `own`: the store's write-ahead log; `external`: somebody else's, and `durableIndex` says from where it is to be repeated. */
  readonly log: 'own' | 'external' | null;
  /** The place in an external log up to which tables hold everything. */
  readonly durableIndex: number | null;
  /** Range deletes that the manifest keeps because tables may still hold something that they hide. */
  readonly rangeDeleteCount: number | null;
  /** How often the directory was looked at before nothing moved under the reader's eyes. */
  readonly lookCount: number;
  readonly durationUs: number;
  readonly warnings: readonly string[];

  readonly manifest_records_replayed: number;
  readonly live_sstable_count: number;
  readonly wal_records_replayed: number;
  readonly wal_truncated_bytes: number;
  readonly tmp_files_removed: number;
  readonly last_lsn: number;
  readonly last_sequence: number;
  readonly records_replayed: number;
}

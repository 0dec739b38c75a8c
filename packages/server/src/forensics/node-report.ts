/**
 * What `inspectNode` finds out: the directory of a node as evidence, file by file, and what the next start of the node would do.
 *
 * Every field is always there; `null` says that it does not apply or could not be found out. The page docs/reference/node-report.md describes each field under the name that it
 * has here, and a test compares them.
 */

import type { FileDamage, RecoveredLock, RecoveryReport, RecoveryVerdict, StoreDamage } from '@kayadb/engine';
import type { Configuration, TailKind } from '@kayadb/raft';

/** Rises when a field changes its meaning or goes away. New fields do not raise it. */
export const NODE_REPORT_FORMAT = 1;

export type NodeFileKind =
  | 'node'
  | 'lock'
  | 'raft-log'
  | 'raft-state'
  | 'raft-snapshot'
  | 'snapshot-file'
  | 'transfer'
  | 'progress'
  | 'folder'
  | 'temporary'
  | 'unknown';

/**
 * - `intact`: everything in it verifies.
 * - `torn-tail`: its end was never known to be durable; the next start leaves it out.
 * - `corrupt`: something in it does not verify.
 * - `missing`: it is needed, and it is not there.
 * - `foreign`: it verifies and belongs to another node, another cluster, or another life of this node.
 * - `leftover`: a crash left it, or nothing needs it; the next start removes it.
 * - `unsupported`: a newer version wrote it.
 * - `unreadable`: the operating system refused to open or read it.
 * - `unknown`: nobody's here; it is left alone.
 */
export type NodeFileState =
  | 'intact'
  | 'torn-tail'
  | 'corrupt'
  | 'missing'
  | 'foreign'
  | 'leftover'
  | 'unsupported'
  | 'unreadable'
  | 'unknown';

/** A file or folder of the node that is not in its store: those are in `store`. */
export interface NodeFile {
  /** Path inside the directory. */
  readonly name: string;
  readonly kind: NodeFileKind;
  readonly state: NodeFileState;
  readonly bytes: number;
  /** Where the first damage, or the torn tail, begins. */
  readonly offset: number | null;
  readonly reason: string | null;
  readonly damage: readonly FileDamage[];
  /** Records of a segment that verify. */
  readonly recordCount: number | null;
  /** Entries in them, also those whose place others have taken since. */
  readonly entryCount: number | null;
  readonly firstIndex: number | null;
  readonly lastIndex: number | null;
}

export interface ReportedNode {
  readonly id: number;
  readonly incarnation: number;
  readonly boot: number;
  /** 32 hex digits; `null`: in no cluster yet. */
  readonly cluster: string | null;
  readonly removed: boolean;
}

export interface ReportedLog {
  readonly term: number;
  /** 0: nobody. */
  readonly vote: number;
  readonly firstIndex: number;
  readonly lastIndex: number;
  readonly lastTerm: number;
  /** Committed for certain: files say so, or this node alone decides. More may be. */
  readonly commit: number;
  readonly snapshotIndex: number | null;
  readonly snapshotTerm: number | null;
  /** Who is in the group when everything in the log is applied. */
  readonly configuration: Configuration;
  /** Who is in it when everything up to `commit` is. */
  readonly committedConfiguration: Configuration;
  readonly tail: TailKind;
  readonly tailFile: string;
  readonly tailOffset: number;
  /** The first entry that a start writes once more, since no sync vouches for it. */
  readonly rewriteFrom: number | null;
}

export interface ReportedMember {
  readonly node: number;
  readonly incarnation: number;
  readonly level: number;
  readonly isToBePromoted: boolean;
  readonly peerAddress: string;
  readonly clientAddress: string;
}

/** What the store says of the state machine; of what it holds, without the entries that a start would apply. */
export interface ReportedMachine {
  /** The last command in it. */
  readonly index: number;
  readonly term: number;
  /** Milliseconds since 1970, by the clocks of leaders. */
  readonly timeMs: number;
  readonly level: number;
  readonly sessionCount: number;
  readonly members: readonly ReportedMember[];
  /** Directories that were members, and never are again; who was removed first comes first. */
  readonly gone: readonly ReportedGone[];
}

export interface ReportedGone {
  readonly node: number;
  readonly incarnation: number;
  /** Of the entry that removed it. */
  readonly index: number;
}

/** What the next start would do, once nobody holds the lock. */
export interface StartForecast {
  /** `forms`: it is in no cluster yet, and waits for one or founds one. */
  readonly outcome: 'starts' | 'forms' | 'refused';
  readonly code: string | null;
  readonly file: string | null;
  readonly offset: number | null;
  readonly reason: string | null;
  /** The entry that the store has applied, and behind which the log is applied again. */
  readonly appliedIndex: number | null;
  /** Entries that are applied at once: they are known to be committed. */
  readonly entriesReplayed: number;
  /** Entries behind those: kept, and applied when a leader says that they are committed; or replaced. */
  readonly entriesUndecided: number;
  /** The snapshot that takes the place of the store, by its index. */
  readonly snapshotRestored: number | null;
  readonly lockTakeover: boolean;
  /** Paths, in order. */
  readonly removed: readonly string[];
}

export interface NodeReport {
  readonly format: typeof NODE_REPORT_FORMAT;
  readonly directory: string;
  readonly verdict: RecoveryVerdict;
  readonly live: boolean;
  readonly lock: RecoveredLock;
  readonly node: ReportedNode | null;
  readonly log: ReportedLog | null;
  readonly machine: ReportedMachine | null;
  /** The folder of the store in force. */
  readonly storeFolder: string | null;
  /** Of its files, with names inside that folder: docs/reference/recovery-report.md. */
  readonly store: RecoveryReport | null;
  readonly start: StartForecast;
  /** Everything that is needed and damaged or missing, with paths inside the directory; what a start is refused for comes first. */
  readonly damage: readonly StoreDamage[];
  readonly files: readonly NodeFile[];
  readonly warnings: readonly string[];
}

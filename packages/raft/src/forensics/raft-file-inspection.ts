/** What `inspectRaftFile` tells of one file: everything in it, where it stands, and whether it verifies. */

import type { Snapshot } from '../core/types.ts';
import type { VersionedVote } from '../storage/hard-state-format.ts';
import type { SnapshotFile } from '../wire/transfer-message.ts';
import type { SegmentSurvey } from './segment-survey.ts';

export type RaftFileKind = 'raft-log' | 'raft-state' | 'raft-snapshot' | 'transfer' | 'progress';

/** A place that does not verify. */
export interface RaftFileDamage {
  /** Bytes from the start of the file. */
  readonly offset: number;
  readonly reason: string;
}

export interface InspectedRaftHeader {
  readonly checksum: 'ok' | 'damaged' | 'unsupported';
  /** 32 hex digits; what does not verify is told all the same, as are the next. */
  readonly cluster: string | null;
  readonly node: number | null;
  readonly incarnation: number | null;
  /** Of segments. */
  readonly segment: number | null;
  readonly startLsn: number | null;
  readonly firstIndex: number | null;
  readonly previousTerm: number | null;
}

interface OfFile {
  readonly bytes: number;
  readonly header: InspectedRaftHeader;
  readonly damage: readonly RaftFileDamage[];
}

export interface RaftLogInspection extends OfFile {
  readonly kind: 'raft-log';
  /** `undefined` where the header does not verify: nothing does then. */
  readonly survey: SegmentSurvey | undefined;
}

export interface InspectedSlot {
  readonly slot: number;
  readonly offset: number;
  /** `undefined` where it does not verify. */
  readonly state: VersionedVote | undefined;
}

export interface RaftStateInspection extends OfFile {
  readonly kind: 'raft-state';
  readonly slots: readonly InspectedSlot[];
  /** What counts. */
  readonly state: VersionedVote | undefined;
}

export interface RaftSnapshotInspection extends OfFile {
  readonly kind: 'raft-snapshot';
  readonly snapshot: Snapshot | undefined;
}

export interface TransferInspection extends OfFile {
  readonly kind: 'transfer';
  readonly snapshot: Snapshot | undefined;
  readonly files: readonly SnapshotFile[];
}

export interface ProgressInspection extends OfFile {
  readonly kind: 'progress';
  readonly place: { readonly file: number; readonly offset: number } | undefined;
}

export type RaftFileInspection =
  | RaftLogInspection
  | RaftStateInspection
  | RaftSnapshotInspection
  | TransferInspection
  | ProgressInspection;

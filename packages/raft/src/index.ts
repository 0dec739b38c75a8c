export type {
  ConfigChange,
  ConfigChangeV1,
  ConfigStep,
  ConfigStepKind,
  ConfigTransition,
} from './core/config-change.ts';
export { type CoreConfig, defaultEntryBytes, type ReadOnlyMode } from './core/config.ts';
export {
  type ChangeRefusal,
  type ElectionEvent,
  type EventLevel,
  type EventSink,
  type ForgetEvent,
  levelOf,
  type LifeEvent,
  type LogEvent,
  type ProposalEvent,
  type RaftEvent,
  type ReadEvent,
  type ReplicationEvent,
  type SnapshotEvent,
  type TermEvent,
  type TransferEvent,
} from './core/events.ts';
export type {
  AppendRequest,
  AppendResponse,
  Heartbeat,
  HeartbeatResponse,
  LocalMessage,
  Message,
  MessageKind,
  PeerMessage,
  SnapshotRequest,
  StorageAppend,
  StorageApply,
  VoteRequest,
  VoteResponse,
} from './core/message.ts';
export type { LogGap, LogStorage } from './core/log-storage.ts';
export type { DropReason, ProposeOutcome, StepOutcome } from './core/outcome.ts';
export { RaftCore } from './core/raft-core.ts';
export type { ReadState, Ready, Role, SoftState } from './core/ready.ts';
export type { ProgressView, Status, StatusSummary } from './core/status.ts';
export {
  APPEND_THREAD,
  APPLY_THREAD,
  type Configuration,
  EMPTY_CONFIGURATION,
  EMPTY_HARD_STATE,
  type Entry,
  type EntryKind,
  type HardState,
  isLocalThread,
  type LogIndex,
  NO_NODE,
  type NodeId,
  type Snapshot,
  type SnapshotMeta,
  type Term,
} from './core/types.ts';
export { NotLeaderError, RaftCorruptionError, RaftError, type RaftErrorCode } from './errors.ts';
export { inspectRaftFile, raftFileKind } from './forensics/inspect-raft-file.ts';
export { RaftEvidence } from './forensics/raft-evidence.ts';
export type {
  InspectedRaftHeader,
  InspectedSlot,
  RaftFileDamage,
  RaftFileInspection,
  RaftFileKind,
} from './forensics/raft-file-inspection.ts';
export type { SegmentSurvey, SurveyedEntry, SurveyedGap, SurveyedRecord } from './forensics/segment-survey.ts';
export type { InstallOutcome } from './node/installs.ts';
export type { DropCause, HostEvent, MessageRefusal, NodeEvent, NodeEventSink } from './node/node-events.ts';
export type { NodeLimits, NodeWorld, RaftNodeOptions } from './node/node-options.ts';
export { bootstrapGroup } from './node/node-start.ts';
export type { PeerRegistry } from './node/origin-check.ts';
export { PeerIntake, type PeerIntakeOptions } from './node/peer-intake.ts';
export type { PeerSender, SnapshotShipper } from './node/peers.ts';
export { type ConfigChangeResult, type NodeStatus, type ProposalResult, RaftNode } from './node/raft-node.ts';
export { SnapshotInstaller, type SnapshotInstallerOptions } from './node/snapshot-installer.ts';
export {
  type HeldFiles,
  type ReceiverEffect,
  SnapshotReceiver,
  type SnapshotReceiverOptions,
} from './node/snapshot-receiver.ts';
export {
  type SenderEffect,
  type SendFailure,
  SnapshotSender,
  type SnapshotSenderOptions,
} from './node/snapshot-sender.ts';
export type { SnapshotPolicy } from './node/snapshot-policy.ts';
export type { PinnedSnapshot, SnapshotSource } from './node/snapshot-source.ts';
export type { SnapshotTarget } from './node/snapshot-target.ts';
export { TransferShipper, type TransferShipperOptions } from './node/transfer-shipper.ts';
export type { AppliedPoint, StateMachine } from './node/state-machine.ts';
export type { RaftStorage, StorageBatch } from './storage/raft-storage.ts';
export type { DurableRaftStorage } from './storage/durable-storage.ts';
export { openRaftStorage, type RaftStorageOptions } from './storage/open-raft-storage.ts';
export type { RaftIdentity } from './storage/raft-identity.ts';
export type { LogTail } from './storage/segment-recovery.ts';
export type { TailKind } from './storage/segment-records.ts';
export { decodePeerFrame, isTransferMessage } from './wire/decode-peer-frame.ts';
export { encodePeerMessage } from './wire/encode-peer-message.ts';
export { encodeTransferMessage } from './wire/encode-transfer-message.ts';
export { MAX_PEER_FRAME_BYTES } from './wire/frame-format.ts';
export {
  isSenderMessage,
  type RefusalReason,
  type SenderMessage,
  type SnapshotFile,
  type TransferMessage,
} from './wire/transfer-message.ts';

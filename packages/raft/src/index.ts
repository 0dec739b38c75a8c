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
export type { ProgressView, Status } from './core/status.ts';
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
export { RaftCorruptionError, RaftError, type RaftErrorCode } from './errors.ts';
export type { RaftStorage, StorageBatch } from './storage/raft-storage.ts';
export type { DurableRaftStorage } from './storage/durable-storage.ts';
export { openRaftStorage, type RaftStorageOptions } from './storage/open-raft-storage.ts';
export type { RaftIdentity } from './storage/raft-identity.ts';

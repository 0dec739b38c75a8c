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
export type { ReadState, Ready, Role, SoftState } from './core/ready.ts';
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

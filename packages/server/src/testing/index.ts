export { DirectoryError } from '../directory/directory-error.ts';
export { NodeDirectory, type NodeDirectoryOptions } from '../directory/node-directory.ts';
export { decodeNodeFile, encodeNodeFile } from '../directory/node-file.ts';
export { checkStart } from '../forensics/check-start.ts';
export { describeCommand } from '../forensics/describe-command.ts';
export { GroupError, type GroupErrorCode } from '../group/group-error.ts';
export type { GroupTuning } from '../group/group-member.ts';
export { Group } from '../group/group.ts';
export type { GroupOptions } from '../group/group-options.ts';
export type { PeerSetting } from '../group/peer-setting.ts';
export type { Command, CommandBody, Member } from '../machine/command.ts';
export { decodeCommand } from '../machine/decode-command.ts';
export { encodeCommand } from '../machine/encode-command.ts';
export {
  decodeAnswerRow,
  decodeGoneRow,
  decodeMachineRow,
  decodeMemberRow,
  decodeSessionRow,
  encodeAnswerRow,
  encodeGoneRow,
  encodeMachineRow,
  encodeMemberRow,
  encodeSessionRow,
  GONE_PREFIX,
  goneKey,
  numberIn,
  secondNumberIn,
} from '../machine/rows.ts';
export { decodeSnapshotData, encodeSnapshotData } from '../machine/snapshot-data.ts';
export { ReplicaError, type ReplicaErrorCode } from '../replica/replica-error.ts';
export type { Replica, RowScan } from '../replica/replica.ts';
export { MemoryCluster, type MemoryClusterOptions, type MemoryNodeOptions } from './memory-cluster.ts';

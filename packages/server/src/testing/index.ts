export { DirectoryError } from '../directory/directory-error.ts';
export { NodeDirectory, type NodeDirectoryOptions } from '../directory/node-directory.ts';
export { GroupError, type GroupErrorCode } from '../group/group-error.ts';
export type { GroupTuning } from '../group/group-member.ts';
export { Group, type GroupOptions } from '../group/group.ts';
export type { PeerSetting } from '../group/peer-setting.ts';
export { ReplicaError, type ReplicaErrorCode } from '../replica/replica-error.ts';
export type { Replica, RowScan } from '../replica/replica.ts';
export { MemoryCluster, type MemoryClusterOptions, type MemoryNodeOptions } from './memory-cluster.ts';

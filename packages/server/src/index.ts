export { type BindRequest, type BindVerdict, checkBind } from './access/bind-guard.ts';
export { DEFAULT_SERVER_LIMITS, type ServerLimits } from './limits.ts';
export type { LogFields, Logger } from './logger.ts';
export { DirectoryError, type DirectoryErrorCode } from './directory/directory-error.ts';
export type { DescribedCommand, DescribedOperation } from './forensics/describe-command.ts';
export { foundCluster, type FoundCluster, type FoundClusterOptions } from './forensics/found-cluster.ts';
export { inspectNode, type InspectNodeOptions } from './forensics/inspect-node.ts';
export {
  type InspectedEntry,
  type InspectedRaftGap,
  type InspectedRaftRecord,
  inspectNodeFile,
  type NodeFileInspection,
} from './forensics/inspect-node-file.ts';
export { isNodeDirectory, storeFolders } from './forensics/node-place.ts';
export type {
  NodeFile,
  NodeFileKind,
  NodeFileState,
  NodeReport,
  ReportedGone,
  ReportedLog,
  ReportedMachine,
  ReportedMember,
  ReportedNode,
  StartForecast,
} from './forensics/node-report.ts';
export { type LogReach, type LogShare, type NodeRow, NodeRows, type NodeRowsOptions } from './forensics/node-rows.ts';
export { type NodeSummary, parseNodeSummary, summarizeNode } from './forensics/node-summary.ts';
export {
  planQuorum,
  type QuorumCandidate,
  type QuorumLoss,
  type QuorumPlan,
  type QuorumSource,
} from './forensics/plan-quorum.ts';
export type { NodeProgress } from './forensics/progress-counter.ts';
export { refuseTakenFolder } from './forensics/publish-folder.ts';
export { type MachineRows, readMachineRows, type ReportedSession } from './forensics/read-machine-rows.ts';
export { type NodeSalvage, salvageNode, type SalvageNodeOptions } from './forensics/salvage-node.ts';
export { GroupError, type GroupErrorCode } from './group/group-error.ts';
export { LEAST_HEARTBEATS } from './group-timing.ts';
export type { PeerSetting } from './group/peer-setting.ts';
export type { GroupTiming, NodeOptions, NodeRandom, NodeTls, StopOptions } from './node-options.ts';
export type { NodePhase, NodeView } from './node-view.ts';
export { serveHttp, type ServeHttpOptions } from './http/http-service.ts';
export { type RunningNode, startNode } from './node.ts';
export { ServerError, type ServerErrorCode } from './server-error.ts';

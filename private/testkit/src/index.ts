export {
  FAULT_NAMES,
  linksOf,
  planFaults,
  type FaultName,
  type FaultPlanOptions,
  type PlannedFault,
} from './chaos/fault-plan.ts';
export { CLEAR_LINK, type ChaosClock, type LinkRules } from './chaos/link-pipe.ts';
export { LinkProxy, realTime, type LinkDirection, type LinkProxyOptions } from './chaos/link-proxy.ts';
export { playFaults, type BreakableCluster, type PlayOptions } from './chaos/play-faults.ts';
export { describeOperation } from './history/describe-operation.ts';
export {
  createHistoryFile,
  formatHistory,
  parseHistory,
  readHistoryFile,
  type HistoryEvent,
  type HistoryFile,
} from './history/history-file.ts';
export { HistoryRecorder, type HistoryRecorderOptions } from './history/history-recorder.ts';
export type {
  Change,
  Condition,
  History,
  NoAnswer,
  Operation,
  ReadAction,
  ReadOutcome,
  SeenRow,
  WriteAction,
  WriteOutcome,
} from './history/operation.ts';
export { breathe } from './breathe.ts';
export { FormatPage, fromHex, parseWithBytes, toHex } from './format-page.ts';
export { compareWithModel, describeBytes, describeEntries } from './key-value/compare-with-model.ts';
export { describeKeyValueConformance, type OpenKeyValueStore } from './key-value/conformance.ts';
export {
  parseOp,
  printOp,
  randomOps,
  textToBytes,
  toScanOptions,
  toWrite,
  type KeyValueOp,
  type KeyValueScanText,
  type KeyValueWriteOp,
  type RandomOpsOptions,
} from './key-value/key-value-ops.ts';
export {
  collect,
  type KeyValueCapabilities,
  type KeyValueEntry,
  type KeyValueScanOptions,
  type KeyValueStore,
  type KeyValueView,
  type KeyValueWrite,
} from './key-value/key-value-store.ts';
export { SortedMapStore } from './key-value/sorted-map-store.ts';
export { type ProofSize, proofSize, sized, timeoutFor } from './proof-size.ts';
export { type Figures, publishFigures } from './publish-figures.ts';
export { assertLinearizable, checkHistory, type CheckOptions, type Verdict } from './linearizability/check-history.ts';
export { findSessionFault } from './linearizability/check-sessions.ts';
export type { Fault, FaultKind } from './linearizability/fault.ts';
export { seededRandom, type SeededRandom } from './seeded-random.ts';
export { checkOps, shrinkOps, type CheckOpsOptions, type ShrinkResult } from './shrink.ts';
export { DEFAULT_TEST_SEED, describeSeed, parseTestSeed, testSeed } from './test-seed.ts';
export {
  parseTranscript,
  printTranscript,
  runTranscript,
  type TranscriptCommand,
  type TranscriptStep,
} from './transcript.ts';
export { DEFAULT_MIX, type Mix, type OperationKind } from './workload/operation-mix.ts';
export { readEverything, runWorkload, type WorkloadCounts, type WorkloadOptions } from './workload/run-workload.ts';
export { outcomeOf, type JudgeError, type StoreClient } from './workload/store-client.ts';
export { nodeRandom, type SeededNodeRandom } from './node-random.ts';
export { advanceUntil, advanceWhile, FlowingTime } from './passing-time.ts';
export { settle, VirtualClock, type VirtualTimer } from './virtual-clock.ts';

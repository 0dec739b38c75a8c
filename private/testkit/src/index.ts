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
export { settle, VirtualClock, type VirtualTimer } from './virtual-clock.ts';

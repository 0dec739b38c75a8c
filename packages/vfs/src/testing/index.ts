export { crashClone, crashClones, type Crash, type CrashMode } from './crash-clone.ts';
export { fakeProcessTable, fakeProcessWorld, type FakeProcess, type FakeProcessWorld } from './fake-process-table.ts';
export { FaultyFileSystem, type Fault, type FaultEffect } from './faulty-file-system.ts';
export {
  InterceptedFileSystem,
  type Interceptor,
  type Operation,
  type OperationKind,
} from './intercepted-file-system.ts';
export { Interleaver, type Actor } from './interleaver.ts';
export { MemoryFileSystem, type MemoryFileSystemOptions, type Mutation } from './memory-file-system.ts';
export { MUTATING_OPERATIONS, TraceFileSystem } from './trace-file-system.ts';

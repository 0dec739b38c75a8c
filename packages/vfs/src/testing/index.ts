export { decodeLockOwner, encodeLockOwner } from '../lock/lock-owner.ts';
export { crashClone, crashClones, type Crash } from './crash-clone.ts';
export { crashModes, type CrashMode } from './crash-mode.ts';
export { diskFingerprint } from './disk-fingerprint.ts';
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

export { assertRaftInvariants } from '../core/invariants.ts';
export { MemoryLogStorage } from './memory-log-storage.ts';

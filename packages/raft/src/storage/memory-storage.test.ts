import { describeStorageContract } from '../testing/storage-contract.ts';
import { MemoryRaftStorage } from './memory-storage.ts';

describeStorageContract('MemoryRaftStorage', () => {
  let storage: MemoryRaftStorage | undefined;
  return {
    open: async () => {
      storage = storage?.reopen() ?? new MemoryRaftStorage();
      return storage;
    },
  };
});

import { MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe } from 'vitest';

import { describeStorageContract } from '../testing/storage-contract.ts';
import type { DurableRaftStorage } from './durable-storage.ts';
import { openRaftStorage } from './open-raft-storage.ts';

const identity = { clusterId: new Uint8Array(16).fill(7), nodeId: 1, incarnation: 5 };

describe.each([
  ['DurableRaftStorage', {}],
  ['DurableRaftStorage in small segments, with a small cache', { segmentBytes: 256, cacheBytes: 300 }],
])('%s', (name, options) => {
  describeStorageContract(name, () => {
    const fs = new MemoryFileSystem();
    let storage: DurableRaftStorage | undefined;
    return {
      open: async () => {
        await storage?.close();
        storage = await openRaftStorage('/raft', { fs, identity, ...options });
        return storage;
      },
    };
  });
});

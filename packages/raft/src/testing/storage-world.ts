/** Where a storage of a contract suite comes from, and one that is filled. */

import type { RaftStorage } from '../storage/raft-storage.ts';
import { batchOf, sampleEntries, sampleEntry, vote } from './storage-samples.ts';

/** One storage and its successors, each opened when the one before is closed. */
export interface StorageWorld {
  /** The first storage, empty; then, each time, what the one before has left, which it closes. */
  open(): Promise<RaftStorage>;
}

/** A log of entries 1 to 11: terms 1 to 3 for 1, 2 and 3, then term 4. */
export async function filled(world: StorageWorld): Promise<RaftStorage> {
  const storage = await world.open();
  const entries = [sampleEntry(1, 1), sampleEntry(2, 2), sampleEntry(3, 3), ...sampleEntries(4, 11, 4)];
  await storage.write(batchOf({ hardState: vote(4, 2), entries }));
  return storage;
}

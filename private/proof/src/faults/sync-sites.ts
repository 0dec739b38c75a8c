/**
 * Every place in the sources that syncs a file or a folder, with what a failure there does. A call site that is not listed, and one that
 * is listed and not reached, fails the proof.
 */

/**
 * - `poisons`: the store takes no more writes until it is opened again.
 * - `fails`: only the operation at hand, an opening or a copy, fails; done again it starts from nothing.
 * - `warns`: nobody asked for it and no data is in it; an event tells.
 */
export type SyncOutcome = 'poisons' | 'fails' | 'warns';

/** By call site and purpose, as `DiskCalls.syncSites` has them. */
export const SYNC_SITES: Readonly<Record<string, SyncOutcome>> = {
  'engine/src/backup/copy-file.ts#copyFile, copy': 'fails',
  'engine/src/compaction/table-output.ts#TableOutput.finish, opening': 'fails',
  'engine/src/compaction/table-output.ts#TableOutput.finish, running': 'poisons',
  'engine/src/log/log-writer.ts#LogWriter.sync, copy': 'fails',
  'engine/src/log/log-writer.ts#LogWriter.sync, opening': 'fails',
  'engine/src/log/log-writer.ts#LogWriter.sync, running': 'poisons',
  'engine/src/log/log-writer.ts#create, copy': 'fails',
  'engine/src/log/log-writer.ts#create, opening': 'fails',
  'engine/src/log/log-writer.ts#create, running': 'poisons',
  'engine/src/log/log-writer.ts#start, copy': 'fails',
  'engine/src/log/log-writer.ts#start, opening': 'fails',
  'engine/src/log/log-writer.ts#start, running': 'poisons',
  'engine/src/snapshot/publish-directory.ts#buildAndRename, copy': 'fails',
  'engine/src/snapshot/publish-directory.ts#syncParent, copy': 'fails',
  'engine/src/space/reserve-file.ts#ReserveFile.#fill, reserve': 'warns',
  'engine/src/sstable/table-builder.ts#TableBuilder.finish, opening': 'fails',
  'engine/src/sstable/table-builder.ts#TableBuilder.finish, running': 'poisons',
  'engine/src/wal/wal-writer.ts#createFile, opening': 'fails',
  'engine/src/wal/wal-writer.ts#createFile, running': 'poisons',
  'engine/src/wal/wal-writer.ts#fillWithZeros, running': 'poisons',
  'vfs/src/lock/lock-claim.ts#LockClaims.#writeOwner, lock': 'fails',
  'vfs/src/publish-file.ts#publishFile, copy': 'fails',
  'vfs/src/publish-file.ts#publishFile, opening': 'fails',
  'vfs/src/publish-file.ts#publishFile, running': 'poisons',
  'vfs/src/publish-file.ts#writeDurably, copy': 'fails',
  'vfs/src/publish-file.ts#writeDurably, opening': 'fails',
  'vfs/src/publish-file.ts#writeDurably, running': 'poisons',
};

/** Planted bugs of the log and those who wait for it: which writes are durable, and who is told so. */

import type { Mutant } from './mutant.ts';

export const logMutants: readonly Mutant[] = [
  {
    name: 'sync-covers-later-records',
    file: 'packages/engine/src/log/log-writer.ts',
    find: '    this.#advance(end);',
    replace: '    this.#advance(this.#endOffset + 0 * end);',
    proof: 'crash-settings',
    why: 'What is written while a sync is under way counts as durable with it.',
  },
  {
    name: 'sync-asked-by-last-only',
    file: 'packages/engine/src/write/committer.ts',
    find: "if (write.durability === 'strict') needsSync = true;",
    replace: "needsSync = write.durability === 'strict';\n      if (needsSync) needsInterval = false;",
    proof: 'crash-settings',
    why: 'A strict write is acknowledged without a sync where one that asks for none shares its group.',
  },
  {
    name: 'says-durable-what-is-not',
    file: 'packages/engine/src/write/committer.ts',
    find: 'durable: wal.durableLsn >= this.#endLsn }',
    replace: 'durable: wal.durableLsn >= 0 }',
    proof: 'crash-settings',
    why: 'Writers are told that a write is durable that power loss can take back.',
  },
  {
    name: 'interval-forgets-writes-during-sync',
    file: 'packages/engine/src/write/interval-sync.ts',
    find: '      this.#timer = undefined;\n      void this.#sync();',
    replace: '      void this.#sync().then(() => {\n        this.#timer = undefined;\n      });',
    proof: 'crash-settings',
    why: 'For a write that comes while the sync of an interval is under way none is asked for.',
  },
  {
    name: 'segment-in-need-released',
    file: 'packages/engine/src/wal/wal-writer.ts',
    find: 'this.#segments[0]!.fileNumber < oldestNeeded)',
    replace: 'this.#segments[0]!.fileNumber <= oldestNeeded)',
    proof: 'crash-segments',
    why: 'A segment that still waits for its sync is left out of it.',
  },
  {
    name: 'prepared-file-kept',
    file: 'packages/engine/src/wal/wal-writer.ts',
    find: 'await this.#prepareFile(0));\n      this.#prepared = undefined;',
    replace: 'await this.#prepareFile(0));',
    proof: 'crash-settings',
    why: 'The next segment is begun in the file of the last one.',
  },
  {
    name: 'witness-for-the-place-before',
    file: 'packages/engine/src/log/log-scan.ts',
    find: 'if (found.durableLsn > search.stopLsn)',
    replace: 'if (found.durableLsn >= search.stopLsn)',
    proof: 'crash-settings',
    why: 'A store is refused because of a record that was torn before anybody called it durable.',
  },
  {
    name: 'takeover-without-second-look',
    file: 'packages/vfs/src/lock/lock-claim.ts',
    find: 'if (same) await this.#unlinkIfThere(path);',
    replace: 'await this.#unlinkIfThere(path);',
    proof: 'lock',
    why: 'Of two processes that find the owner dead the slower one removes the lock of the faster one.',
  },
];

/** Planted bugs of what is made durable, when, and what a failure of that means. */

import type { Mutant } from './mutant.ts';

export const durabilityMutants: readonly Mutant[] = [
  {
    name: 'skip-table-directory-sync',
    file: 'packages/engine/src/compaction/table-output.ts',
    find: 'await this.#options.fileSystem.syncDirectory(this.#options.directory);',
    replace: '',
    proof: 'crash',
    why: 'The manifest names a table whose name power loss takes away.',
  },
  {
    name: 'skip-table-sync',
    file: 'packages/engine/src/sstable/table-builder.ts',
    find: 'await this.#handle.sync();',
    replace: '',
    proof: 'crash',
    why: 'The manifest names a table whose bytes power loss takes away.',
  },
  {
    name: 'skip-segment-directory-sync',
    file: 'packages/engine/src/wal/wal-writer.ts',
    find: 'await options.fs.syncDirectory(options.directory);',
    replace: '',
    proof: 'crash',
    why: 'Acknowledged writes are in a segment whose name power loss takes away.',
  },
  {
    name: 'skip-segment-header-sync',
    file: 'packages/engine/src/log/log-writer.ts',
    find: '    await handle.sync();\n    return new LogWriter(',
    replace: '    return new LogWriter(',
    proof: 'crash-settings',
    why: 'Records that are whole stand behind a header that power loss took, so the store is refused.',
  },
  {
    name: 'skip-manifest-directory-sync',
    file: 'packages/engine/src/log/log-writer.ts',
    find: 'await fs.syncDirectory(directory);',
    replace: '',
    proof: 'crash',
    why: 'CURRENT names a manifest whose name power loss takes away.',
  },
  {
    name: 'skip-current-directory-sync',
    file: 'packages/vfs/src/publish-file.ts',
    find: 'await fs.syncDirectory(directory);',
    replace: '',
    proof: 'crash',
    why: 'The old CURRENT comes back after what it needs was removed.',
  },
  {
    name: 'skip-current-sync',
    file: 'packages/vfs/src/publish-file.ts',
    find: 'await handle.sync();',
    replace: '',
    proof: 'crash',
    why: 'The name CURRENT is there after power loss, and its content is not.',
  },
  {
    name: 'current-in-place',
    file: 'packages/vfs/src/publish-file.ts',
    find: 'const temporary = `${path}${TEMPORARY_SUFFIX}`;',
    replace: 'const temporary = path;',
    proof: 'crash',
    why: 'CURRENT is removed and written anew, so that a crash leaves none or a part of one.',
  },
  {
    name: 'skip-checkpoint-name-sync',
    file: 'packages/engine/src/snapshot/publish-directory.ts',
    find: 'await fs.syncDirectory(parentOf(target));',
    replace: '',
    proof: 'crash',
    why: 'A checkpoint that was said to exist is gone after power loss.',
  },
  {
    name: 'skip-store-parent-sync',
    file: 'packages/engine/src/open.ts',
    find: 'await fileSystem.syncDirectory(parentOf(directory));',
    replace: '',
    proof: 'crash',
    why: 'Power loss takes a new store away with everything acknowledged in it.',
  },
  {
    name: 'acknowledge-before-sync',
    file: 'packages/engine/src/write/committer.ts',
    find: 'if (needsSync && wal.durableLsn < this.#endLsn) return this.#sync();',
    replace: 'if (needsSync && wal.durableLsn < this.#endLsn) void this.#sync().catch(() => undefined);',
    proof: 'crash',
    why: 'A strict write is acknowledged while power loss can still take it back.',
  },
  {
    name: 'sync-newest-segment-only',
    file: 'packages/engine/src/wal/wal-writer.ts',
    find: `    for (const { log } of this.#segments) {
      if (log.durableLsn < log.endLsn) await log.sync();`,
    replace: `    for (const { log } of this.#segments.slice(-1)) {
      if (log.durableLsn < log.endLsn) await log.sync();`,
    proof: 'crash-settings',
    why: 'A strict write is acknowledged while a segment before its own is not on disk.',
  },
  {
    name: 'newest-segment-taken-for-all',
    file: 'packages/engine/src/wal/wal-writer.ts',
    find: 'const first = this.#segments.find((segment) => !isDurable(segment)) ?? this.#current;',
    replace: 'const first = this.#current;',
    proof: 'crash-segments',
    why: 'Records say that an earlier segment had been durable, and a crash that tore it is taken for damage.',
  },
  {
    name: 'drop-poison-check',
    file: 'packages/engine/src/write/poison.ts',
    find: 'if (this.#cause !== undefined) throw this.error();',
    replace: '',
    proof: 'failed-sync',
    why: 'A store that has seen an unknown outcome goes on writing.',
  },
  {
    name: 'retry-failed-sync',
    file: 'packages/engine/src/log/log-writer.ts',
    find: `      await this.#handle.sync();
    } catch (error) {
      throw this.#fail(error);
    }`,
    replace: `      await this.#handle.sync().catch(() => this.#handle.sync());
    } catch (error) {
      throw this.#fail(error);
    }`,
    proof: 'failed-sync',
    why: 'The second fsync succeeds because the kernel has given the pages up.',
  },
  {
    name: 'failed-sync-acknowledged',
    file: 'packages/engine/src/write/committer.ts',
    find: `      throw poison.set(error);
    }
    stop();`,
    replace: `      void error;
    }
    stop();`,
    proof: 'failed-sync',
    why: 'The writers of the group whose fsync failed are told that all is well.',
  },
  {
    name: 'failed-edit-not-remembered',
    file: 'packages/engine/src/files/disk-outcome.ts',
    find: 'if (READS.includes(error.operation)) return true;',
    replace: "if (READS.includes(error.operation) || error.operation === 'sync') return true;",
    proof: 'failed-sync',
    why: 'A failed fsync counts as something that did not happen.',
  },
  {
    name: 'full-disk-not-cut-back',
    file: 'packages/engine/src/log/log-writer.ts',
    find: '        undo(this.#handle, this.#endOffset, bytes.length);\n',
    replace: '',
    proof: 'faults',
    why: 'What a write to a full disk left of a record stays, though the writer was told that it did not happen.',
  },
  {
    name: 'undone-write-not-blanked',
    file: 'packages/vfs/src/undo-write.ts',
    find: 'const noRoom = overwrite(handle, position, length);',
    replace: 'const noRoom = undefined;',
    proof: 'faults',
    why: 'What a write to a full disk left of a record is synced where zeros should be.',
  },
  {
    name: 'undone-write-not-synced',
    file: 'packages/vfs/src/undo-write.ts',
    find: '  handle.syncSync();\n',
    replace: '',
    proof: 'faults',
    why: 'A write that was refused comes back with power loss: the zeros in its place were in the page cache only.',
  },
  {
    name: 'remove-files-when-poisoned',
    file: 'packages/engine/src/files/obsolete-remover.ts',
    find: 'if (!isAllowed()) break;',
    replace: '',
    proof: 'failed-sync',
    why: 'After an unknown outcome files are removed that may be the only good copy.',
  },
  {
    name: 'install-before-edit-is-durable',
    file: 'packages/engine/src/version/version-set.ts',
    find: '    await this.#append({ ...edit, nextFileNumber: this.#nextFileNumber });\n    this.#state = state;',
    // The turns stand for the time that a disk takes; the one of the proof takes none.
    replace: `    this.#state = state;
    this.#hooks.onObsolete();
    for (let turns = 0; turns < 50; turns++) await Promise.resolve();
    await this.#append({ ...edit, nextFileNumber: this.#nextFileNumber });`,
    proof: 'crash',
    why: 'Segments are removed before the edit that makes them unneeded is on disk.',
  },
  {
    name: 'skip-edit-sync',
    file: 'packages/engine/src/version/manifest.ts',
    find: 'await this.#log.sync();',
    replace: '',
    proof: 'crash',
    why: 'Tables and segments are removed while the edit that replaces them is in the page cache only.',
  },
  {
    name: 'cut-wal-too-early',
    file: 'packages/engine/src/memtable/memtable-list.ts',
    find: 'return (this.#frozen[this.#frozen.length - 2] ?? this.#active).firstSegment;',
    replace: 'return this.#active.firstSegment;',
    proof: 'crash-settings',
    why: 'A flush gives up the segments of memtables that still wait for theirs.',
  },
  {
    name: 'live-owner-taken-for-dead',
    file: 'packages/vfs/src/lock/directory-lock.ts',
    find: `  const claims = new LockClaims(fs, directory, processes);
  const { owner, tookOverFrom }`,
    replace: `  const claims = new LockClaims(fs, directory, { ...processes, isAlive: () => 'dead' });
  const { owner, tookOverFrom }`,
    proof: 'lock',
    why: 'Two processes write to one store.',
  },
];

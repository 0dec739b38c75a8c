/** Reads every table of an open store whole and collects what is damaged: a scrub, on demand. */

import { CorruptionError } from '../errors.ts';
import { Turn } from '../turn.ts';
import type { VerifyOptions, VerifyReport } from '../types.ts';
import { checkAborted } from './check-aborted.ts';
import { checkTableFile } from './check-table-file.ts';
import type { SourceStore } from './source-store.ts';

/**
 * Checks the tables that make up `source` at this moment, past all caches. Reads, writes and compactions go on.
 *
 * @throws EngineError KAYA_ABORTED; KAYA_UNSUPPORTED when a table is compressed and zstd cannot be loaded.
 * @throws FileSystemError when the operating system refuses to open a file.
 */
export async function verifyStore(source: SourceStore, options: VerifyOptions = {}): Promise<VerifyReport> {
  const { directory, storeId, versions, resources } = source;
  const { onProgress, signal } = options;
  const version = versions.current.retain();
  try {
    const tables = version.levels.flat();
    const totalBytes = tables.reduce((sum, { fileBytes }) => sum + fileBytes, 0);
    const turn = new Turn(resources);
    const damage: CorruptionError[] = [];
    let blockCount = 0;
    let entryCount = 0;
    let bytes = 0;
    checkAborted(signal, 'the verification');
    for (const table of tables) {
      try {
        await checkTableFile(resources.fileSystem, directory, storeId, table, (block) => {
          checkAborted(signal, 'the verification');
          blockCount++;
          entryCount += block.entryCount;
          return turn.step();
        });
      } catch (error) {
        if (!(error instanceof CorruptionError)) throw error;
        damage.push(error);
      }
      bytes += table.fileBytes;
      onProgress?.({ bytes, totalBytes });
    }
    return { tableCount: tables.length, blockCount, entryCount, bytes, damage };
  } finally {
    version.release();
  }
}

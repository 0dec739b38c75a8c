/**
 * Writes what is good of a damaged store into a new directory, as a store of its own.
 *
 * Invariant: the damaged directory is only read. What is written is what the plan has counted, or nothing.
 * Page: docs/reference/recovery-plan.md.
 */

import { resolve, sep } from 'node:path';

import type { FileSystem } from '@kayadb/vfs';

import { PARTIAL_SUFFIX } from '../../backup/backup-format.ts';
import { CorruptionError } from '../../errors.ts';
import { STORE_ID_BYTES } from '../../files/file-header.ts';
import { resolveResources } from '../../resources.ts';
import { publishDirectory } from '../../snapshot/publish-directory.ts';
import { weigh } from '../plan/plan-recovery.ts';
import type { SalvagePolicy, SalvageReport } from '../plan/recovery-plan.ts';
import { type PlanOptions, StoreEvidence } from '../plan/store-evidence.ts';
import { describeSalvage } from '../plan/ways-out.ts';
import { writeRows } from './write-rows.ts';

export interface SalvageOptions extends PlanOptions {
  readonly policy: SalvagePolicy;
  /** Makes the identity of the new store. By default the system's. */
  readonly randomBytes?: (count: number) => Uint8Array;
}

/**
 * Salvages the store in `directory` to `target`. The old directory is read without a lock and stays as it is, byte for byte; a process
 * may have it open. The new store has an identity and a log of its own, is closed in good order, and has been read back.
 *
 * Durability: the store is complete and durable once this resolves; until then, and if it rejects, the name does not exist.
 *
 * @param target - Must not exist, nor lie inside `directory`.
 * @throws EngineError KAYA_NOTHING_TO_SALVAGE when the directory holds no file of a store; KAYA_ABORTED.
 * @throws CorruptionError when the disk gives other bytes than a moment ago.
 * @throws FileSystemError KAYA_FS_EXISTS when the name is taken; KAYA_DISK_FULL.
 * @throws RangeError when one directory would lie in the other; TypeError for another policy.
 */
export async function salvageStore(
  fileSystem: FileSystem,
  directory: string,
  target: string,
  options: SalvageOptions,
): Promise<SalvageReport> {
  const { policy, randomBytes, ...planOptions } = options;
  checkArguments(directory, target, policy);
  const resources = resolveResources({
    fileSystem,
    ...(options.clock && { clock: options.clock }),
    ...(randomBytes && { randomBytes }),
  });
  const startMs = resources.clock.now();
  return publishDirectory(fileSystem, target, async (partial) => {
    const evidence = await StoreEvidence.gather(fileSystem, directory, planOptions);
    try {
      const found = await weigh(evidence, directory, planOptions);
      const wayOut = describeSalvage(found, policy);
      const expected = found.tallies[policy];
      const storeId = Uint8Array.from(resources.randomBytes(STORE_ID_BYTES));
      const { rowCount, bytes } = await writeRows({
        evidence,
        policy,
        directory: partial,
        storeId,
        lastSequence: wayOut.lastSequence ?? 0,
        expected,
        resources,
        ...(options.signal && { signal: options.signal }),
        ...(options.onProgress && { onProgress: options.onProgress }),
      });
      if (rowCount !== expected.rowCount || bytes !== expected.bytes) throw unsteady(directory);
      const durationUs = Math.max(0, Math.round((resources.clock.now() - startMs) * 1000));
      return { directory, target, policy, wayOut, rowCount, bytes, durationUs };
    } finally {
      await evidence.close();
    }
  });
}

function checkArguments(directory: string, target: string, policy: SalvagePolicy): void {
  if (policy !== 'provable' && policy !== 'newest-found') {
    throw new TypeError(`a salvage goes by 'provable' or 'newest-found', not by ${String(policy)}`);
  }
  const from = resolve(directory);
  const to = resolve(target);
  if (to.startsWith(`${from}${sep}`)) {
    throw new RangeError(
      `${target} lies inside ${directory}, in which a salvage writes nothing; name a place outside of it`,
    );
  }
  // What an attempt before this one has left is removed under this name.
  if (`${to}${PARTIAL_SUFFIX}` === from || from.startsWith(`${to}${PARTIAL_SUFFIX}${sep}`)) {
    throw new RangeError(
      `${target} is written as ${to}${PARTIAL_SUFFIX} first, where ${directory} lies; name another place`,
    );
  }
}

function unsteady(directory: string): CorruptionError {
  return new CorruptionError(directory, 0, 'the disk gives other bytes at each reading; copy it to another disk first');
}

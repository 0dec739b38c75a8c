/** How much of the disk is kept free where nobody said: relative to the disk, so that small ones stay of use. */

import { dirname } from 'node:path';

import type { FileSystem } from '@kayadb/vfs';

import type { Config } from './config.ts';

const MIB = 1024 * 1024;
const MAX_LOW_BYTES = 256 * MIB;
const LOW_SHARE = 0.05;
const MAX_RESERVE_BYTES = 64 * MIB;
const RESERVE_SHARE = 0.02;

/** As the engine's options of the same names. */
export interface DiskLimits {
  readonly diskLowBytes: number;
  readonly diskReserveBytes: number;
}

/** What `auto` stands for on a disk of that size. */
export function automaticLimits(totalBytes: number): DiskLimits {
  return {
    diskLowBytes: Math.min(MAX_LOW_BYTES, Math.floor(totalBytes * LOW_SHARE)),
    diskReserveBytes: Math.min(MAX_RESERVE_BYTES, Math.floor(totalBytes * RESERVE_SHARE)),
  };
}

/** The limits for the data folder, or for the one around it while there is none. A disk that cannot be measured has none. */
export async function resolveDiskLimits(
  { diskLowBytes, diskReserveBytes, dataDirectory }: Config,
  fileSystem: Pick<FileSystem, 'diskSpace'>,
): Promise<DiskLimits> {
  const automatic = await measure(dataDirectory, fileSystem);
  return {
    diskLowBytes: diskLowBytes === 'auto' ? automatic.diskLowBytes : diskLowBytes,
    diskReserveBytes: diskReserveBytes === 'auto' ? automatic.diskReserveBytes : diskReserveBytes,
  };
}

async function measure(directory: string, fileSystem: Pick<FileSystem, 'diskSpace'>): Promise<DiskLimits> {
  for (const path of [directory, dirname(directory)]) {
    try {
      return automaticLimits((await fileSystem.diskSpace(path)).totalBytes);
    } catch {
      // The folder is made later; if the disk is at fault, opening the store says how.
    }
  }
  return automaticLimits(0);
}

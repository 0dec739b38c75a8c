/** What a store takes up on disk. */

import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const BLOCK_BYTES = 512;

/** @returns Allocated bytes of all files below `directory`: holes cost nothing, preallocated space does. */
export function diskBytes(directory: string): number {
  let bytes = 0;
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    bytes += entry.isDirectory() ? diskBytes(path) : statSync(path).blocks * BLOCK_BYTES;
  }
  return bytes;
}

/** Which files of the data directory nothing needs any more. Pure: a separate job removes them. */

import type { FileNumber } from '../key/internal-key.ts';
import { parseFileName } from './file-names.ts';

export interface FilesInUse {
  /** Tables of every version that someone may still read, and tables being written. */
  readonly tables: ReadonlySet<FileNumber>;
  /** The manifest that CURRENT names, durably. */
  readonly manifestNumber: FileNumber;
  /** The oldest segment that the manifest, durably, says is needed. */
  readonly oldestSegment: FileNumber;
  /** A file with this number or a greater one appeared after the caller looked, and is left alone. */
  readonly nextFileNumber: FileNumber;
}

/**
 * The names among `names` that may be removed, in the order given.
 *
 * CURRENT, LOCK and names not understood are never among them. Requires: no file is being published, since every
 * `*.tmp` counts as what a crash left.
 */
export function pickObsoleteFiles(names: readonly string[], inUse: FilesInUse): readonly string[] {
  return names.filter((name) => isObsolete(name, inUse));
}

function isObsolete(name: string, inUse: FilesInUse): boolean {
  const parsed = parseFileName(name);
  switch (parsed.kind) {
    case 'wal':
      return parsed.fileNumber < inUse.oldestSegment && parsed.fileNumber < inUse.nextFileNumber;
    case 'table':
      return !inUse.tables.has(parsed.fileNumber) && parsed.fileNumber < inUse.nextFileNumber;
    case 'manifest':
      return parsed.fileNumber !== inUse.manifestNumber && parsed.fileNumber < inUse.nextFileNumber;
    case 'temporary':
      return true;
    case 'current':
    case 'lock':
    case 'unknown':
      return false;
  }
}

/** Which files of the data directory nothing needs any more. Pure: a separate job removes them. */

import { assertNever } from '@kayadb/codec';

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

function isObsolete(name: string, { tables, manifestNumber, oldestSegment, nextFileNumber }: FilesInUse): boolean {
  const parsed = parseFileName(name);
  if (parsed.kind === 'temporary') return true;
  if (!('fileNumber' in parsed) || parsed.fileNumber >= nextFileNumber) return false;
  switch (parsed.kind) {
    case 'wal':
      return parsed.fileNumber < oldestSegment;
    case 'table':
      return !tables.has(parsed.fileNumber);
    case 'manifest':
      return parsed.fileNumber !== manifestNumber;
    default:
      return assertNever(parsed, 'file name');
  }
}

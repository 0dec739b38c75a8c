/** Tells failures that left nothing behind from those whose outcome is unknown. */

import { FileSystemError } from '@kayadb/vfs';

/** Change nothing, whatever they meet. */
const READS: readonly string[] = ['read', 'size', 'stat', 'readDirectory'];

/**
 * Whether `error` means that nothing happened on disk that matters: a read, whatever it met; no space or no descriptor for a create
 * or a write that its writer has cut back. A sync is never among them: after a failed one nobody knows which pages are on disk.
 */
export function isUndone(error: unknown): boolean {
  if (!(error instanceof FileSystemError)) return false;
  if (READS.includes(error.operation)) return true;
  // To read it, or to make one: then an empty file may be left that no edit names.
  if (error.operation === 'open' && error.path.endsWith('.sst')) return true;
  return (
    (error.code === 'KAYA_DISK_FULL' || error.code === 'KAYA_FS_TOO_MANY_FILES') && !error.operation.startsWith('sync')
  );
}

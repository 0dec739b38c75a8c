/** The CRC of a whole file. */

import { crc32c } from '@kayadb/codec';
import type { FileSystem } from '@kayadb/vfs';

/** Bound: memory. */
const READ_BYTES = 256 * 1024;

/** @returns Size and CRC-32C of the file. @throws FileSystemError */
export async function checksumFile(
  fs: FileSystem,
  path: string,
): Promise<{ readonly bytes: number; readonly crc: number }> {
  const handle = await fs.open(path, 'read');
  try {
    const buffer = new Uint8Array(Math.min(READ_BYTES, Math.max(1, await handle.size())));
    let bytes = 0;
    let crc = 0;
    for (;;) {
      const read = await handle.read(buffer, bytes);
      crc = crc32c(buffer.subarray(0, read), crc);
      bytes += read;
      if (read < buffer.length) return { bytes, crc };
    }
  } finally {
    await handle.close();
  }
}

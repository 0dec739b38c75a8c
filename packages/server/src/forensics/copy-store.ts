/** A second folder of a store that nobody has open: tables are linked, for nobody ever changes them, and what names them is copied. */

import { type FileSystem, FileSystemError } from '@kayadb/vfs';

import { refuseStopped } from './refuse-stopped.ts';

const TABLE = /^\d+\.sst$/;
const NAMING = /^(?:CURRENT|MANIFEST-\d+)$/;
/** One read, one write. */
const PIECE_BYTES = 1024 * 1024;
/** Another file system, or one without hard links. */
const NO_LINK: readonly string[] = ['EXDEV', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'];

/**
 * Makes `target` a folder of the store in `source`. Whatever else lies there, such as locks and the reserve, stays behind.
 *
 * Durability: when it resolves, but for the name of `target`.
 * @throws FileSystemError; EngineError KAYA_ABORTED
 */
export async function copyStore(fs: FileSystem, source: string, target: string, signal?: AbortSignal): Promise<void> {
  await fs.makeDirectory(target);
  for (const { name } of await fs.readDirectory(source)) {
    refuseStopped(signal);
    const [from, to] = [`${source}/${name}`, `${target}/${name}`];
    if (TABLE.test(name)) await linkOrCopy(fs, from, to);
    else if (NAMING.test(name)) await copy(fs, from, to);
  }
  await fs.syncDirectory(target);
}

async function linkOrCopy(fs: FileSystem, from: string, to: string): Promise<void> {
  try {
    await fs.link(from, to);
  } catch (error) {
    if (!(error instanceof FileSystemError) || !NO_LINK.includes(error.errno)) throw error;
    await copy(fs, from, to);
  }
}

async function copy(fs: FileSystem, from: string, to: string): Promise<void> {
  const source = await fs.open(from, 'read');
  try {
    const target = await fs.open(to, 'create');
    try {
      const buffer = new Uint8Array(PIECE_BYTES);
      for (let at = 0; ;) {
        const count = await source.read(buffer, at);
        if (count === 0) break;
        await target.write(buffer.subarray(0, count), at);
        at += count;
      }
      await target.sync();
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

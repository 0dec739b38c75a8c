/** The certificate, key and CA of the node as files: read together, and looked at for changes. */

import type { TlsMaterial } from '@kayadb/transport';
import type { FileSystem } from '@kayadb/vfs';

import type { TlsFiles } from './tls-config.ts';

export type TlsFileSystem = Pick<FileSystem, 'readFile' | 'stat'>;

const NOT_THE_OWNER = 0o077;

/** @throws FileSystemError, which has the path. */
export async function readTlsMaterial(fileSystem: TlsFileSystem, files: TlsFiles): Promise<TlsMaterial> {
  const [certificate, key, ca] = await Promise.all(
    [files.certificate, files.key, files.ca].map((path) => fileSystem.readFile(path)),
  );
  return { certificate, key, ca };
}

/**
 * Changes whenever one of the files is replaced or written to. Looked at before the files are read, so that what changes meanwhile is
 * seen the next time.
 *
 * @throws FileSystemError
 */
export async function stampOf(fileSystem: TlsFileSystem, files: TlsFiles): Promise<string> {
  const stats = await Promise.all([files.certificate, files.key, files.ca].map((path) => fileSystem.stat(path)));
  return stats.map((stat) => (stat === undefined ? 'missing' : `${stat.modifiedMs}/${stat.bytes}`)).join(' ');
}

/** @returns What is to be told when others than its owner can read the key, or write to it. */
export async function warnOfOpenKey(fileSystem: TlsFileSystem, { key }: TlsFiles): Promise<readonly string[]> {
  const stat = await fileSystem.stat(key);
  if (stat === undefined || (stat.mode & NOT_THE_OWNER) === 0) return [];
  const mode = stat.mode.toString(8).padStart(3, '0');
  return [`others than its owner can get at the TLS key ${key} (mode ${mode}); run chmod 600 on it`];
}

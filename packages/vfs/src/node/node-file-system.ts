/**
 * FileSystem over node:fs: the real disk.
 *
 * Files are created 0600 and folders 0700, since they hold other people's data. `sync` is fdatasync, which
 * includes the size; a folder is opened and fsynced.
 *
 * Interrupted calls (EINTR): libuv repeats all but read and close, and node-file-handle.ts goes on with reads. So an EINTR that comes out
 * here is one that libuv gave up on, and is told as it is. Nothing repeats it: not a close, which has happened, not a sync, which may have
 * dropped pages, and not a rename or a link, which would find its own work.
 */

import * as fs from 'node:fs';
import * as fsPromises from 'node:fs/promises';

import { FileSystemError } from '../file-system-error.ts';
import type {
  DirectoryEntry,
  DiskSpace,
  FileHandle,
  FileKind,
  FileStat,
  FileSystem,
  OpenMode,
} from '../file-system.ts';
import { type DescriptorCalls, NodeFileHandle } from './node-file-handle.ts';
import { errnoOf, toFileSystemError } from './system-error.ts';

const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;

const { O_CREAT, O_DIRECTORY, O_EXCL, O_RDONLY, O_RDWR } = fs.constants;

const openFlags: Readonly<Record<OpenMode, number>> = {
  read: O_RDONLY,
  write: O_RDWR,
  create: O_RDWR | O_CREAT | O_EXCL,
};

/** The file system of this machine: the same one with every call. It holds no state. */
export function nodeFileSystem(): FileSystem {
  theOne ??= new NodeFileSystem(fs);
  return theOne;
}

let theOne: FileSystem | undefined;

/** See `nodeFileSystem`; the constructor lets tests replace the calls on descriptors. */
export class NodeFileSystem implements FileSystem {
  readonly #calls: DescriptorCalls;

  constructor(calls: DescriptorCalls) {
    this.#calls = calls;
  }

  open(path: string, mode: OpenMode): Promise<FileHandle> {
    return attempt('open', path, async () => {
      const fd = await openDescriptor(path, openFlags[mode]);
      const handle = new NodeFileHandle(fd, path, mode, this.#calls);
      // Linux opens a folder for reading without complaint, and only its reads fail.
      if (mode === 'read' && fs.fstatSync(fd).isDirectory()) {
        await handle.close();
        throw new FileSystemError('EISDIR', 'open', path);
      }
      return handle;
    });
  }

  openSync(path: string, mode: OpenMode): FileHandle {
    try {
      const fd = fs.openSync(path, openFlags[mode], FILE_MODE);
      if (mode === 'read' && fs.fstatSync(fd).isDirectory()) {
        fs.closeSync(fd);
        throw new FileSystemError('EISDIR', 'open', path);
      }
      return new NodeFileHandle(fd, path, mode, this.#calls);
    } catch (error) {
      throw toFileSystemError(error, 'open', path);
    }
  }

  /** Reads as many bytes as the file had when it was opened. */
  async readFile(path: string): Promise<Uint8Array> {
    const handle = await this.open(path, 'read');
    try {
      const content = new Uint8Array(await handle.size());
      const bytes = await handle.read(content, 0);
      return bytes === content.length ? content : content.slice(0, bytes);
    } finally {
      await handle.close();
    }
  }

  async readDirectory(path: string): Promise<readonly DirectoryEntry[]> {
    const entries = await attempt('readDirectory', path, () => fsPromises.readdir(path, { withFileTypes: true }));
    return entries
      .map((entry) => ({ name: entry.name, kind: kindOf(entry) }))
      .toSorted((left, right) => (left.name < right.name ? -1 : 1));
  }

  async stat(path: string): Promise<FileStat | undefined> {
    try {
      const stats = await fsPromises.stat(path);
      return {
        kind: kindOf(stats),
        bytes: stats.isDirectory() ? 0 : stats.size,
        modifiedMs: stats.mtimeMs,
        mode: stats.mode & 0o7777,
      };
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === 'ENOENT' || errno === 'ENOTDIR') return undefined;
      throw toFileSystemError(error, 'stat', path);
    }
  }

  async makeDirectory(path: string): Promise<boolean> {
    try {
      await fsPromises.mkdir(path, { mode: DIRECTORY_MODE });
      return true;
    } catch (error) {
      if (errnoOf(error) === 'EEXIST' && (await this.stat(path))?.kind === 'directory') return false;
      throw toFileSystemError(error, 'makeDirectory', path);
    }
  }

  rename(from: string, to: string): Promise<void> {
    return attempt('rename', `${from} to ${to}`, () => fsPromises.rename(from, to));
  }

  link(from: string, to: string): Promise<void> {
    return attempt('link', `${from} to ${to}`, () => fsPromises.link(from, to));
  }

  unlink(path: string): Promise<void> {
    return attempt('unlink', path, () => fsPromises.unlink(path));
  }

  removeDirectory(path: string): Promise<void> {
    return attempt('removeDirectory', path, () => fsPromises.rmdir(path));
  }

  syncDirectory(path: string): Promise<void> {
    return attempt('syncDirectory', path, async () => {
      const folder = await fsPromises.open(path, O_RDONLY | O_DIRECTORY);
      try {
        await folder.sync();
      } finally {
        await folder.close();
      }
    });
  }

  async diskSpace(path: string): Promise<DiskSpace> {
    const { bsize, blocks, bavail } = await attempt('diskSpace', path, () => fsPromises.statfs(path));
    return { totalBytes: bsize * blocks, availableBytes: bsize * bavail };
  }
}

function openDescriptor(path: string, flags: number): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.open(path, flags, FILE_MODE, (error, fd) => {
      if (error === null) resolve(fd);
      else reject(error);
    });
  });
}

function kindOf(entry: fs.Dirent | fs.Stats): FileKind {
  if (entry.isFile()) return 'file';
  return entry.isDirectory() ? 'directory' : 'other';
}

async function attempt<T>(operation: string, path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw toFileSystemError(error, operation, path);
  }
}

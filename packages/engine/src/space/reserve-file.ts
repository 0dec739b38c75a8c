/**
 * RESERVE: blocks of the disk that are kept so that they can be given back. Format: docs/format/files.md, "RESERVE".
 *
 * Invariant: nothing but room depends on this file. It may be lost, cut or left over by a crash at any moment, and no failure of it is
 * an unknown outcome of anything else: its own bytes alone are synced, never the directory, whose failed sync would be about other names.
 */

import { type FileHandle, type FileSystem, FileSystemError, isNotFound, TEMPORARY_SUFFIX } from '@kayadb/vfs';

import { RESERVE_FILE } from '../files/file-names.ts';

export interface ReserveFileOptions {
  readonly fileSystem: FileSystem;
  readonly directory: string;
  /** What the file is to hold. */
  readonly reserveBytes: number;
  readonly randomBytes: (count: number) => Uint8Array;
}

/** Written at once. As long as the longest run that a file system compresses by itself, so that random bytes stay what they are. */
const CHUNK_BYTES = 1024 * 1024;
/** A sync waits for no more than this, so that those of the log beside it do not wait long. */
const SYNC_BYTES = 8 * CHUNK_BYTES;

export class ReserveFile {
  readonly #options: ReserveFileOptions;
  readonly #path: string;
  readonly #temporary: string;
  #heldBytes = 0;
  #making: Promise<boolean> | undefined;
  #isEnding = false;

  constructor(options: ReserveFileOptions) {
    this.#options = options;
    this.#path = `${options.directory}/${RESERVE_FILE}`;
    this.#temporary = `${this.#path}${TEMPORARY_SUFFIX}`;
  }

  /** What the file holds, or has got while it is being made. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Looks what an earlier process left. A part of a file, and one of another size than asked for, are given back, to be made anew. */
  async find(): Promise<void> {
    const { fileSystem, reserveBytes } = this.#options;
    await removeIfThere(fileSystem, this.#temporary);
    const bytes = (await fileSystem.stat(this.#path))?.bytes;
    if (bytes === undefined || reserveBytes === 0) return;
    this.#heldBytes = bytes;
    if (bytes !== reserveBytes) await this.release();
  }

  /** Looks whether the file is still there: anybody may remove it. */
  async lookAgain(): Promise<void> {
    if (this.#heldBytes === 0 || this.#making !== undefined) return;
    const stat = await this.#options.fileSystem.stat(this.#path);
    if (stat === undefined) this.#heldBytes = 0;
  }

  /**
   * Writes and syncs the file beside its name, then gives it the name: RESERVE is whole whenever it is there.
   *
   * @returns Whether it is there now; false when `release` or `close` came in between.
   * @throws FileSystemError; what was written is removed.
   */
  make(): Promise<boolean> {
    this.#making ??= this.#make().finally(() => {
      this.#making = undefined;
    });
    return this.#making;
  }

  /** Gives the room back, also that of a file being made. @returns Whether there was any to give. @throws FileSystemError */
  async release(): Promise<boolean> {
    const wasMaking = this.#making !== undefined;
    await this.close();
    this.#isEnding = false;
    this.#heldBytes = 0;
    const hadFile = await removeIfThere(this.#options.fileSystem, this.#path);
    return hadFile || wasMaking;
  }

  /** Ends a `make` that is under way. The file stays. */
  async close(): Promise<void> {
    this.#isEnding = true;
    await this.#making?.catch(() => undefined);
  }

  async #make(): Promise<boolean> {
    const { fileSystem, reserveBytes } = this.#options;
    // Removed, not overwritten: after a crash it may be a second name of the file.
    await removeIfThere(fileSystem, this.#temporary);
    try {
      const handle = await fileSystem.open(this.#temporary, 'create');
      try {
        await this.#fill(handle);
      } finally {
        await handle.close();
      }
      if (!this.#isEnding) {
        await fileSystem.rename(this.#temporary, this.#path);
        this.#heldBytes = reserveBytes;
        return true;
      }
    } catch (error) {
      this.#heldBytes = 0;
      await removeIfThere(fileSystem, this.#temporary).catch(() => false);
      throw error;
    }
    this.#heldBytes = 0;
    await removeIfThere(fileSystem, this.#temporary);
    return false;
  }

  /** Random bytes: zeros would take no room where files are compressed. */
  async #fill(handle: FileHandle): Promise<void> {
    const { reserveBytes, randomBytes } = this.#options;
    const chunk = randomBytes(Math.min(CHUNK_BYTES, reserveBytes));
    for (let at = 0; at < reserveBytes && !this.#isEnding; at += chunk.length) {
      const bytes = Math.min(chunk.length, reserveBytes - at);
      await handle.write(chunk.subarray(0, bytes), at);
      this.#heldBytes = at + bytes;
      if ((at + chunk.length) % SYNC_BYTES === 0) await handle.sync();
    }
    if (!this.#isEnding) await handle.sync();
  }
}

/**
 * Gives back the reserve of a store that is not open. Requires: the caller holds its lock, or nobody does.
 *
 * @returns Whether there was one.
 */
export async function releaseReserve(fileSystem: FileSystem, directory: string): Promise<boolean> {
  const path = `${directory}/${RESERVE_FILE}`;
  const hadPart = await removeIfThere(fileSystem, `${path}${TEMPORARY_SUFFIX}`);
  const hadFile = await removeIfThere(fileSystem, path);
  return hadFile || hadPart;
}

/** Whether making the file may succeed later. A full disk that says so only at the sync has harmed nobody: the file is made anew. */
export function isPassing(error: unknown): boolean {
  if (!(error instanceof FileSystemError)) return false;
  return error.code === 'KAYA_DISK_FULL' || error.code === 'KAYA_FS_TOO_MANY_FILES';
}

async function removeIfThere(fileSystem: FileSystem, path: string): Promise<boolean> {
  try {
    await fileSystem.unlink(path);
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

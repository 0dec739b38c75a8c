/**
 * The folder in which the files of a snapshot arrive: `snapshot.partial/`. Format: docs/format/raft-snapshot-transfer.md, "The staging folder".
 *
 * Invariant: PROGRESS never says more than what is on disk under durable names. So whatever a crash leaves, what is taken up again is read back and
 * verified, and nothing else is trusted. After a failed sync nothing is trusted any more in the life of the process, and the next one writes to none of
 * its files (docs/decisions/20261122-files-of-one-process.md).
 */

import { assert, crc32c, equalBytes } from '@kayadb/codec';
import { type FileHandle, type FileSystem, FileSystemError, publishFile } from '@kayadb/vfs';

import { RaftError } from '../errors.ts';
import { poisoned } from '../storage/disk-outcome.ts';
import type { RaftIdentity } from '../storage/raft-identity.ts';
import type { SnapshotFile, TransferPosition } from '../wire/transfer-message.ts';
import { checksumOfFile, copyStart, readIfThere, removeFilesIn } from './staged-files.ts';
import {
  decodeProgress,
  decodeStagedSnapshot,
  encodeProgress,
  encodeStagedSnapshot,
  PROGRESS_FILE,
  STAGED_FILES_FOLDER,
  type StagedSnapshot,
  STAGING_FOLDER,
  type StagingProgress,
  TRANSFER_FILE,
} from './staging-format.ts';

/** No name of a snapshot's file: those begin with a letter or a digit. */
const COPY_NAME = '_copy';
const START: StagingProgress = { file: 0, offset: 0, crc: 0 };

export interface StagingOptions {
  readonly fs: FileSystem;
  /** The folder of the group, in which the staging folder is made. */
  readonly directory: string;
  readonly identity: RaftIdentity;
  /** Bound: how many bytes are sent again after a crash. */
  readonly checkpointBytes: number;
}

export class SnapshotStaging {
  readonly #fs: FileSystem;
  readonly #parent: string;
  readonly #folder: string;
  readonly #identity: RaftIdentity;
  readonly #checkpointBytes: number;
  #files: readonly SnapshotFile[] = [];
  #transfer: Uint8Array = new Uint8Array(0);
  #position = START;
  /** Of the file at the position, once something of it was written. */
  #handle: FileHandle | undefined;
  /** Name of the last file that this process made. */
  #ownFile: string | undefined;
  #uncheckpointedBytes = 0;
  #hasNewNames = false;
  #poison: RaftError | undefined;

  constructor({ fs, directory, identity, checkpointBytes }: StagingOptions) {
    this.#fs = fs;
    this.#parent = directory;
    this.#folder = `${directory}/${STAGING_FOLDER}`;
    this.#identity = identity;
    this.#checkpointBytes = checkpointBytes;
  }

  /** Where the files are. */
  get filesFolder(): string {
    return `${this.#folder}/${STAGED_FILES_FOLDER}`;
  }

  /** Everything before it is written, and every file before it is verified. While `begin` takes up what is there: how far that is. */
  get position(): TransferPosition {
    return { file: this.#position.file, offset: this.#position.offset };
  }

  get isComplete(): boolean {
    return this.#position.file === this.#files.length;
  }

  /**
   * Takes up what is there of `staged`, or begins with an empty folder.
   *
   * @throws FileSystemError; RaftError KAYA_RAFT_POISONED after a failed sync.
   */
  async begin(staged: StagedSnapshot): Promise<void> {
    await this.#guarded(async () => {
      await this.#closeFile();
      this.#files = staged.files;
      this.#position = START;
      this.#transfer = Uint8Array.from(encodeStagedSnapshot(staged, this.#identity));
      const found = await readIfThere(this.#fs, `${this.#folder}/${TRANSFER_FILE}`);
      const isSame = found !== undefined && equalBytes(found, this.#transfer);
      if (isSame && (await this.#fs.stat(this.filesFolder)) !== undefined) await this.#takeUp();
      else await this.#start();
      await this.#passEmptyFiles();
      if (this.isComplete) await this.#checkpoint();
    });
  }

  /** What the folder was begun for. */
  async peek(): Promise<StagedSnapshot | undefined> {
    const bytes = await readIfThere(this.#fs, `${this.#folder}/${TRANSFER_FILE}`);
    try {
      return bytes === undefined ? undefined : decodeStagedSnapshot(bytes, this.#identity);
    } catch (error) {
      if (error instanceof RaftError) return undefined;
      throw error;
    }
  }

  /**
   * Adds bytes at the position. Requires: `begin`; as many bytes as the file still has, or fewer.
   *
   * Durability: of everything, once `isComplete`.
   *
   * @returns `mismatch` when the file is complete and is not what was promised: the position is its start again.
   * @throws As `begin`.
   */
  async append(data: Uint8Array): Promise<'appended' | 'mismatch'> {
    return await this.#guarded(async () => {
      const { file, offset, crc } = this.#position;
      const end = offset + data.length;
      assert(file < this.#files.length && end <= this.#files[file]!.bytes, 'a chunk lies within its file');
      const handle = await this.#openFile();
      await handle.write(data, offset);
      this.#position = { file, offset: end, crc: crc32c(data, crc) };
      this.#uncheckpointedBytes += data.length;
      if (end === this.#files[file]!.bytes && !(await this.#finishFile())) return 'mismatch';
      await this.#passEmptyFiles();
      if (this.isComplete || this.#uncheckpointedBytes >= this.#checkpointBytes) await this.#checkpoint();
      return 'appended';
    });
  }

  /** Removes everything. Requires: nobody needs the files any more. */
  async discard(): Promise<void> {
    await this.#closeFile();
    await this.#removeContent();
    for (const folder of [this.filesFolder, this.#folder]) {
      if ((await this.#fs.stat(folder)) !== undefined) await this.#fs.removeDirectory(folder);
    }
  }

  /** Lets go of the file; what is there stays. Idempotent. */
  async close(): Promise<void> {
    await this.#closeFile();
  }

  async #start(): Promise<void> {
    await this.#removeContent();
    await this.#fs.makeDirectory(this.#folder);
    await this.#fs.makeDirectory(this.filesFolder);
    await this.#fs.syncDirectory(this.#parent);
    await this.#fs.syncDirectory(this.#folder);
    // From here on TRANSFER says that all the folders are durable.
    await publishFile(this.#fs, this.#folder, TRANSFER_FILE, this.#transfer);
    this.#position = START;
  }

  /** The control files first: what is half removed is not taken up. */
  async #removeContent(): Promise<void> {
    await removeFilesIn(this.#fs, this.#folder, []);
    await removeFilesIn(this.#fs, this.filesFolder, []);
  }

  async #takeUp(): Promise<void> {
    const progress = await this.#readProgress();
    this.#position = await this.#verify(progress);
    const { file, offset } = this.#position;
    const kept = this.#files.slice(0, offset > 0 ? file + 1 : file).map(({ name }) => name);
    await removeFilesIn(this.#fs, this.filesFolder, kept);
    if (offset > 0) await this.#makeOwn(this.#files[file]!.name, offset);
  }

  /** Puts a copy in the place of a file that an earlier process has begun: nobody knows of the syncs of that. */
  async #makeOwn(name: string, bytes: number): Promise<void> {
    if (name === this.#ownFile) return;
    const [path, copy] = [`${this.filesFolder}/${name}`, `${this.filesFolder}/${COPY_NAME}`];
    await copyStart(this.#fs, path, copy, bytes);
    await this.#fs.rename(copy, path);
    await this.#fs.syncDirectory(this.filesFolder);
    this.#ownFile = name;
  }

  /** What is not to be read, or belongs to something else, says nothing. */
  async #readProgress(): Promise<StagingProgress> {
    const bytes = await readIfThere(this.#fs, `${this.#folder}/${PROGRESS_FILE}`);
    if (bytes === undefined) return START;
    try {
      return decodeProgress(bytes, this.#transfer, this.#identity);
    } catch (error) {
      if (error instanceof RaftError) return START;
      throw error;
    }
  }

  /** @returns As much of `progress` as the files still bear out. */
  async #verify(progress: StagingProgress): Promise<StagingProgress> {
    for (const [i, file] of this.#files.entries()) {
      this.#position = { file: i, offset: 0, crc: 0 };
      const isWhole = i < progress.file;
      const bytes = isWhole ? file.bytes : progress.offset;
      if (!isWhole && (bytes === 0 || bytes >= file.bytes)) return { file: i, offset: 0, crc: 0 };
      const crc = await checksumOfFile(this.#fs, `${this.filesFolder}/${file.name}`, bytes, isWhole);
      const expected = isWhole ? file.crc : progress.crc;
      if (crc !== expected) return { file: i, offset: 0, crc: 0 };
      if (!isWhole) return { file: i, offset: bytes, crc };
    }
    return { file: this.#files.length, offset: 0, crc: 0 };
  }

  /** @returns Whether the file is what was promised. One that is not is removed. */
  async #finishFile(): Promise<boolean> {
    const { file } = this.#position;
    const { name, bytes, crc } = this.#files[file]!;
    const path = `${this.filesFolder}/${name}`;
    await (await this.#openFile()).sync();
    await this.#closeFile();
    // Read back, since a disk that took other bytes than it was given is found out here or never.
    if (this.#position.crc === crc && (await checksumOfFile(this.#fs, path, bytes, true)) === crc) {
      this.#position = { file: file + 1, offset: 0, crc: 0 };
      return true;
    }
    await this.#fs.unlink(path);
    this.#position = { file, offset: 0, crc: 0 };
    return false;
  }

  /** A file without bytes is there as soon as it is its turn. */
  async #passEmptyFiles(): Promise<void> {
    while (!this.isComplete && this.#files[this.#position.file]!.bytes === 0) {
      await (await this.#openFile()).sync();
      await this.#closeFile();
      this.#position = { file: this.#position.file + 1, offset: 0, crc: 0 };
    }
  }

  async #checkpoint(): Promise<void> {
    await this.#handle?.sync();
    if (this.#hasNewNames) await this.#fs.syncDirectory(this.filesFolder);
    this.#hasNewNames = false;
    const bytes = encodeProgress(this.#position, this.#transfer, this.#identity);
    await publishFile(this.#fs, this.#folder, PROGRESS_FILE, bytes);
    this.#uncheckpointedBytes = 0;
  }

  async #openFile(): Promise<FileHandle> {
    if (this.#handle === undefined) {
      const { file, offset } = this.#position;
      const isNew = offset === 0;
      const { name } = this.#files[file]!;
      this.#handle = await this.#fs.open(`${this.filesFolder}/${name}`, isNew ? 'create' : 'write');
      this.#hasNewNames ||= isNew;
      this.#ownFile = name;
    }
    return this.#handle;
  }

  async #closeFile(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close();
  }

  async #guarded<Value>(work: () => Promise<Value>): Promise<Value> {
    if (this.#poison !== undefined) throw this.#poison;
    try {
      return await work();
    } catch (error) {
      if (error instanceof FileSystemError && error.operation.startsWith('sync')) {
        this.#poison = poisoned(`a sync in ${this.#folder}`, error);
      }
      throw this.#poison ?? error;
    }
  }
}

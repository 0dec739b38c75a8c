/**
 * Where segments come from and where they go: made ready ahead of need, named when their header is durable, recycled when nothing in them is needed.
 *
 * Invariant: a name of a segment never leads to a file whose header is not durable; a file is written to only when no name of an older segment
 * can lead to it any more, after power loss either, and only when every sync of it has succeeded: so never to a file of an earlier process, for
 * nobody knows of its syncs. Format: docs/format/raft-log.md, "Life of the log"; why: docs/decisions/20261122-files-of-one-process.md.
 */

import { type FileHandle, type FileSystem, isDiskFull } from '@kayadb/vfs';

import { isUndone, poisoned } from './disk-outcome.ts';
import { encodeFileHeader, fileSeed, RAFT_HEADER_BYTES, SEGMENT_MAGIC, type SegmentStart } from './file-header.ts';
import { NEXT_SEGMENT_NAME, segmentFileName, SPARE_SEGMENT_NAME } from './file-names.ts';
import type { RaftIdentity } from './raft-identity.ts';
import { SegmentFile } from './segment-file.ts';

export interface SegmentMakerOptions {
  readonly fs: FileSystem;
  readonly directory: string;
  readonly identity: RaftIdentity;
  /** How long a segment is made ahead of need. */
  readonly segmentBytes: number;
}

/** One write call, and one sync. */
const FILL_BYTES = 1024 * 1024;

interface PreparedFile {
  readonly handle: FileHandle;
  readonly fileBytes: number;
}

export class SegmentMaker {
  readonly #options: SegmentMakerOptions;
  #prepared: PreparedFile | undefined;
  #spareBytes: number | undefined;
  /** Segments from here on were made by this process. */
  #firstOwn = Number.POSITIVE_INFINITY;
  /** The last of the tasks, one after the other; never rejects. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: SegmentMakerOptions) {
    this.#options = options;
  }

  /**
   * Makes a file ready for the next segment. Where room is scarce, or without a descriptor, nothing happens: the segment grows as it is written.
   *
   * @throws RaftError KAYA_RAFT_POISONED when something else failed.
   */
  prepare(): Promise<void> {
    return this.#inTurn('preparing a segment', async () => {
      try {
        this.#prepared ??= await this.#recycleOrFill();
      } catch (error) {
        if (!isUndone(error)) throw error;
      }
    });
  }

  /**
   * The next segment, to append to.
   *
   * @param records - What stands in it from the beginning: whole records, encoded with the seed that they are given.
   *
   * Durability: name, header and records survive power loss once it resolves; before, the name does not exist.
   * @throws FileSystemError KAYA_DISK_FULL or KAYA_FS_TOO_MANY_FILES when there is no room or no descriptor: nothing happened.
   * @throws RaftError KAYA_RAFT_POISONED otherwise, or what `records` throws.
   */
  make(start: SegmentStart, records?: (seed: number) => Iterable<Uint8Array>): Promise<SegmentFile> {
    return this.#inTurn('making a segment', async () => {
      const { fs, directory, identity, segmentBytes } = this.#options;
      this.#prepared ??= { handle: await fs.open(this.#path(NEXT_SEGMENT_NAME), 'create'), fileBytes: 0 };
      const { handle, fileBytes } = this.#prepared;
      const header = encodeFileHeader(SEGMENT_MAGIC, identity, start);
      const seed = fileSeed(header);
      await handle.write(header, 0);
      let usedBytes = RAFT_HEADER_BYTES;
      for (const record of records?.(seed) ?? []) {
        await handle.write(record, usedBytes);
        usedBytes += record.length;
      }
      await handle.sync();
      await fs.rename(this.#path(NEXT_SEGMENT_NAME), this.#path(segmentFileName(start.segment)));
      this.#prepared = undefined;
      const file = new SegmentFile(handle, {
        segment: start.segment,
        startLsn: start.startLsn,
        seed,
        usedBytes,
        fileBytes: Math.max(fileBytes, usedBytes),
        segmentBytes,
      });
      try {
        await fs.syncDirectory(directory);
      } catch (error) {
        await file.close().catch(() => undefined);
        throw error;
      }
      this.#firstOwn = Math.min(this.#firstOwn, start.segment);
      return file;
    });
  }

  /**
   * Gives up segments, oldest first; one of those that this process made is kept for its blocks. Requires: nothing in them is needed, durably.
   *
   * @throws RaftError KAYA_RAFT_POISONED when it failed.
   */
  retire(segments: readonly number[]): Promise<void> {
    return this.#inTurn('removing segments', async () => {
      const { fs, directory } = this.#options;
      let spareBytes: number | undefined;
      for (const segment of segments) {
        const path = this.#path(segmentFileName(segment));
        const keeps = segment >= this.#firstOwn && this.#spareBytes === undefined && spareBytes === undefined;
        const bytes = keeps ? await this.#reusableBytes(path) : undefined;
        if (bytes === undefined) await fs.unlink(path);
        else {
          await fs.rename(path, this.#path(SPARE_SEGMENT_NAME));
          spareBytes = bytes;
        }
      }
      await fs.syncDirectory(directory);
      // From here on its old name is gone for good, and its bytes may change.
      this.#spareBytes ??= spareBytes;
    });
  }

  /** Waits for what is under way. Idempotent. What was made ready is left behind; opening removes it. */
  async close(): Promise<void> {
    await this.#last;
    await this.#prepared?.handle.close();
  }

  async #recycleOrFill(): Promise<PreparedFile | undefined> {
    const path = this.#path(NEXT_SEGMENT_NAME);
    if (this.#spareBytes !== undefined) return await this.#recycle(path, this.#spareBytes);
    return (await this.#isRoomAmple()) ? await this.#fill(path) : undefined;
  }

  /** Zeros ahead are a convenience: they leave as much room as they take, for others need some to free any, and the next start needs a little. */
  async #isRoomAmple(): Promise<boolean> {
    const { fs, directory, segmentBytes } = this.#options;
    const { availableBytes } = await fs.diskSpace(directory);
    return availableBytes >= 2 * segmentBytes;
  }

  async #recycle(path: string, spareBytes: number): Promise<PreparedFile> {
    const { fs } = this.#options;
    // Opened first: what fails after the new name is there would leave a file in the way of the next.
    const handle = await fs.open(this.#path(SPARE_SEGMENT_NAME), 'write');
    try {
      await fs.rename(handle.path, path);
    } catch (error) {
      await handle.close().catch(() => undefined);
      throw error;
    }
    this.#spareBytes = undefined;
    return { handle, fileBytes: spareBytes };
  }

  async #fill(path: string): Promise<PreparedFile> {
    const { fs, segmentBytes } = this.#options;
    const handle = await fs.open(path, 'create');
    try {
      for (let at = 0; at < segmentBytes; at += FILL_BYTES) {
        await handle.write(new Uint8Array(Math.min(FILL_BYTES, segmentBytes - at)), at);
        // A little at a time: the log's own syncs go to the same disk.
        await handle.sync();
      }
      return { handle, fileBytes: segmentBytes };
    } catch (error) {
      await handle.close().catch(() => undefined);
      if (isDiskFull(error)) await fs.unlink(path);
      throw error;
    }
  }

  /** Files that grew past all measure are not kept. */
  async #reusableBytes(path: string): Promise<number | undefined> {
    const { fs, segmentBytes } = this.#options;
    const bytes = (await fs.stat(path))?.bytes ?? 0;
    return bytes >= segmentBytes / 2 && bytes <= 2 * segmentBytes ? bytes : undefined;
  }

  #path(name: string): string {
    return `${this.#options.directory}/${name}`;
  }

  #inTurn<Result>(what: string, task: () => Promise<Result>): Promise<Result> {
    const mine = this.#last.then(task).catch((error: unknown) => {
      throw isUndone(error) ? error : poisoned(what, error);
    });
    this.#last = mine.catch(() => undefined);
    return mine;
  }
}

/**
 * The write-ahead log under one writer: appends commit groups to the current segment and moves on to new ones.
 *
 * Invariant: a record counts as durable only when everything before it is, in earlier segments too, or in tables.
 * Format: docs/format/wal.md, "Life of a segment".
 */

import { assert } from '@kayadb/codec';
import type { FileHandle, FileSystem } from '@kayadb/vfs';

import { isUndone } from '../files/disk-outcome.ts';
import { WAL_MAGIC } from '../files/file-header.ts';
import { walFileName } from '../files/file-names.ts';
import type { FileNumber } from '../key/internal-key.ts';
import { LogWriter } from '../log/log-writer.ts';
import { runAll } from '../run-all.ts';
import { COMMIT_GROUP_RECORD } from './wal-format.ts';
import type { CommitGroup, WriteLog } from './write-log.ts';

export interface WalWriterOptions {
  readonly fs: FileSystem;
  readonly directory: string;
  readonly storeId: Uint8Array;
  /** Where the log goes on: 0 in a new store, otherwise where replay says it ends. */
  readonly startLsn: number;
  /** Draws the number of the next segment; called once per segment. */
  readonly allocateFileNumber: () => FileNumber;
}

interface Segment {
  readonly fileNumber: FileNumber;
  readonly log: LogWriter;
}

interface PreparedFile {
  readonly fileNumber: FileNumber;
  readonly handle: FileHandle;
}

export class WalWriter implements WriteLog {
  readonly #options: WalWriterOptions;
  /** Oldest first; all but the last are left behind and wait for their sync. */
  #segments: Segment[];
  /** The next segment's file and, while `rotate()` runs, its log. A rejection stays: see `prepare`. */
  #prepared: Promise<PreparedFile> | undefined;
  #started: Promise<Segment> | undefined;
  #durableLsn: number;
  #syncing: Promise<void> = Promise.resolve();
  #rotating = false;
  #closed = false;

  private constructor(options: WalWriterOptions, first: Segment) {
    this.#options = options;
    this.#segments = [first];
    this.#durableLsn = options.startLsn;
  }

  /**
   * Starts the log in a fresh segment.
   *
   * Durability: the segment's name and header survive power loss once it resolves.
   */
  static async create(options: WalWriterOptions): Promise<WalWriter> {
    const file = await createFile(options);
    try {
      return new WalWriter(options, await startSegment(options, file, options.startLsn));
    } catch (error) {
      await file.handle.close();
      throw error;
    }
  }

  /** The segment that takes the next group. */
  get fileNumber(): FileNumber {
    return this.#current.fileNumber;
  }

  /** LSN behind the last group. */
  get endLsn(): number {
    return this.#current.log.endLsn;
  }

  /** Every byte of the log below it survives power loss. */
  get durableLsn(): number {
    return this.#durableLsn;
  }

  /**
   * Appends one commit group as one record, within the caller's turn, and returns the LSN behind it:
   * the group is durable once `durableLsn` has reached it.
   *
   * Requires: `firstSequence` follows the group before; no `rotate()` in flight. Bound: `MAX_RECORD_PAYLOAD_BYTES`.
   * @throws FileSystemError KAYA_DISK_FULL when there is no room: the group is undone and the log stays usable. Any
   * other failure is final, and every later `append` and `sync` throws the same.
   */
  append(group: CommitGroup): number {
    assert(!this.#rotating && !this.#closed, 'a group is appended while the log rotates or after it was closed');
    this.#current.log.append(group.payloads, {
      kind: COMMIT_GROUP_RECORD,
      firstOrdinal: group.firstSequence,
      count: group.count,
      durableLsn: this.#durableLsn,
    });
    return this.#current.log.endLsn;
  }

  /**
   * Makes every group appended before the call durable: segments left behind first, then the current one.
   * Calls while one is in flight wait for it and then sync what is left.
   *
   * @throws FileSystemError when a sync or a write before it failed; final.
   */
  sync(): Promise<void> {
    const mine = this.#syncing.then(() => this.#syncSegments());
    this.#syncing = mine.catch(() => undefined);
    return mine;
  }

  /** As `sync()`, within the caller's turn. A `sync()` in flight does no harm. */
  syncSync(): void {
    for (const { log } of this.#segments) {
      if (log.durableLsn < log.endLsn) log.syncSync();
    }
    this.#advance();
  }

  /**
   * Creates the next segment's file ahead of need, so that `rotate()` only has to write and sync its header: where
   * the segment starts is not known earlier. Optional. Does nothing when the file is there already.
   *
   * @throws FileSystemError. One that `isUndone` may be tried again; any other is final, since a segment whose
   * creation has an unknown outcome must not be followed by another.
   */
  async prepare(): Promise<void> {
    if (this.#closed) return;
    await this.#prepareFile();
  }

  /**
   * Goes on in a new segment. The one left behind need not be synced: `sync()` sees to it.
   *
   * Requires: no `append` until it settles.
   * @returns The new segment's number.
   * @throws FileSystemError as `prepare`. The current segment stays what it was.
   */
  async rotate(): Promise<FileNumber> {
    assert(!this.#rotating && !this.#closed, 'the log rotates twice at once or after it was closed');
    this.#rotating = true;
    try {
      const next = await this.#startSegment(await this.#prepareFile());
      this.#prepared = undefined;
      this.#started = undefined;
      this.#segments.push(next);
      return next.fileNumber;
    } finally {
      this.#rotating = false;
    }
  }

  /**
   * Closes segments left behind, unsynced, once tables hold their groups: a log that nobody syncs would keep them all open,
   * and their space on disk with them. Waits for a sync in flight.
   *
   * Requires: the manifest says, durably, that `oldestNeeded` is the oldest segment still needed.
   */
  release(oldestNeeded: FileNumber): Promise<void> {
    const mine = this.#syncing.then(() => this.#releaseSegments(oldestNeeded));
    this.#syncing = mine.catch(() => undefined);
    return mine;
  }

  /** Closes every file, without syncing. Idempotent. Waits for a sync in flight. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#syncing;
    const prepared = await this.#prepared?.catch(() => undefined);
    await runAll('closing the write-ahead log', [
      async () => prepared?.handle.close(),
      ...this.#segments.map(
        ({ log }) =>
          () =>
            log.close(),
      ),
    ]);
  }

  get #current(): Segment {
    return this.#segments.at(-1)!;
  }

  async #prepareFile(): Promise<PreparedFile> {
    this.#prepared ??= createFile(this.#options);
    try {
      return await this.#prepared;
    } catch (error) {
      if (isUndone(error)) this.#prepared = undefined;
      throw error;
    }
  }

  async #startSegment(file: PreparedFile): Promise<Segment> {
    this.#started ??= startSegment(this.#options, file, this.endLsn);
    try {
      return await this.#started;
    } catch (error) {
      if (isUndone(error)) this.#started = undefined;
      throw error;
    }
  }

  async #syncSegments(): Promise<void> {
    for (const { log } of this.#segments) {
      if (log.durableLsn < log.endLsn) await log.sync();
    }
    this.#advance();
    while (this.#segments.length > 1 && isDurable(this.#segments[0]!)) await this.#segments.shift()!.log.close();
  }

  async #releaseSegments(oldestNeeded: FileNumber): Promise<void> {
    while (this.#segments.length > 1 && this.#segments[0]!.fileNumber < oldestNeeded) {
      const { log } = this.#segments.shift()!;
      this.#advance();
      await log.close();
    }
  }

  #advance(): void {
    const first = this.#segments.find((segment) => !isDurable(segment)) ?? this.#current;
    this.#durableLsn = first.log.durableLsn;
  }
}

function isDurable({ log }: Segment): boolean {
  return log.durableLsn === log.endLsn;
}

async function createFile(options: WalWriterOptions): Promise<PreparedFile> {
  const fileNumber = options.allocateFileNumber();
  const handle = await options.fs.open(`${options.directory}/${walFileName(fileNumber)}`, 'create');
  try {
    await options.fs.syncDirectory(options.directory);
  } catch (error) {
    await handle.close();
    throw error;
  }
  return { fileNumber, handle };
}

/** Does not close the file when it fails: after a full disk the same file is tried again. */
async function startSegment(options: WalWriterOptions, file: PreparedFile, startLsn: number): Promise<Segment> {
  const { fileNumber, handle } = file;
  const log = await LogWriter.start(handle, { magic: WAL_MAGIC, storeId: options.storeId, fileNumber, startLsn });
  return { fileNumber, log };
}

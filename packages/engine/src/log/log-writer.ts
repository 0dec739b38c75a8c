/**
 * Appends records to one log segment. The mirror of log-reader.ts.
 *
 * Invariant: after a failed write or sync nobody knows what the file holds, so every later call fails with the same error.
 * Only a write that finds the disk full is undone instead. Format: docs/format/record-log.md.
 */

import { assert, EMPTY_BYTES } from '@kayadb/codec';
import { type FileHandle, type FileSystem, isDiskFull, undoWrite } from '@kayadb/vfs';

import { EngineError } from '../errors.ts';
import { encodeFileHeader, FILE_HEADER_BYTES, type FileHeader, fileSeed } from '../files/file-header.ts';
import {
  encodeRecordHeader,
  type LogRecordFields,
  lsnAt,
  MAX_RECORD_PAYLOAD_BYTES,
  RECORD_HEADER_BYTES,
  recordBytes,
} from './log-format.ts';

/** One write call; larger ones run into writeback throttling. */
const WRITE_BYTES = 128 * 1024;
/**
 * How far zeros go ahead of the log's end where it is synced: as far as the log is long, between these. A sync of a record that overwrites
 * zeros need not journal the file's size and extents (docs/decisions/20261122-zero-filled-log.md).
 */
const MIN_FILL_BYTES = 16 * 1024;
const MAX_FILL_BYTES = 512 * 1024;
const FILL_ALIGNMENT = 4096;
const ZEROS = new Uint8Array(WRITE_BYTES);
/** Bound: the buffer kept between records. A larger record gets one of its own. */
const MAX_KEPT_BUFFER_BYTES = 2 * 1024 * 1024;

export interface LogStartOptions {
  /** Keeps zeros ahead of the log's end from the first sync on. False by default. */
  readonly fillsAhead?: boolean;
  /** The file holds so many bytes already, all of them zero and durable. Default 0. */
  readonly zeroBytes?: number;
}

export class LogWriter {
  readonly #handle: FileHandle;
  readonly #seed: number;
  readonly #startLsn: number;
  #buffer = new Uint8Array(4 * 1024);
  /** The view of it that was used last: writers' records tend to be of one size, and a view costs more than their copy. */
  #taken: Uint8Array = EMPTY_BYTES;
  #endOffset = FILE_HEADER_BYTES;
  #durableOffset = FILE_HEADER_BYTES;
  #fillsAhead: boolean;
  /** To here the file was filled with zeros; behind the log's end once that has come further. */
  #zeroEnd: number;
  #failure: { readonly error: unknown } | undefined;

  private constructor(handle: FileHandle, seed: number, startLsn: number, options: LogStartOptions) {
    this.#handle = handle;
    this.#seed = seed;
    this.#startLsn = startLsn;
    this.#fillsAhead = options.fillsAhead ?? false;
    this.#zeroEnd = options.zeroBytes ?? 0;
  }

  /**
   * Creates the file `name` in `directory` and starts a log in it.
   *
   * Durability: name and header survive power loss once it resolves. On failure the file may be left behind.
   * @throws FileSystemError KAYA_FS_EXISTS when the name is taken.
   */
  static async create(fs: FileSystem, directory: string, name: string, header: FileHeader): Promise<LogWriter> {
    const handle = await fs.open(`${directory}/${name}`, 'create');
    try {
      const writer = await LogWriter.start(handle, header);
      await fs.syncDirectory(directory);
      return writer;
    } catch (error) {
      await handle.close().catch(() => undefined);
      throw error;
    }
  }

  /**
   * Starts a log in a file that is empty or all zeros, and whose name is durable already. The writer owns `handle` once this
   * resolves; after a FileSystemError KAYA_DISK_FULL nothing of the header is left in the file, and it may be tried again.
   *
   * Durability: the header survives power loss once it resolves.
   * @throws EngineError KAYA_ENGINE_POISONED when there was no room and the rest could not be taken back: the segment may begin
   * at an LSN that the one before it still passes.
   */
  static async start(handle: FileHandle, header: FileHeader, options: LogStartOptions = {}): Promise<LogWriter> {
    const bytes = encodeFileHeader(header);
    try {
      handle.writeSync(bytes, 0);
    } catch (error) {
      if (isDiskFull(error)) undo(handle, 0, FILE_HEADER_BYTES);
      throw error;
    }
    await handle.sync();
    return new LogWriter(handle, fileSeed(bytes), header.startLsn, options);
  }

  /** LSN behind the last record. */
  get endLsn(): number {
    return lsnAt(this.#startLsn, this.#endOffset);
  }

  /** Every byte of this segment below this LSN is on disk. Says nothing about earlier segments. */
  get durableLsn(): number {
    return lsnAt(this.#startLsn, this.#durableOffset);
  }

  /** Bytes of the file in use; zeros may follow. */
  get fileBytes(): number {
    return this.#endOffset;
  }

  /**
   * Appends one record whose payload is `parts` in order, within the caller's turn, and returns its LSN.
   *
   * Durability: none until `sync()` resolves; survives the death of the process. Bound: `MAX_RECORD_PAYLOAD_BYTES`.
   * Keeps no reference to `parts`.
   *
   * @param fields - `durableLsn` is that of the whole log: of a log of several segments only its owner knows it.
   * @throws RangeError for a payload over the bound. Nothing was written; the writer stays usable.
   * @throws FileSystemError KAYA_DISK_FULL when there is no room and nothing of the record is left in the file: the
   * writer stays usable. Any other FileSystemError is final, and every later call throws the same.
   * @throws EngineError KAYA_ENGINE_POISONED when there was no room and the rest could not be taken back; final.
   */
  append(parts: readonly Uint8Array[], fields: LogRecordFields): number {
    this.#check();
    assert(fields.count >= 1, 'a record takes up at least one ordinal');
    assert(fields.durableLsn <= this.endLsn, 'a record cannot be durable before it is written');
    let payloadBytes = 0;
    for (const part of parts) payloadBytes += part.length;
    if (payloadBytes > MAX_RECORD_PAYLOAD_BYTES) {
      throw new RangeError(`a log record takes ${MAX_RECORD_PAYLOAD_BYTES} bytes at most, not ${payloadBytes}`);
    }

    const bytes = this.#take(recordBytes(payloadBytes));
    let at = RECORD_HEADER_BYTES;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
    while (at < bytes.length) bytes[at++] = 0;
    const { kind, firstOrdinal, count, durableLsn } = fields;
    encodeRecordHeader(bytes, 0, { kind, firstOrdinal, count, durableLsn, payloadBytes }, this.#seed);

    const lsn = this.endLsn;
    this.#write(bytes);
    return lsn;
  }

  /**
   * Makes every record appended before the call durable; several calls may be in flight.
   *
   * @throws FileSystemError when the sync or anything before it failed; final.
   */
  async sync(): Promise<void> {
    this.#check();
    this.#fillAhead();
    const end = this.#endOffset;
    try {
      await this.#handle.sync();
    } catch (error) {
      throw this.#fail(error);
    }
    this.#advance(end);
  }

  /** No record will follow, so no zeros are needed ahead. */
  endFilling(): void {
    this.#fillsAhead = false;
  }

  /** Idempotent. Does not sync. */
  async close(): Promise<void> {
    await this.#handle.close();
  }

  #write(bytes: Uint8Array): void {
    try {
      this.#writePieces(bytes);
    } catch (error) {
      if (!isDiskFull(error)) throw this.#fail(error);
      try {
        undo(this.#handle, this.#endOffset, bytes.length);
      } catch (poison) {
        throw this.#fail(poison);
      }
      throw error;
    }
    this.#endOffset += bytes.length;
  }

  /**
   * Before a sync that has to journal the file's new size anyway: makes the size one that lasts for many records. Within the turn,
   * so that no record can come in between and be overwritten. A log that grows faster than the zeros would last goes without them,
   * and so does one for whose zeros there is no room: what was written of them is used by the records to come.
   */
  #fillAhead(): void {
    const start = this.#endOffset;
    if (!this.#fillsAhead || start <= this.#zeroEnd) return;
    const fillBytes = Math.min(MAX_FILL_BYTES, Math.max(MIN_FILL_BYTES, start));
    if (start - this.#durableOffset > fillBytes / 4) return;
    const end = Math.ceil((start + fillBytes) / FILL_ALIGNMENT) * FILL_ALIGNMENT;
    try {
      for (let at = start; at < end; at += WRITE_BYTES) {
        this.#handle.writeSync(ZEROS.subarray(0, Math.min(WRITE_BYTES, end - at)), at);
      }
    } catch (error) {
      if (!isDiskFull(error)) throw this.#fail(error);
      this.#fillsAhead = false;
      return;
    }
    this.#zeroEnd = end;
  }

  #writePieces(bytes: Uint8Array): void {
    if (bytes.length <= WRITE_BYTES) return this.#handle.writeSync(bytes, this.#endOffset);
    for (let start = 0; start < bytes.length; start += WRITE_BYTES) {
      this.#handle.writeSync(bytes.subarray(start, start + WRITE_BYTES), this.#endOffset + start);
    }
  }

  /** After a failed sync a success proves nothing, so it advances nothing. */
  #advance(offset: number): void {
    this.#check();
    if (offset > this.#durableOffset) this.#durableOffset = offset;
  }

  /** The first `length` bytes of a buffer; its content is arbitrary. */
  #take(length: number): Uint8Array {
    if (length === this.#taken.length) return this.#taken;
    if (length > MAX_KEPT_BUFFER_BYTES) return new Uint8Array(length);
    if (length > this.#buffer.length) this.#buffer = new Uint8Array(Math.min(MAX_KEPT_BUFFER_BYTES, length * 2));
    this.#taken = this.#buffer.subarray(0, length);
    return this.#taken;
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** @returns The first failure: later ones are its consequences. */
  #fail(error: unknown): unknown {
    this.#failure ??= { error };
    return this.#failure.error;
  }
}

/**
 * Undoes a write that found the disk full. No FileSystemError comes out of it: those that say that the disk is full promise that the write was undone.
 *
 * @throws EngineError KAYA_ENGINE_POISONED when that cannot be said.
 */
function undo(handle: FileHandle, offset: number, length: number): void {
  try {
    undoWrite(handle, offset, length, RECORD_HEADER_BYTES);
  } catch (cause) {
    throw new EngineError(
      'KAYA_ENGINE_POISONED',
      `a write to ${handle.path} found the disk full, and the part that was written could not be taken back; open the store again`,
      { cause },
    );
  }
}

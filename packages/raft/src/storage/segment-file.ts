/**
 * The segment that the log is appended to: one write call for each record, zeros ahead, syncs.
 *
 * Invariant: after a failed write or sync nobody knows what the file holds, so every later call fails with the same error. Only a write that finds
 * the disk full is undone instead. Format: docs/format/raft-log.md, "Life of the log".
 */

import { EMPTY_BYTES } from '@kayadb/codec';
import { type FileHandle, isDiskFull, undoWrite } from '@kayadb/vfs';

import type { Entry } from '../core/types.ts';
import { poisoned } from './disk-outcome.ts';
import { RAFT_HEADER_BYTES } from './file-header.ts';
import { segmentFileName } from './file-names.ts';
import {
  encodeRecord,
  MAX_RECORD_PAYLOAD_BYTES,
  payloadBytesOf,
  RECORD_HEADER_BYTES,
  recordBytes,
  type RecordFields,
} from './segment-format.ts';

/** One write call; larger ones run into writeback throttling. */
const WRITE_BYTES = 256 * 1024;
/** How far zeros go ahead where the file is not long enough yet: as far as it is long, between these. docs/decisions/20261122-zero-filled-log.md. */
const MIN_FILL_BYTES = 16 * 1024;
const MAX_FILL_BYTES = 512 * 1024;
const FILL_ALIGNMENT = 4096;
const ZEROS = new Uint8Array(WRITE_BYTES);
/** Bound: the buffer kept between records. A larger record gets one of its own. */
const MAX_KEPT_BUFFER_BYTES = 2 * 1024 * 1024;

export interface SegmentFileStart {
  readonly segment: number;
  readonly startLsn: number;
  readonly seed: number;
  /** Bytes that are written and durable: the header, and records behind it. */
  readonly usedBytes: number;
  /** How long the file is. */
  readonly fileBytes: number;
  /** The file is left when it holds so much: no zeros are needed behind that. */
  readonly segmentBytes: number;
}

export class SegmentFile {
  readonly segment: number;
  readonly #handle: FileHandle;
  readonly #seed: number;
  readonly #startLsn: number;
  #buffer = new Uint8Array(4 * 1024);
  /** The view of it that was used last: batches tend to be of one size, and a view costs more than a small copy. */
  #taken: Uint8Array = EMPTY_BYTES;
  #endOffset: number;
  #durableOffset: number;
  /** The file is so long at least, or was not made longer for want of room. */
  #allocatedBytes: number;
  readonly #segmentBytes: number;
  #failure: { readonly error: unknown } | undefined;

  /** Owns `handle`. */
  constructor(handle: FileHandle, start: SegmentFileStart) {
    this.segment = start.segment;
    this.#handle = handle;
    this.#seed = start.seed;
    this.#startLsn = start.startLsn;
    this.#endOffset = start.usedBytes;
    this.#durableOffset = start.usedBytes;
    this.#allocatedBytes = start.fileBytes;
    this.#segmentBytes = start.segmentBytes;
  }

  get startLsn(): number {
    return this.#startLsn;
  }

  /** Bytes in use, the header among them. */
  get usedBytes(): number {
    return this.#endOffset;
  }

  get endLsn(): number {
    return this.#startLsn + this.#endOffset - RAFT_HEADER_BYTES;
  }

  get durableLsn(): number {
    return this.#startLsn + this.#durableOffset - RAFT_HEADER_BYTES;
  }

  get seed(): number {
    return this.#seed;
  }

  /**
   * Appends one record within the caller's turn. Keeps no reference to `entries`.
   *
   * Durability: none until `sync()` resolves; survives the death of the process. Bound: `MAX_RECORD_PAYLOAD_BYTES`.
   *
   * @returns The offset of the first entry.
   * @throws RangeError for a payload over the bound. Nothing was written.
   * @throws FileSystemError KAYA_DISK_FULL when there is no room and nothing of the record is left in the file: it may be tried again.
   * @throws RaftError KAYA_RAFT_POISONED otherwise, and from then on.
   */
  append(fields: Omit<RecordFields, 'durableLsn'>, entries: readonly Entry[]): number {
    this.#check();
    const payloadBytes = payloadBytesOf(entries);
    if (payloadBytes > MAX_RECORD_PAYLOAD_BYTES) {
      throw new RangeError(`a batch takes ${MAX_RECORD_PAYLOAD_BYTES} bytes at most, not ${payloadBytes}`);
    }
    const bytes = this.#take(recordBytes(payloadBytes));
    encodeRecord(bytes, { ...fields, durableLsn: this.durableLsn }, entries, this.#seed);
    const offset = this.#endOffset;
    this.#write(bytes);
    return offset + RECORD_HEADER_BYTES;
  }

  /** Makes every record appended before the call durable. @throws RaftError KAYA_RAFT_POISONED when it failed; final. */
  async sync(): Promise<void> {
    this.#check();
    this.#fillAhead();
    const end = this.#endOffset;
    try {
      await this.#handle.sync();
    } catch (error) {
      throw this.#fail(error);
    }
    this.#check();
    this.#durableOffset = Math.max(this.#durableOffset, end);
  }

  /** For entries that stand in this segment. */
  readSync(buffer: Uint8Array, offset: number): number {
    return this.#handle.readSync(buffer, offset);
  }

  /** Idempotent. Does not sync. */
  async close(): Promise<void> {
    await this.#handle.close();
  }

  #write(bytes: Uint8Array): void {
    try {
      for (let at = 0; at < bytes.length; at += WRITE_BYTES) {
        const piece = bytes.length <= WRITE_BYTES ? bytes : bytes.subarray(at, at + WRITE_BYTES);
        this.#handle.writeSync(piece, this.#endOffset + at);
      }
    } catch (error) {
      if (!isDiskFull(error)) throw this.#fail(error);
      try {
        undoWrite(this.#handle, this.#endOffset, bytes.length, RECORD_HEADER_BYTES);
      } catch (poison) {
        throw this.#fail(poison);
      }
      throw error;
    }
    this.#endOffset += bytes.length;
  }

  /**
   * Before a sync that has to journal the file's new size anyway: makes the size one that lasts for many records. Within the turn, so that no
   * record can come in between and be overwritten. A log that grows faster than the zeros would last goes without them, and so does one for
   * whose zeros there is no room.
   */
  #fillAhead(): void {
    const start = this.#endOffset;
    if (start <= this.#allocatedBytes || start >= this.#segmentBytes) return;
    const fillBytes = Math.min(MAX_FILL_BYTES, Math.max(MIN_FILL_BYTES, start));
    if (start - this.#durableOffset > fillBytes / 4) return;
    const end = Math.min(Math.ceil((start + fillBytes) / FILL_ALIGNMENT) * FILL_ALIGNMENT, this.#segmentBytes);
    try {
      for (let at = start; at < end; at += WRITE_BYTES) {
        this.#handle.writeSync(ZEROS.subarray(0, Math.min(WRITE_BYTES, end - at)), at);
      }
    } catch (error) {
      if (!isDiskFull(error)) throw this.#fail(error);
    }
    this.#allocatedBytes = end;
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
  #fail(cause: unknown): unknown {
    this.#failure ??= { error: poisoned(`writing ${segmentFileName(this.segment)}`, cause) };
    return this.#failure.error;
  }
}

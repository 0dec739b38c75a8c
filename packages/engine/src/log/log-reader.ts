/**
 * Reads one log segment front to back until something does not verify. The mirror of log-writer.ts.
 *
 * It says where reading stops, not what that means: log-verdict.ts decides. Format: docs/format/record-log.md.
 */

import { FILE_HEADER_BYTES } from '../files/file-header.ts';
import {
  decodeRecordHeader,
  hasRecordMarker,
  hasValidRecordCrc,
  type LogRecordHeader,
  lsnAt,
  MAX_RECORD_PAYLOAD_BYTES,
  RECORD_HEADER_BYTES,
  recordBytes,
} from './log-format.ts';
import type { ReadWindow } from './read-window.ts';

/** A record whose CRC is right. Its fields are not checked against what came before. */
export interface LogRecord extends LogRecordHeader {
  /** From the start of the file. */
  readonly offset: number;
  readonly lsn: number;
  /** A view, valid until the next record is read. */
  readonly payload: Uint8Array;
}

/** `end`: the file ends here or goes on with zeros, as far as a record header reaches. `stopped`: something else stands here. */
export interface LogStop {
  readonly kind: 'end' | 'stopped';
  readonly offset: number;
  readonly lsn: number;
  readonly reason: string;
}

/** Where a segment's records are and how they verify. */
export interface LogSegmentBytes {
  readonly window: ReadWindow;
  readonly fileBytes: number;
  readonly seed: number;
  readonly startLsn: number;
}

export class LogReader {
  readonly #segment: LogSegmentBytes;
  #offset: number;
  #stop: LogStop | undefined;

  /** @param offset - Where the first record starts, in the file. */
  constructor(segment: LogSegmentBytes, offset: number = FILE_HEADER_BYTES) {
    this.#segment = segment;
    this.#offset = offset;
  }

  /** Where reading stopped; `undefined` while it has not. */
  get stop(): LogStop | undefined {
    return this.#stop;
  }

  /** The next record, or `undefined` when reading has stopped. Bound: memory for one record. */
  async next(): Promise<LogRecord | undefined> {
    if (this.#stop !== undefined) return undefined;
    const { fileBytes, seed, startLsn } = this.#segment;
    const offset = this.#offset;
    const header = await this.#segment.window.view(offset, RECORD_HEADER_BYTES);
    if (header.every((byte) => byte === 0)) return this.#stopAt('end', 'nothing but zeros stands here');
    if (header.length < RECORD_HEADER_BYTES) return this.#stopAt('stopped', 'the file ends inside a record header');
    if (!hasRecordMarker(header, 0)) return this.#stopAt('stopped', 'the record marker is missing');
    const fields = decodeRecordHeader(header, 0);
    const { payloadBytes } = fields;
    if (payloadBytes > MAX_RECORD_PAYLOAD_BYTES) return this.#stopAt('stopped', 'the payload length is out of range');
    const length = RECORD_HEADER_BYTES + payloadBytes;
    if (offset + length > fileBytes) {
      return this.#stopAt('stopped', 'the record reaches beyond the end of the file');
    }

    const bytes = await this.#segment.window.view(offset, length);
    if (bytes.length < length) return this.#stopAt('stopped', 'the file ends inside a record');
    if (!hasValidRecordCrc(bytes, 0, payloadBytes, seed))
      return this.#stopAt('stopped', 'the record CRC does not match');
    this.#offset = offset + recordBytes(payloadBytes);
    return { ...fields, offset, lsn: lsnAt(startLsn, offset), payload: bytes.subarray(RECORD_HEADER_BYTES) };
  }

  #stopAt(kind: LogStop['kind'], reason: string): undefined {
    this.#stop = { kind, offset: this.#offset, lsn: lsnAt(this.#segment.startLsn, this.#offset), reason };
  }
}

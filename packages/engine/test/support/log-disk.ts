/** Logs on an in-memory disk, built record by record, damaged by hand, and read back. */

import { decodeUtf8, encodeUtf8 } from '@kayadb/codec';
import { MemoryFileSystem } from '@kayadb/vfs/testing';

import { WAL_MAGIC } from '../../src/files/file-header.ts';
import { walFileName } from '../../src/files/file-names.ts';
import type { LogOutcome } from '../../src/log/log-outcome.ts';
import type { LogFile } from '../../src/log/log-segment.ts';
import { type LogReadOptions, readLog } from '../../src/log/log-verdict.ts';
import { LogWriter } from '../../src/log/log-writer.ts';

export const STORE_ID: Uint8Array = Uint8Array.from({ length: 16 }, (_, i) => 0xa0 + i);
export const RECORD_KIND = 1;

export interface RecordSpec {
  readonly payload: string | Uint8Array;
  /** Durable LSN that the record claims; 0 by default. `'before'`: everything before the record. */
  readonly durable?: number | 'before';
  readonly kind?: number;
  /** The ordinal that follows the record before, by default. */
  readonly firstOrdinal?: number;
  readonly count?: number;
}

export interface PlacedRecord {
  readonly file: string;
  readonly offset: number;
  readonly lsn: number;
  /** Offset and LSN behind the record's padding. */
  readonly endOffset: number;
  readonly endLsn: number;
}

export class LogDisk {
  readonly fs: MemoryFileSystem = new MemoryFileSystem();
  readonly files: LogFile[] = [];
  readonly records: PlacedRecord[] = [];
  #nextOrdinal = 1;
  #endLsn = 0;

  /** A log of segments 1, 2, ... holding `segments`' records. */
  static async build(...segments: readonly (readonly RecordSpec[])[]): Promise<LogDisk> {
    const disk = new LogDisk();
    for (const records of segments) await disk.addSegment(records);
    return disk;
  }

  /** Appends a segment that starts where the log ends, or at `startLsn`. */
  async addSegment(records: readonly RecordSpec[], startLsn: number = this.#endLsn): Promise<void> {
    const fileNumber = this.files.length + 1;
    const file = walFileName(fileNumber);
    const header = { magic: WAL_MAGIC, storeId: STORE_ID, fileNumber, startLsn } as const;
    const log = await LogWriter.create(this.fs, '', file, header);
    for (const { payload, durable = 0, kind = RECORD_KIND, count = 1, firstOrdinal } of records) {
      const offset = log.fileBytes;
      const bytes = typeof payload === 'string' ? encodeUtf8(payload) : payload;
      const lsn = log.append([bytes], {
        kind,
        count,
        firstOrdinal: firstOrdinal ?? this.#nextOrdinal,
        durableLsn: durable === 'before' ? log.endLsn : durable,
      });
      this.#nextOrdinal = (firstOrdinal ?? this.#nextOrdinal) + count;
      this.records.push({ file, offset, lsn, endOffset: log.fileBytes, endLsn: log.endLsn });
    }
    this.#endLsn = log.endLsn;
    await log.close();
    this.files.push({ file, fileNumber });
  }

  async read(file: string): Promise<Uint8Array> {
    return this.fs.readFile(`/${file}`);
  }

  /** Overwrites, or extends, a file. */
  async patch(file: string, offset: number, bytes: Uint8Array): Promise<void> {
    const handle = await this.fs.open(`/${file}`, 'write');
    handle.writeSync(bytes, offset);
    await handle.close();
  }

  async flip(file: string, offset: number, mask = 1): Promise<void> {
    const bytes = await this.read(file);
    await this.patch(file, offset, Uint8Array.of(bytes[offset]! ^ mask));
  }

  /** Makes the file hold exactly `bytes`. */
  async replace(file: string, bytes: Uint8Array): Promise<void> {
    const handle = await this.fs.open(`/${file}`, 'write');
    await handle.truncate(0);
    handle.writeSync(bytes, 0);
    await handle.close();
  }

  /** Takes a file out of the log, as if it had been removed. */
  async remove(file: string): Promise<void> {
    await this.fs.unlink(`/${file}`);
    this.files.splice(
      this.files.findIndex((each) => each.file === file),
      1,
    );
  }
}

/** What reading gave: the outcome, and the payloads handed out, as text. */
export interface ReadLogResult extends LogOutcome {
  readonly payloads: readonly string[];
}

export async function readDisk(disk: LogDisk, change: Partial<LogReadOptions> = {}): Promise<ReadLogResult> {
  const payloads: string[] = [];
  const outcome = await readLog(
    {
      fs: disk.fs,
      directory: '',
      magic: WAL_MAGIC,
      storeId: STORE_ID,
      files: disk.files,
      recordKind: RECORD_KIND,
      maxFirstOrdinal: 1,
      ...change,
    },
    ({ payload }) => {
      payloads.push(decodeUtf8(payload));
    },
  );
  return { ...outcome, payloads };
}

/** `end 000001.wal:104`, `torn 000001.wal:104 -8` or `refused 000001.wal:64: why`. */
export function describeVerdict({ verdict }: LogOutcome): string {
  switch (verdict.kind) {
    case 'end':
      return `end ${verdict.file}:${verdict.offset}`;
    case 'torn':
      return `torn ${verdict.file}:${verdict.offset} -${verdict.droppedBytes}`;
    case 'refused':
      return 'file' in verdict.error
        ? `refused ${verdict.error.file}:${verdict.error.offset}: ${verdict.error.message}`
        : `refused ${verdict.error.code}: ${verdict.error.message}`;
  }
}

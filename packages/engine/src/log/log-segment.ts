/** Opening a segment of a log for reading: what its header says, before any record is looked at. */

import { equalBytes } from '@kayadb/codec';
import type { FileHandle, FileSystem } from '@kayadb/vfs';

import { CorruptionError, EngineError } from '../errors.ts';
import { decodeFileHeader, FILE_HEADER_BYTES, type FileHeader, type FileMagic } from '../files/file-header.ts';
import type { FileNumber } from '../key/internal-key.ts';
import { ReadWindow } from './read-window.ts';

/** A file of a log, by its name in the data directory. */
export interface LogFile {
  readonly file: string;
  /** The number in its name. */
  readonly fileNumber: FileNumber;
}

/** Which files a log consists of, and what must be true of all of them. */
export interface LogSource {
  readonly fs: FileSystem;
  readonly directory: string;
  readonly magic: FileMagic;
  readonly storeId: Uint8Array;
  /** In the order of their file numbers. The first is known to have been in use. */
  readonly files: readonly LogFile[];
}

/**
 * - `valid`: records may follow.
 * - `blank`: the header does not verify and nothing but zeros follows it: never used, if its place allows that.
 * - `refused`: damaged, or not readable by this version.
 */
export type SegmentHeader =
  | { readonly kind: 'valid'; readonly fileBytes: number; readonly startLsn: number; readonly seed: number }
  | { readonly kind: 'blank'; readonly fileBytes: number; readonly error: CorruptionError }
  | { readonly kind: 'refused'; readonly fileBytes: number; readonly error: CorruptionError | EngineError };

/** Opens `file`, runs `task` and closes it whatever happens. */
export async function withLogFile<Result>(
  source: Pick<LogSource, 'fs' | 'directory'>,
  file: string,
  task: (handle: FileHandle) => Promise<Result>,
): Promise<Result> {
  const handle = await source.fs.open(`${source.directory}/${file}`, 'read');
  try {
    return await task(handle);
  } finally {
    await handle.close();
  }
}

/** Reads and judges the header of one file of the log. @throws FileSystemError only. */
export function readSegmentHeader(source: LogSource, { file, fileNumber }: LogFile): Promise<SegmentHeader> {
  return withLogFile(source, file, async (handle) => {
    const fileBytes = await handle.size();
    const buffer = new Uint8Array(FILE_HEADER_BYTES);
    const decoded = decodeFileHeader(buffer.subarray(0, await handle.read(buffer, 0)), source.magic);
    if (decoded.kind === 'valid') {
      const strange = describeStranger(source, decoded.header, fileNumber);
      if (strange !== undefined) return { kind: 'refused', fileBytes, error: new CorruptionError(file, 0, strange) };
      return { kind: 'valid', fileBytes, startLsn: decoded.header.startLsn, seed: decoded.seed };
    }
    if (decoded.kind === 'unsupported') {
      const error = new EngineError(
        'KAYA_UNSUPPORTED',
        `${file} cannot be read: ${decoded.reason} (at byte ${decoded.offset})`,
      );
      return { kind: 'refused', fileBytes, error };
    }
    const error = new CorruptionError(file, 0, decoded.reason);
    return { kind: (await isZeroFrom(handle, FILE_HEADER_BYTES)) ? 'blank' : 'refused', fileBytes, error };
  });
}

function describeStranger(source: LogSource, header: FileHeader, fileNumber: FileNumber): string | undefined {
  if (!equalBytes(header.storeId, source.storeId)) return 'the file belongs to another store';
  if (header.fileNumber !== fileNumber) return `the file was written as number ${header.fileNumber}; was it renamed?`;
  return undefined;
}

async function isZeroFrom(handle: FileHandle, start: number): Promise<boolean> {
  const window = new ReadWindow(handle);
  for (let offset = start; ;) {
    const chunk = await window.viewBuffered(offset, 1);
    if (chunk.length === 0) return true;
    if (chunk.some((byte) => byte !== 0)) return false;
    offset += chunk.length;
  }
}

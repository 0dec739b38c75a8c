/**
 * The manifest: a log of version edits, the first of which is the whole state. Format: docs/format/manifest.md.
 *
 * Invariant: an edit is in effect only after it is synced, and nothing is appended behind a tail that was once torn.
 */

import { type FileSystem, isNotFound } from '@kayadb/vfs';

import { CorruptionError, type EngineError } from '../errors.ts';
import { FILE_HEADER_BYTES, MANIFEST_MAGIC } from '../files/file-header.ts';
import { manifestFileName } from '../files/file-names.ts';
import type { FileNumber } from '../key/internal-key.ts';
import type { LogOutcome, LogVerdict } from '../log/log-outcome.ts';
import { readLog } from '../log/log-verdict.ts';
import { LogWriter } from '../log/log-writer.ts';
import { decodeVersionEdit, encodeVersionEdit, VERSION_EDIT_RECORD, type VersionEdit } from './version-edit.ts';

export interface ManifestIdentity {
  readonly storeId: Uint8Array;
  readonly fileNumber: FileNumber;
}

export class ManifestWriter {
  readonly fileNumber: FileNumber;
  readonly #log: LogWriter;
  #nextOrdinal = 1;

  private constructor(fileNumber: FileNumber, log: LogWriter) {
    this.fileNumber = fileNumber;
    this.#log = log;
  }

  /**
   * Creates a manifest that begins with `fullState`: every field that matters and every live table.
   *
   * Durability: the file, its name and the edit survive power loss once it resolves. It is in force only when CURRENT
   * names it. On failure the file may be left behind.
   * @throws FileSystemError
   */
  static async create(
    fs: FileSystem,
    directory: string,
    identity: ManifestIdentity,
    fullState: VersionEdit,
  ): Promise<ManifestWriter> {
    const { storeId, fileNumber } = identity;
    const header = { magic: MANIFEST_MAGIC, storeId, fileNumber, startLsn: 0 } as const;
    const log = await LogWriter.create(fs, directory, manifestFileName(fileNumber), header);
    const writer = new ManifestWriter(fileNumber, log);
    try {
      await writer.append(fullState);
    } catch (error) {
      await log.close().catch(() => undefined);
      throw error;
    }
    return writer;
  }

  /** Bytes of the file. */
  get bytes(): number {
    return this.#log.fileBytes;
  }

  /**
   * Appends and syncs one edit. Requires: no other call in flight. Bound: `MAX_RECORD_PAYLOAD_BYTES` when encoded.
   *
   * Durability: complete once it resolves.
   * @throws FileSystemError KAYA_DISK_FULL from the write when there is no room: the edit is undone and the manifest
   * stays usable. Any other failure leaves the outcome unknown and is final.
   */
  async append(edit: VersionEdit): Promise<void> {
    const firstOrdinal = this.#nextOrdinal;
    const durableLsn = this.#log.durableLsn;
    this.#log.append([encodeVersionEdit(edit)], { kind: VERSION_EDIT_RECORD, firstOrdinal, count: 1, durableLsn });
    this.#nextOrdinal++;
    await this.#log.sync();
  }

  /** Idempotent. */
  async close(): Promise<void> {
    await this.#log.close();
  }
}

/** What a manifest holds, and how it ends. */
export interface ManifestContent {
  readonly editCount: number;
  /** `torn`: the last edit did not verify and was dropped. Whether that is safe the tables and the log will tell. */
  readonly verdict: Exclude<LogVerdict, { readonly kind: 'refused' }>;
}

/**
 * Hands out the edits of a manifest in order; the first is the whole state.
 *
 * @throws CorruptionError when the manifest is missing, damaged before its end, or without a single whole edit.
 * @throws EngineError KAYA_UNSUPPORTED when it was written by a version that knows more.
 */
export async function readManifest(
  fs: FileSystem,
  directory: string,
  identity: ManifestIdentity,
  visit: (edit: VersionEdit) => void,
): Promise<ManifestContent> {
  const { verdict, lastOrdinal } = await inspectManifest(fs, directory, identity, visit);
  if (verdict.kind === 'refused') throw verdict.error;
  return { editCount: lastOrdinal ?? 0, verdict };
}

/** As `readManifest`, but damage is part of the answer: for those who look into a broken store. */
export async function inspectManifest(
  fs: FileSystem,
  directory: string,
  { storeId, fileNumber }: ManifestIdentity,
  visit: (edit: VersionEdit) => void,
): Promise<LogOutcome> {
  const file = manifestFileName(fileNumber);
  const source = { fs, directory, magic: MANIFEST_MAGIC, storeId, files: [{ file, fileNumber }] } as const;
  const expected = { recordKind: VERSION_EDIT_RECORD, maxFirstOrdinal: 1 };
  try {
    const outcome = await readLog({ ...source, ...expected }, ({ payload }) => visit(decodeVersionEdit(payload)));
    if (outcome.verdict.kind === 'refused' || outcome.lastOrdinal !== undefined) return outcome;
    return refuse(outcome, new CorruptionError(file, FILE_HEADER_BYTES, 'not a single whole edit is left'));
  } catch (error) {
    if (!isNotFound(error)) throw error;
    return refuse(
      { files: [], lastOrdinal: undefined },
      new CorruptionError(file, 0, 'CURRENT names it, and it is missing'),
    );
  }
}

function refuse(outcome: Omit<LogOutcome, 'verdict'>, error: CorruptionError | EngineError): LogOutcome {
  return { ...outcome, verdict: { kind: 'refused', error } };
}

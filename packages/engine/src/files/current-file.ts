/** CURRENT: one line of text that names the manifest in force. Format: docs/format/files.md, "CURRENT". */

import { crc32c, decodeUtf8, encodeUtf8 } from '@kayadb/codec';
import { type FileHandle, type FileSystem, isNotFound, publishFile } from '@kayadb/vfs';

import { CorruptionError, EngineError } from '../errors.ts';
import type { FileNumber } from '../key/internal-key.ts';
import { CURRENT_FILE, manifestFileName, parseFileName } from './file-names.ts';

const CURRENT_VERSION = 1;
/** Any version's line: what the CRC covers, the version, the CRC. */
const LINE = /^(kayadb (\d+) .*)([0-9a-f]{8})\n$/;
const FIELDS = /^kayadb 1 ([0-9a-f]{32}) (MANIFEST-\d+) $/;
/** Bound: a longer file is no CURRENT. */
const MAX_CURRENT_BYTES = 256;

export interface CurrentFile {
  readonly storeId: Uint8Array;
  readonly manifestNumber: FileNumber;
}

/** The file's content, ended by a line feed. */
export function encodeCurrent({ storeId, manifestNumber }: CurrentFile): Uint8Array {
  const line = `kayadb ${CURRENT_VERSION} ${Buffer.from(storeId).toString('hex')} ${manifestFileName(manifestNumber)} `;
  return encodeUtf8(`${line}${crcDigits(line)}\n`);
}

/**
 * Reads the file's content.
 *
 * @throws CorruptionError unless it is exactly what `encodeCurrent` writes.
 * @throws EngineError KAYA_UNSUPPORTED for a line that verifies and says another version.
 */
export function parseCurrent(bytes: Uint8Array): CurrentFile {
  const [, covered, version, crc] = LINE.exec(decodeUtf8(bytes)) ?? [];
  if (covered === undefined || crcDigits(covered) !== crc) throw damaged('its line does not verify');
  if (Number(version) !== CURRENT_VERSION) throw unsupported(Number(version));
  const [, storeId, manifest] = FIELDS.exec(covered) ?? [];
  const name = parseFileName(manifest ?? '');
  if (storeId === undefined || name.kind !== 'manifest') throw damaged('its line is not of the known form');
  return { storeId: Uint8Array.from(Buffer.from(storeId, 'hex')), manifestNumber: name.fileNumber };
}

/**
 * Reads CURRENT in `directory`.
 *
 * @returns `undefined` when there is none.
 * @throws CorruptionError or EngineError as `parseCurrent`.
 */
export async function readCurrent(fs: FileSystem, directory: string): Promise<CurrentFile | undefined> {
  let handle: FileHandle;
  try {
    handle = await fs.open(`${directory}/${CURRENT_FILE}`, 'read');
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
  try {
    const buffer = new Uint8Array(MAX_CURRENT_BYTES + 1);
    return parseCurrent(buffer.subarray(0, await handle.read(buffer, 0)));
  } finally {
    await handle.close();
  }
}

/**
 * Replaces CURRENT. Durability: the new content, and only it, survives power loss once this resolves.
 * Requires: the manifest it names is durable.
 */
export async function publishCurrent(fs: FileSystem, directory: string, current: CurrentFile): Promise<void> {
  await publishFile(fs, directory, CURRENT_FILE, encodeCurrent(current));
}

function crcDigits(text: string): string {
  return crc32c(encodeUtf8(text)).toString(16).padStart(8, '0');
}

function damaged(what: string): CorruptionError {
  return new CorruptionError(CURRENT_FILE, 0, `${what}; restore the directory from a backup`);
}

function unsupported(version: number): EngineError {
  return new EngineError(
    'KAYA_UNSUPPORTED',
    `CURRENT says format version ${version}, and this version knows ${CURRENT_VERSION}; open the store with the version that wrote it`,
  );
}

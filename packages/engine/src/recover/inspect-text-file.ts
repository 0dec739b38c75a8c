/** Takes the files apart that are text: CURRENT, a lock, the list of a backup. Formats: docs/format/files.md, docs/format/backup.md. */

import { crc32c, decodeUtf8, encodeUtf8, KayaError } from '@kayadb/codec';
import { decodeLockOwner, type FileHandle } from '@kayadb/vfs';

import { type BackupList, MAX_BACKUP_BYTES, parseBackupList } from '../backup/backup-format.ts';
import { CorruptionError, EngineError } from '../errors.ts';
import { parseCurrent } from '../files/current-file.ts';
import { manifestFileName } from '../files/file-names.ts';
import { plainReason } from './examine-table.ts';
import type {
  BackupListInspection,
  ChecksumState,
  CurrentInspection,
  InspectedChecksums,
  LockInspection,
} from './file-inspection.ts';
import type { FileDamage } from './recovery-report.ts';

/** What all inspections have; the caller adds what could not be read. */
type WithoutUnreadable<Inspection> = Omit<Inspection, 'unreadable'>;

/** Bound: more of a CURRENT or lock is not looked at. */
const MAX_LINE_BYTES = 64 * 1024;

export async function inspectCurrent(handle: FileHandle): Promise<WithoutUnreadable<CurrentInspection>> {
  const content = await readStart(handle, MAX_LINE_BYTES);
  const { value, damage, checksum } = judge(() => parseCurrent(content));
  return {
    kind: 'current',
    bytes: await handle.size(),
    damage,
    checksum,
    ...crcsOf(content),
    formatVersion: versionOf(content, /^kayadb (\d+) /, checksum),
    storeId: value === undefined ? null : hex(value.storeId),
    manifest: value === undefined ? null : manifestFileName(value.manifestNumber),
  };
}

export async function inspectLock(handle: FileHandle): Promise<WithoutUnreadable<LockInspection>> {
  const owner = decodeLockOwner(await readStart(handle, MAX_LINE_BYTES));
  const reason = 'it is not a lock file that can be read';
  return {
    kind: 'lock',
    bytes: await handle.size(),
    damage: owner === undefined ? [{ offset: 0, reason }] : [],
    pid: owner?.pid ?? null,
    host: owner?.host ?? null,
    token: owner?.token ?? null,
    takenAt: owner?.takenAt ?? null,
  };
}

export async function inspectBackupList(handle: FileHandle): Promise<WithoutUnreadable<BackupListInspection>> {
  const content = await readStart(handle, MAX_BACKUP_BYTES + 1);
  const { value, damage, checksum } = judge((): BackupList => parseBackupList(content));
  return {
    kind: 'backup',
    bytes: await handle.size(),
    damage,
    checksum,
    ...crcsOf(content),
    formatVersion: versionOf(content, /^kayadb backup (\d+)\n/, checksum),
    storeId: value === undefined ? null : hex(value.storeId),
    sequence: value?.info.sequence ?? null,
    durableIndex: value?.info.durableIndex ?? null,
    files: value?.files.map(({ name, bytes, crc }) => ({ name, bytes, crc: crcText(crc) })) ?? [],
  };
}

interface Judgement<Value> {
  readonly value: Value | undefined;
  readonly damage: readonly FileDamage[];
  readonly checksum: ChecksumState;
}

function judge<Value>(parse: () => Value): Judgement<Value> {
  try {
    return { value: parse(), damage: [], checksum: 'ok' };
  } catch (error) {
    if (error instanceof CorruptionError) {
      const damage = [{ offset: error.offset, reason: plainReason(error) }];
      return { value: undefined, damage, checksum: 'damaged' };
    }
    if (error instanceof EngineError) return { value: undefined, damage: [], checksum: 'unsupported' };
    if (!(error instanceof KayaError)) throw error;
    return { value: undefined, damage: [{ offset: 0, reason: error.message }], checksum: 'damaged' };
  }
}

/** Both files end in the CRC of everything before it, in 8 digits, and a line feed. */
function crcsOf(content: Uint8Array): InspectedChecksums {
  const [, covered, storedCrc] = /^([^]*)([0-9a-f]{8})\n$/.exec(decodeUtf8(content)) ?? [];
  if (covered === undefined) return { storedCrc: null, computedCrc: null };
  return { storedCrc: storedCrc!, computedCrc: crcText(crc32c(encodeUtf8(covered))) };
}

function versionOf(content: Uint8Array, pattern: RegExp, checksum: ChecksumState): number | null {
  const digits = pattern.exec(decodeUtf8(content))?.[1];
  return digits === undefined || checksum === 'damaged' ? null : Number(digits);
}

async function readStart(handle: FileHandle, maxBytes: number): Promise<Uint8Array> {
  const buffer = new Uint8Array(Math.min(maxBytes, await handle.size()));
  return buffer.subarray(0, await handle.read(buffer, 0));
}

/** 8 hexadecimal digits. */
export function crcText(crc: number): string {
  return crc.toString(16).padStart(8, '0');
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

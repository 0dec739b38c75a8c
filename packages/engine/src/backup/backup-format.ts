/** BACKUP: the list of a backup's files. Format: docs/format/backup.md. */

import { crc32c, decodeUtf8, encodeUtf8 } from '@kayadb/codec';

import { CorruptionError, EngineError } from '../errors.ts';
import { STORE_ID_BYTES } from '../files/file-header.ts';
import { parseFileName } from '../files/file-names.ts';
import type { CheckpointInfo } from '../types.ts';

export const BACKUP_FILE = 'BACKUP';
export const BACKUP_VERSION = 1;
/** What the name of a directory ends in while it is being made. */
export const PARTIAL_SUFFIX = '.partial';
/** Bound: a longer BACKUP is none. Room for a million files. */
export const MAX_BACKUP_BYTES = 64 * 1024 * 1024;

export interface BackedUpFile {
  /** As in the store. */
  readonly name: string;
  readonly bytes: number;
  /** CRC-32C of the whole file. */
  readonly crc: number;
}

export interface BackupList {
  /** 16 bytes. */
  readonly storeId: Uint8Array;
  readonly info: CheckpointInfo;
  /** In the order of names; each once. */
  readonly files: readonly BackedUpFile[];
}

const END = /^([^]*\nend )([0-9a-f]{8})\n$/;
const FIRST_LINE = /^kayadb backup (\d+)\n/;
const HEAD = new RegExp(
  `^kayadb backup ${BACKUP_VERSION}\nstore ([0-9a-f]{${2 * STORE_ID_BYTES}})\nsequence (\\d+)\ndurable-index (\\d+|none)\ntables (\\d+)\nbytes (\\d+)\n`,
);
const FILE_LINE = /^file (\S+) (\d+) ([0-9a-f]{8})$/;

/** The file's content: lines of text, the last of which verifies those before. */
export function encodeBackupList({ storeId, info, files }: BackupList): Uint8Array {
  const { sequence, durableIndex = 'none', tableCount, bytes } = info;
  const lines = [
    `kayadb backup ${BACKUP_VERSION}`,
    `store ${Buffer.from(storeId).toString('hex')}`,
    `sequence ${sequence}`,
    `durable-index ${durableIndex}`,
    `tables ${tableCount}`,
    `bytes ${bytes}`,
    ...files.map((file) => `file ${file.name} ${file.bytes} ${crcDigits(file.crc)}`),
    'end ',
  ];
  const covered = lines.join('\n');
  return encodeUtf8(`${covered}${crcDigits(crc32c(encodeUtf8(covered)))}\n`);
}

/**
 * Reads the file's content.
 *
 * @throws CorruptionError unless it is exactly what `encodeBackupList` writes.
 * @throws EngineError KAYA_UNSUPPORTED for a list that verifies and says another version.
 */
export function parseBackupList(bytes: Uint8Array): BackupList {
  const text = decodeUtf8(bytes);
  const [, covered, crc] = END.exec(text) ?? [];
  if (covered === undefined) throw damaged('its last line is missing');
  const computed = crcDigits(crc32c(encodeUtf8(covered)));
  if (computed !== crc) throw damaged(`its CRC is ${computed}, and its last line says ${crc}`);
  const version = Number(FIRST_LINE.exec(covered)?.[1] ?? BACKUP_VERSION);
  if (version !== BACKUP_VERSION) throw unsupported(version);
  const list = parseLines(covered);
  // What verifies and is spelled otherwise was not written by this version.
  if (list === undefined || decodeUtf8(encodeBackupList(list)) !== text)
    throw damaged('its lines are not of the known form');
  return list;
}

function parseLines(covered: string): BackupList | undefined {
  const [head, storeId, sequence, durableIndex, tableCount, bytes] = HEAD.exec(covered) ?? [];
  if (head === undefined) return undefined;
  const files: BackedUpFile[] = [];
  for (const line of covered.slice(head.length).split('\n').slice(0, -1)) {
    const [, name, fileBytes, crc] = FILE_LINE.exec(line) ?? [];
    if (name === undefined || !isStoreFile(name) || name <= (files.at(-1)?.name ?? '')) return undefined;
    files.push({ name, bytes: Number(fileBytes), crc: Number.parseInt(crc!, 16) });
  }
  const info: CheckpointInfo = {
    sequence: Number(sequence),
    durableIndex: durableIndex === 'none' ? undefined : Number(durableIndex),
    tableCount: Number(tableCount),
    bytes: Number(bytes),
  };
  return { storeId: Uint8Array.from(Buffer.from(storeId!, 'hex')), info, files };
}

/** Whether a store has files of that name; above all, no name leads out of the directory. */
function isStoreFile(name: string): boolean {
  const { kind } = parseFileName(name);
  return kind === 'table' || kind === 'wal' || kind === 'manifest' || kind === 'current';
}

function crcDigits(crc: number): string {
  return crc.toString(16).padStart(8, '0');
}

function damaged(what: string): CorruptionError {
  return new CorruptionError(BACKUP_FILE, 0, `${what}; without it nothing in the backup can be trusted`);
}

function unsupported(version: number): EngineError {
  return new EngineError(
    'KAYA_UNSUPPORTED',
    `BACKUP says format version ${version}, and this version knows ${BACKUP_VERSION}; restore it with the version that wrote it`,
  );
}

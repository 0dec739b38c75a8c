/** The one place where names in the data directory are formatted and parsed. Format: docs/format/files.md. */

import { isLockFileName, TEMPORARY_SUFFIX } from '@kayadb/vfs';

import type { FileNumber } from '../key/internal-key.ts';

export const CURRENT_FILE = 'CURRENT';
export const RESERVE_FILE = 'RESERVE';

const MIN_DIGITS = 6;

/** What a name in the data directory stands for. Only names spelled exactly as the formatters do are recognised. */
export type ParsedFileName =
  | { readonly kind: 'wal' | 'table' | 'manifest'; readonly fileNumber: FileNumber }
  | { readonly kind: 'current' | 'lock' | 'reserve' | 'temporary' | 'unknown' };

const numbered = [
  { kind: 'wal', pattern: /^(\d+)\.wal$/, format: walFileName },
  { kind: 'table', pattern: /^(\d+)\.sst$/, format: tableFileName },
  { kind: 'manifest', pattern: /^MANIFEST-(\d+)$/, format: manifestFileName },
] as const;

/** `000012.wal` */
export function walFileName(fileNumber: FileNumber): string {
  return `${digits(fileNumber)}.wal`;
}

/** `000015.sst` */
export function tableFileName(fileNumber: FileNumber): string {
  return `${digits(fileNumber)}.sst`;
}

/** `MANIFEST-000007` */
export function manifestFileName(fileNumber: FileNumber): string {
  return `MANIFEST-${digits(fileNumber)}`;
}

/** Names come from a directory that anyone may have written to, so every string has an answer. */
export function parseFileName(name: string): ParsedFileName {
  if (name === CURRENT_FILE) return { kind: 'current' };
  if (name === RESERVE_FILE) return { kind: 'reserve' };
  if (isLockFileName(name)) return { kind: 'lock' };
  if (name.endsWith(TEMPORARY_SUFFIX)) return { kind: 'temporary' };
  for (const { kind, pattern, format } of numbered) {
    const fileNumber = Number(pattern.exec(name)?.[1] ?? 0);
    if (Number.isSafeInteger(fileNumber) && fileNumber > 0 && format(fileNumber) === name) return { kind, fileNumber };
  }
  return { kind: 'unknown' };
}

function digits(fileNumber: FileNumber): string {
  return String(fileNumber).padStart(MIN_DIGITS, '0');
}

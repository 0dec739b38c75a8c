/** Takes one log segment, manifest or table apart, by itself and read-only. Page: docs/reference/kayactl.md, "inspect". */

import type { FileHandle, FileSystem } from '@kayadb/vfs';

import { parseFileName } from '../files/file-names.ts';
import { DELETE_KIND, PUT_KIND, RANGE_DELETE_KIND } from '../key/internal-key.ts';
import type { Operation } from '../key/write-batch.ts';
import { recordBytes } from '../log/log-format.ts';
import type { LogRecord } from '../log/log-reader.ts';
import type { VersionEdit } from '../version/version-edit.ts';
import { checkGroup, EditSum, examineLog, type LogExamination } from './examine-log.ts';
import { type ExaminedSection, examineTable } from './examine-table.ts';
import { type HeaderEvidence, readHeaderEvidence } from './file-header-evidence.ts';
import type {
  FileInspection,
  InspectableKind,
  InspectedEdit,
  InspectedHeader,
  InspectedSection,
  InspectedWalRecord,
  ManifestInspection,
  TableInspection,
  WalInspection,
} from './file-inspection.ts';
import { FrozenHandle } from './frozen-handle.ts';
import type { FileDamage } from './recovery-report.ts';

export interface InspectFileOptions {
  /** Shows keys, in hexadecimal. Values are never shown. Default false. */
  readonly showKeys?: boolean;
}

/**
 * Describes every record, edit or block of the file at `path`. Damage is part of the answer.
 *
 * The file alone cannot tell whether it belongs to its store: `inspectStore` does. Bound: memory for one entry per piece.
 *
 * @param kind - What the file should be. A file that neither opens with its magic nor has a name of that kind is `other`.
 * @throws FileSystemError when it cannot be read.
 */
export async function inspectFile(
  fileSystem: FileSystem,
  path: string,
  kind: InspectableKind,
  options: InspectFileOptions = {},
): Promise<FileInspection> {
  const handle = await fileSystem.open(path, 'read');
  try {
    // Whatever a writer appends meanwhile is not looked at.
    const frozen = new FrozenHandle(handle, await handle.size(), 'borrowed');
    const { opensAs } = await readHeaderEvidence(frozen, kind);
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (opensAs !== kind && (opensAs !== undefined || parseFileName(name).kind !== kind)) {
      return { kind: 'other', found: opensAs ?? null };
    }
    const showKey = (key: Uint8Array): string | null => (options.showKeys === true ? hex(key) : null);
    if (kind === 'table') return await inspectTable(frozen, name, showKey);
    return kind === 'wal'
      ? await inspectSegment(frozen, options.showKeys === true)
      : await inspectManifest(frozen, showKey);
  } finally {
    await handle.close();
  }
}

type ShowKey = (key: Uint8Array) => string | null;

async function inspectSegment(handle: FileHandle, showKeys: boolean): Promise<WalInspection> {
  const records: InspectedWalRecord[] = [];
  const examination = await examineLog(handle, 'wal', (record) => {
    const operations: Operation[] = [];
    const wrong = checkGroup(record, (operation) => operations.push(operation));
    records.push(describeRecord(record, operations, showKeys));
    return wrong;
  });
  return { kind: 'wal', ...(await describeLog(handle, examination, true)), records };
}

async function inspectManifest(handle: FileHandle, showKey: ShowKey): Promise<ManifestInspection> {
  const edits: InspectedEdit[] = [];
  const sum = new EditSum();
  const examination = await examineLog(handle, 'manifest', (record) =>
    sum.check(record, (edit) => edits.push(describeEdit(record, edit, showKey))),
  );
  return { kind: 'manifest', ...(await describeLog(handle, examination, false)), edits };
}

async function inspectTable(handle: FileHandle, name: string, showKey: ShowKey): Promise<TableInspection> {
  const sections: InspectedSection[] = [];
  const examination = await examineTable(handle, name, (section) => {
    sections.push(describeSection(section, showKey));
  });
  const { header, damage, properties, entryCount } = examination;
  return {
    kind: 'table',
    bytes: await handle.size(),
    header: describeHeader(header, false),
    damage,
    tornAt: null,
    sections: sections.toSorted((a, b) => a.offset - b.offset),
    entryCount: properties?.entryCount ?? entryCount,
    deleteCount: properties?.deleteCount ?? null,
    firstSequence: properties?.smallestSequence ?? null,
    lastSequence: properties?.largestSequence ?? null,
  };
}

async function describeLog(
  handle: FileHandle,
  { header, gaps, wrongRecords, durableLsn }: LogExamination,
  hasStartLsn: boolean,
): Promise<Pick<WalInspection, 'bytes' | 'header' | 'damage' | 'tornAt' | 'gaps'>> {
  const vouchedFor = gaps.filter(({ lsn }) => durableLsn > lsn);
  const damage: FileDamage[] = [...wrongRecords, ...vouchedFor.map(({ offset, reason }) => ({ offset, reason }))];
  if (header.state === 'damaged') damage.push({ offset: 0, reason: header.reason });
  return {
    bytes: await handle.size(),
    header: describeHeader(header, hasStartLsn),
    damage: damage.toSorted((a, b) => a.offset - b.offset),
    tornAt: gaps.find((gap) => !vouchedFor.includes(gap))?.offset ?? null,
    gaps: gaps.map(({ offset, bytes, reason }) => ({ offset, bytes, reason })),
  };
}

function describeHeader(header: HeaderEvidence, hasStartLsn: boolean): InspectedHeader {
  return {
    checksum: header.state === 'valid' ? 'ok' : header.state,
    formatVersion: header.formatVersion,
    storeId: header.storeId === undefined ? null : hex(header.storeId),
    fileNumber: header.fileNumber ?? null,
    startLsn: hasStartLsn && header.state === 'valid' ? header.startLsn : null,
  };
}

const OPERATION_KINDS = {
  [PUT_KIND]: 'put',
  [DELETE_KIND]: 'delete',
  [RANGE_DELETE_KIND]: 'delete-range',
} as const;

function describeRecord(record: LogRecord, operations: readonly Operation[], showKeys: boolean): InspectedWalRecord {
  const count = (wanted: Operation['kind']): number => operations.filter(({ kind }) => kind === wanted).length;
  const shown = operations.map(({ kind, key, value }) => ({
    kind: OPERATION_KINDS[kind],
    key: hex(key),
    endKey: kind === RANGE_DELETE_KIND && value.length > 0 ? hex(value) : null,
    keyBytes: key.length,
    valueBytes: value.length,
  }));
  return {
    offset: record.offset,
    bytes: recordBytes(record.payloadBytes),
    lsn: record.lsn,
    durableLsn: record.durableLsn,
    firstSequence: record.firstOrdinal,
    count: record.count,
    puts: count(PUT_KIND),
    deletes: count(DELETE_KIND),
    rangeDeletes: count(RANGE_DELETE_KIND),
    operations: showKeys ? shown : null,
  };
}

function describeEdit(record: LogRecord, edit: VersionEdit, showKey: ShowKey): InspectedEdit {
  return {
    offset: record.offset,
    bytes: recordBytes(record.payloadBytes),
    ordinal: record.firstOrdinal,
    nextFileNumber: edit.nextFileNumber ?? null,
    oldestSegment: edit.oldestSegment ?? null,
    flushedSequence: edit.flushedSequence ?? null,
    addedTables: (edit.addedTables ?? []).map(({ level, table }) => ({
      level,
      fileNumber: table.fileNumber,
      fileBytes: table.fileBytes,
      entryCount: table.entryCount,
      deleteCount: table.deleteCount,
      smallestSequence: table.smallestSequence,
      largestSequence: table.largestSequence,
      smallestKey: showKey(table.smallestKey),
      largestKey: showKey(table.largestKey),
      rangeDeletesApplied: table.rangeDeletesApplied ?? null,
    })),
    removedTables: edit.removedTables ?? [],
    cleanClose: edit.cleanClose ?? null,
    addedRangeDeletes: (edit.addedRangeDeletes ?? []).map(({ sequence, start, end }) => ({
      sequence,
      start: showKey(start),
      end: end === undefined ? null : showKey(end),
      hasEnd: end !== undefined,
    })),
    removedRangeDeletes: edit.removedRangeDeletes ?? [],
    durableIndex: edit.durableIndex ?? null,
  };
}

function describeSection(
  { section, offset, bytes, rawBytes, fault, isUnsupported, block }: ExaminedSection,
  showKey: ShowKey,
): InspectedSection {
  const sequences = block === undefined ? [] : Array.from({ length: block.count }, (_, i) => block.sequence(i));
  return {
    section,
    offset,
    bytes,
    rawBytes: rawBytes ?? null,
    checksum: fault === undefined ? 'ok' : isUnsupported ? 'unsupported' : 'damaged',
    entryCount: block?.count ?? null,
    firstSequence: block === undefined ? null : sequences.reduce((a, b) => Math.min(a, b)),
    lastSequence: block === undefined ? null : sequences.reduce((a, b) => Math.max(a, b)),
    firstKey: block === undefined ? null : showKey(block.entry(0).key),
    lastKey: block === undefined ? null : showKey(block.entry(block.count - 1).key),
  };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

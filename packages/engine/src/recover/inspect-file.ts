/** Takes one file of a store apart, by itself and read-only. Page: docs/reference/kayactl.md, "inspect". */

import { assertNever } from '@kayadb/codec';
import type { FileHandle, FileSystem } from '@kayadb/vfs';

import { DELETE_KIND, PUT_KIND, RANGE_DELETE_KIND } from '../key/internal-key.ts';
import type { Operation } from '../key/write-batch.ts';
import { recordBytes } from '../log/log-format.ts';
import type { LogRecord } from '../log/log-reader.ts';
import type { VersionEdit } from '../version/version-edit.ts';
import { detectKind } from './detect-kind.ts';
import { checkGroup, EditSum, examineLog, type LogExamination } from './examine-log.ts';
import type {
  FileInspection,
  InspectableKind,
  InspectedChecksums,
  InspectedEdit,
  InspectedWalRecord,
  ManifestInspection,
  StrangeFile,
  WalInspection,
} from './file-inspection.ts';
import { FrozenHandle } from './frozen-handle.ts';
import { inspectTable, type ShowKey } from './inspect-table.ts';
import { inspectBackupList, inspectCurrent, inspectLock } from './inspect-text-file.ts';
import { describeHeader } from './inspected-header.ts';
import { recordChecksums } from './record-checksums.ts';
import type { FileDamage } from './recovery-report.ts';
import { SkippingHandle } from './skipping-handle.ts';

export interface InspectFileOptions {
  /** Shows keys, in hexadecimal. Values are never shown. Default false. */
  readonly showKeys?: boolean;
}

/**
 * Describes everything in the file at `path`: records, edits, blocks, checksums. Damage is part of the answer, and so are stretches that the
 * operating system does not give: the rest is described all the same.
 *
 * The file alone cannot tell whether it belongs to its store: `inspectStore` does. Bound: memory for one entry per piece.
 *
 * @param kind - What the file should be; `undefined`: what its first bytes or else its name say. A file that is of another kind, or of
 * none, is `other`.
 * @throws FileSystemError when it cannot be opened, or too much of it cannot be read.
 */
export async function inspectFile(
  fileSystem: FileSystem,
  path: string,
  kind?: InspectableKind,
  options: InspectFileOptions = {},
): Promise<FileInspection> {
  const handle = await fileSystem.open(path, 'read');
  try {
    // Whatever a writer appends meanwhile is not looked at.
    const bytes = await handle.size();
    const skipping = new SkippingHandle(new FrozenHandle(handle, bytes, 'borrowed'));
    const name = path.slice(path.lastIndexOf('/') + 1);
    const { byContent, byName } = await detectKind(skipping, name);
    const found = byContent ?? byName;
    const wanted = kind ?? found;
    if (wanted === undefined || (found !== wanted && (byContent !== undefined || byName !== wanted))) {
      return { kind: 'other', found: byContent ?? null };
    }
    const inspection = await inspectAs(wanted, skipping, name, options.showKeys === true);
    // Asked last, when everything has been read.
    return { ...inspection, unreadable: skipping.unreadable(bytes) };
  } finally {
    await handle.close();
  }
}

type Inspection = Exclude<FileInspection, StrangeFile>;
/** Of each kind its inspection, without what is known only in the end. */
type Described = {
  [Kind in InspectableKind]: Omit<Extract<Inspection, { kind: Kind }>, 'unreadable'>;
}[InspectableKind];

async function inspectAs(
  kind: InspectableKind,
  handle: FileHandle,
  name: string,
  showKeys: boolean,
): Promise<Described> {
  const showKey = (key: Uint8Array): string | null => (showKeys ? hex(key) : null);
  switch (kind) {
    case 'table':
      return inspectTable(handle, name, showKey);
    case 'wal':
      return inspectSegment(handle, showKeys);
    case 'manifest':
      return inspectManifest(handle, showKey);
    case 'current':
      return inspectCurrent(handle);
    case 'lock':
      return inspectLock(handle);
    case 'backup':
      return inspectBackupList(handle);
    case 'reserve':
      return { kind, bytes: await handle.size(), damage: [] };
    default:
      return assertNever(kind, 'kind of file');
  }
}

async function inspectSegment(handle: FileHandle, showKeys: boolean): Promise<Omit<WalInspection, 'unreadable'>> {
  const records: Omit<InspectedWalRecord, keyof InspectedChecksums>[] = [];
  const examination = await examineLog(handle, 'wal', (record) => {
    const operations: Operation[] = [];
    const wrong = checkGroup(record, (operation) => operations.push(operation));
    records.push(describeRecord(record, operations, showKeys));
    return wrong;
  });
  const log = await describeLog(handle, examination, true);
  return { kind: 'wal', ...log, records: await withChecksums(handle, records, examination) };
}

async function inspectManifest(handle: FileHandle, showKey: ShowKey): Promise<Omit<ManifestInspection, 'unreadable'>> {
  const edits: Omit<InspectedEdit, keyof InspectedChecksums>[] = [];
  const sum = new EditSum();
  const examination = await examineLog(handle, 'manifest', (record) =>
    sum.check(record, (edit) => edits.push(describeEdit(record, edit, showKey))),
  );
  const log = await describeLog(handle, examination, false);
  return { kind: 'manifest', ...log, edits: await withChecksums(handle, edits, examination) };
}

async function withChecksums<Piece extends { readonly offset: number }>(
  handle: FileHandle,
  pieces: readonly Piece[],
  { header }: LogExamination,
): Promise<readonly (Piece & InspectedChecksums)[]> {
  const described: (Piece & InspectedChecksums)[] = [];
  for (const piece of pieces) {
    described.push({ ...piece, ...(await recordChecksums(handle, piece.offset, header.seeds)) });
  }
  return described;
}

async function describeLog(
  handle: FileHandle,
  examination: LogExamination,
  hasStartLsn: boolean,
): Promise<Pick<WalInspection, 'bytes' | 'header' | 'damage' | 'tornAt' | 'gaps'>> {
  const { header, gaps, wrongRecords, durableLsn } = examination;
  const vouchedFor = gaps.filter(({ lsn }) => durableLsn > lsn);
  const damage: FileDamage[] = [...wrongRecords, ...vouchedFor.map(({ offset, reason }) => ({ offset, reason }))];
  if (header.state === 'damaged') damage.push({ offset: 0, reason: header.reason });
  return {
    bytes: await handle.size(),
    header: describeHeader(header, hasStartLsn),
    damage: damage.toSorted((a, b) => a.offset - b.offset),
    tornAt: gaps.find((gap) => !vouchedFor.includes(gap))?.offset ?? null,
    gaps: await withChecksums(
      handle,
      gaps.map(({ offset, bytes, reason }) => ({ offset, bytes, reason })),
      examination,
    ),
  };
}

const OPERATION_KINDS = {
  [PUT_KIND]: 'put',
  [DELETE_KIND]: 'delete',
  [RANGE_DELETE_KIND]: 'delete-range',
} as const;

function describeRecord(
  record: LogRecord,
  operations: readonly Operation[],
  showKeys: boolean,
): Omit<InspectedWalRecord, keyof InspectedChecksums> {
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

function describeEdit(
  record: LogRecord,
  edit: VersionEdit,
  showKey: ShowKey,
): Omit<InspectedEdit, keyof InspectedChecksums> {
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

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

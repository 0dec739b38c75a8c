/** One table of a store, read whole: as the engine reads it, and by itself where the engine gives up. */

import type { FileHandle } from '@kayadb/vfs';

import { CorruptionError, EngineError } from '../errors.ts';
import type { FileNumber } from '../key/internal-key.ts';
import { isDescribedBy, NOT_DESCRIBED } from '../snapshot/check-table-file.ts';
import { openTable } from '../sstable/open-table.ts';
import type { TableProperties } from '../sstable/table-properties.ts';
import type { TableMeta } from '../version/table-meta.ts';
import type { EvidenceView } from './evidence-view.ts';
import { examineTable, plainReason, type TableExamination } from './examine-table.ts';
import { describeStranger } from './file-header-evidence.ts';
import type { FileDamage } from './recovery-report.ts';

export interface TableEvidence {
  readonly damage: readonly FileDamage[];
  readonly unsupported: string | undefined;
  readonly formatVersion: number | null;
  readonly properties: TableProperties | undefined;
  readonly entryCount: number | undefined;
}

export interface TableToRead {
  readonly view: EvidenceView;
  readonly path: string;
  readonly file: string;
  readonly fileNumber: FileNumber;
  /** What the manifest says of it; `undefined` for a table that no manifest names. */
  readonly meta: TableMeta | undefined;
  /** `undefined` when the store's identity is lost. */
  readonly storeId: Uint8Array | undefined;
}

/** @throws FileSystemError only. */
export async function readTableEvidence(table: TableToRead): Promise<TableEvidence> {
  const handle = await table.view.open(table.path, 'read');
  try {
    const fileBytes = await handle.size();
    const first = await verifyAsEngine(table, handle, fileBytes);
    if (first.damage.length === 0 && first.unsupported === undefined) return first;
    return mergeEvidence(first, await examineTable(handle, table.file), table, fileBytes);
  } finally {
    await handle.close();
  }
}

/** Reads the table through the engine's own reader. Stops at the first damage. */
async function verifyAsEngine(table: TableToRead, handle: FileHandle, fileBytes: number): Promise<TableEvidence> {
  const { view, path, file, fileNumber, meta, storeId } = table;
  const evidence = { damage: [], unsupported: undefined, formatVersion: null, properties: undefined };
  try {
    const expected = {
      storeId: storeId ?? (await ownStoreId(handle, file)),
      fileNumber,
      fileBytes: meta?.fileBytes ?? fileBytes,
    };
    const reader = await openTable(view, path, file, expected);
    try {
      await reader.verify();
    } finally {
      await reader.close();
    }
    const { properties } = reader;
    const damage = meta === undefined || isDescribedBy(meta, properties) ? [] : [{ offset: 0, reason: NOT_DESCRIBED }];
    return { ...evidence, damage, formatVersion: 1, properties, entryCount: properties.entryCount };
  } catch (error) {
    if (error instanceof CorruptionError) {
      return { ...evidence, entryCount: undefined, damage: [{ offset: error.offset, reason: plainReason(error) }] };
    }
    if (error instanceof EngineError) return { ...evidence, entryCount: undefined, unsupported: error.message };
    throw error;
  }
}

async function ownStoreId(handle: FileHandle, file: string): Promise<Uint8Array> {
  const { header } = await examineTable(handle, file);
  return header.storeId ?? new Uint8Array(16);
}

/** Everything that was found either way, each place once. */
function mergeEvidence(
  first: TableEvidence,
  examination: TableExamination,
  { storeId, fileNumber }: TableToRead,
  fileBytes: number,
): TableEvidence {
  const { header, properties, entryCount, unsupported } = examination;
  const stranger = describeStranger(header, { storeId, fileNumber });
  const damage = [...examination.damage];
  if (stranger !== undefined) damage.unshift({ offset: 0, reason: stranger });
  for (const each of first.damage) {
    const isKnown = damage.some(({ offset }) => offset === each.offset);
    if (!isKnown && each.offset <= fileBytes) damage.push(each);
  }
  return {
    damage: damage.toSorted((a, b) => a.offset - b.offset),
    unsupported: damage.length > 0 ? undefined : (first.unsupported ?? unsupported),
    formatVersion: header.formatVersion,
    properties: properties ?? first.properties,
    entryCount: properties?.entryCount ?? entryCount,
  };
}

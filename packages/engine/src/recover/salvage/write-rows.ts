/**
 * The rows that a salvage keeps as a new store: tables of the deepest level, an empty log, a manifest that records a clean close.
 *
 * Durability: everything in the directory survives power loss with it once this resolves; every byte has been read back by then.
 * Bound: memory for the table under way and the one before.
 */

import { AssertionError } from '@kayadb/codec';

import { TableOutput } from '../../compaction/table-output.ts';
import { tableFileName } from '../../files/file-names.ts';
import { encodeEntry } from '../../key/encoded-entry.ts';
import type { Entry, FileNumber, SequenceNumber } from '../../key/internal-key.ts';
import type { Resources } from '../../resources.ts';
import { checkAborted } from '../../snapshot/check-aborted.ts';
import { checkTableFile } from '../../snapshot/check-table-file.ts';
import { writeImage } from '../../snapshot/store-image.ts';
import { openTable } from '../../sstable/open-table.ts';
import { Turn } from '../../turn.ts';
import { LEVEL_COUNT, type TableMeta } from '../../version/table-meta.ts';
import { EMPTY_LEVELS } from '../../version/version.ts';
import { readStore } from '../load-store.ts';
import type { RecoveryProgress, SalvagePolicy } from '../plan/recovery-plan.ts';
import type { StoreEvidence } from '../plan/store-evidence.ts';
import type { RowTally } from '../plan/tally-rows.ts';

/** Size at which a table is left for the next one: what compactions make by default. */
const TABLE_BYTES = 8 * 1024 * 1024;
/** The first segment of the new log; tables may have the numbers before it. */
const ANY_SEGMENT: FileNumber = 1;

export interface RowsToWrite {
  readonly evidence: StoreEvidence;
  readonly policy: SalvagePolicy;
  /** Exists and is empty. */
  readonly directory: string;
  /** 16 bytes. */
  readonly storeId: Uint8Array;
  /** Of the newest write that the new store holds. */
  readonly lastSequence: SequenceNumber;
  readonly expected: Pick<RowTally, 'bytes'>;
  readonly resources: Pick<Resources, 'fileSystem' | 'clock' | 'yieldTurn'>;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: RecoveryProgress) => void;
}

export async function writeRows(job: RowsToWrite): Promise<Pick<RowTally, 'rowCount' | 'bytes'>> {
  const { directory, storeId, lastSequence, resources } = job;
  let nextFileNumber: FileNumber = ANY_SEGMENT;
  const output = new TableOutput({
    fileSystem: resources.fileSystem,
    directory,
    table: { storeId, compression: 'zstd' },
    targetBytes: TABLE_BYTES,
    reserveTable: () => nextFileNumber++,
    releaseTable: () => undefined,
    checkTable: (table) => checkStructure(job, table),
  });
  let written: Pick<RowTally, 'rowCount' | 'bytes'>;
  let tables: readonly TableMeta[];
  try {
    written = await copyRows(job, output);
    tables = await output.finish();
  } catch (error) {
    await output.abandon();
    throw error;
  }
  const levels = EMPTY_LEVELS.map((level, i) => (i === LEVEL_COUNT - 1 ? tables : level));
  const state = {
    nextFileNumber,
    oldestSegment: ANY_SEGMENT,
    flushedSequence: lastSequence,
    rangeDeletes: [],
    levels,
  };
  await writeImage({ storeId, resources }, directory, { state, endLsn: 0 });
  await readBack(job, tables);
  return written;
}

async function copyRows(job: RowsToWrite, output: TableOutput): Promise<Pick<RowTally, 'rowCount' | 'bytes'>> {
  const { evidence, policy, expected, signal, onProgress, resources } = job;
  const turn = new Turn(resources);
  let scratch: Uint8Array = new Uint8Array(4096);
  let rowCount = 0;
  let bytes = 0;

  function add(entry: Entry): Promise<void> | undefined {
    scratch = encodeEntry(entry, scratch);
    rowCount++;
    bytes += entry.key.length + entry.value.length;
    if (rowCount % ROWS_BETWEEN_NEWS === 0) onProgress?.({ phase: 'write', bytes, totalBytes: expected.bytes });
    return output.add(scratch, 0, entry.sequence, true);
  }

  await evidence.walk((row) => {
    if (row.policy !== policy || (row.isDoubtful && policy === 'provable')) return undefined;
    checkAborted(signal, 'the salvage');
    const writing = add(row.entry);
    const pause = turn.step();
    return writing === undefined ? pause : writing.then(() => pause);
  });
  onProgress?.({ phase: 'write', bytes, totalBytes: expected.bytes });
  return { rowCount, bytes };
}

const ROWS_BETWEEN_NEWS = 1024;

async function checkStructure({ directory, storeId, resources }: RowsToWrite, table: TableMeta): Promise<void> {
  const name = tableFileName(table.fileNumber);
  const { fileNumber, fileBytes } = table;
  const reader = await openTable(resources.fileSystem, `${directory}/${name}`, name, {
    storeId,
    fileNumber,
    fileBytes,
  });
  await reader.close();
}

/** As opening does, and every block of every table. */
async function readBack(
  { directory, storeId, lastSequence, resources, signal }: RowsToWrite,
  tables: readonly TableMeta[],
): Promise<void> {
  const turn = new Turn(resources);
  for (const table of tables) {
    await checkTableFile(resources.fileSystem, directory, storeId, table, () => {
      checkAborted(signal, 'the salvage');
      return turn.step();
    });
  }
  const store = await readStore(resources.fileSystem, directory, () => undefined);
  if (store?.wal.lastSequence !== lastSequence)
    throw new AssertionError('a salvaged store ends where it was written to');
}

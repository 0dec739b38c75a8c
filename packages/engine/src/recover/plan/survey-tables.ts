/** Every table that a plan goes by: what of it verifies, what does not, and what may have stood there. */

import { copyBytes } from '@kayadb/codec';
import { type FileHandle, FileSystemError, isNotFound } from '@kayadb/vfs';

import { EngineError } from '../../errors.ts';
import { tableFileName } from '../../files/file-names.ts';
import type { FileNumber } from '../../key/internal-key.ts';
import { isDescribedBy, NOT_DESCRIBED } from '../../snapshot/check-table-file.ts';
import { BLOCK_TRAILER_BYTES } from '../../sstable/sstable-format.ts';
import type { TableProperties } from '../../sstable/table-properties.ts';
import type { TableMeta } from '../../version/table-meta.ts';
import type { EvidenceView } from '../evidence-view.ts';
import { ALL_KEYS, type DamagedPlace, type KeyBounds } from './damaged-place.ts';
import { FoundTable } from './found-table.ts';
import { HeldTables } from './held-tables.ts';
import { numbersOf, type StoreBasis } from './store-basis.ts';

/** Where tables stand that no manifest names: any other place may hold something newer. */
const UNPLACED_RANK: number = Number.MAX_SAFE_INTEGER;

/** A table went away between two looks: the store is in use, and what is known of it is not of one moment. */
export class StoreMoved extends Error {}

export interface SurveyedTable {
  readonly file: string;
  readonly fileNumber: FileNumber;
  readonly bytes: number;
  readonly meta: TableMeta | undefined;
  readonly properties: TableProperties | undefined;
  readonly level: number | null;
  readonly rank: number;
  /** The store's state has it; otherwise only `newest-found` reads it. */
  readonly isNamed: boolean;
  readonly isReadable: boolean;
  readonly isMissing: boolean;
  readonly places: readonly DamagedPlace[];
  /** Why it could not be read here though it may be in order. */
  readonly unreadable: string | undefined;
}

interface PlacedTable {
  readonly fileNumber: FileNumber;
  readonly meta: TableMeta | undefined;
  readonly level: number | null;
  readonly rank: number;
  readonly isNamed: boolean;
}

export interface SurveyOptions {
  /** Names of tables that were read whole already, without finding damage. */
  readonly sound: ReadonlySet<string>;
  /** Takes a table that goes away meanwhile for one that cannot be read, instead of giving up. */
  readonly isLast: boolean;
}

export class TableSurvey {
  readonly #view: EvidenceView;
  readonly #directory: string;
  readonly #basis: StoreBasis;
  readonly #options: SurveyOptions;
  readonly #held: HeldTables;
  #isSurveyed = false;
  tables: readonly SurveyedTable[] = [];

  constructor(view: EvidenceView, directory: string, basis: StoreBasis, options: SurveyOptions) {
    this.#view = view;
    this.#directory = directory;
    this.#basis = basis;
    this.#options = options;
    this.#held = new HeldTables((file) => this.#open(file));
  }

  /** @throws StoreMoved */
  async run(onTable: (bytes: number) => void): Promise<void> {
    const tables: SurveyedTable[] = [];
    for (const placed of this.#place()) {
      const table = await this.#survey(placed);
      tables.push(table);
      onTable(table.bytes);
    }
    this.tables = tables;
    this.#isSurveyed = true;
  }

  /** The table again, to be walked. @returns `undefined` when nothing of it can be read. @throws FileSystemError when it went away. */
  async open(table: SurveyedTable): Promise<FoundTable | undefined> {
    if (!table.isReadable) return undefined;
    const { file, fileNumber } = table;
    const handle = await this.#held.file(file);
    const found = await FoundTable.open({ handle, file, fileNumber, storeId: this.#basis.storeId });
    return found instanceof FoundTable ? found : undefined;
  }

  /** Idempotent. */
  async close(): Promise<void> {
    await this.#held.close();
  }

  /** All that the state names, newest first; then, if the state is not known whole, the others that lie there. */
  #place(): readonly PlacedTable[] {
    const { state, isWhole } = this.#basis;
    const placed: PlacedTable[] = [];
    for (const [level, metas] of (state?.levels ?? []).entries()) {
      for (const [i, meta] of metas.entries()) {
        const rank = level === 0 ? i : state!.levels[0]!.length + level;
        placed.push({ fileNumber: meta.fileNumber, meta, level, rank, isNamed: true });
      }
    }
    if (isWhole) return placed;
    const named = new Set(placed.map(({ fileNumber }) => fileNumber));
    const others = numbersOf(this.#view, 'table').filter((fileNumber) => !named.has(fileNumber));
    const rank = UNPLACED_RANK;
    return [
      ...placed,
      ...others.map((fileNumber) => ({ fileNumber, meta: undefined, level: null, rank, isNamed: false })),
    ];
  }

  async #survey(placed: PlacedTable): Promise<SurveyedTable> {
    const file = tableFileName(placed.fileNumber);
    const isMissing = !this.#view.entries.some(({ name }) => name === file);
    const table = { ...placed, file, bytes: this.#view.bytesOf(file), isMissing, unreadable: undefined };
    const nothing = { ...table, properties: undefined, isReadable: false };
    if (isMissing) return { ...nothing, places: [lostTable(table, 'it is missing')] };
    try {
      const handle = await this.#held.file(file);
      const { fileNumber } = placed;
      const found = await FoundTable.open({ handle, file, fileNumber, storeId: this.#basis.storeId });
      if (!(found instanceof FoundTable))
        return { ...nothing, places: [lostTable(table, `${found.reason} (at offset ${found.offset})`)] };
      const { properties } = found;
      if (placed.meta !== undefined && properties !== undefined && !isDescribedBy(placed.meta, properties)) {
        return { ...nothing, places: [lostTable(table, NOT_DESCRIBED)] };
      }
      const places = this.#options.sound.has(file) ? [] : await findBadBlocks(found, table);
      return { ...table, properties, isReadable: true, places };
    } catch (error) {
      const isRefused =
        error instanceof FileSystemError || (error instanceof EngineError && error.code === 'KAYA_UNSUPPORTED');
      if (!isRefused) throw error;
      const reason = `it cannot be read here: ${error.message}`;
      return { ...nothing, unreadable: error.message, places: [lostTable(table, reason)] };
    }
  }

  async #open(file: string): Promise<FileHandle> {
    try {
      return await this.#view.open(`${this.#directory}/${file}`, 'read');
    } catch (error) {
      const isMoving = isNotFound(error) && !this.#options.isLast && !this.#isSurveyed;
      throw isMoving ? new StoreMoved(`${file} was removed meanwhile`) : error;
    }
  }
}

type LosingTable = Omit<SurveyedTable, 'properties' | 'isReadable' | 'places'>;

/** A table that is not named is not lost: nobody knows that it belongs to the store. */
function lostTable(table: LosingTable, reason: string): DamagedPlace {
  const { file, bytes, level, rank, meta } = table;
  return {
    kind: 'table',
    file,
    offset: 0,
    bytes,
    reason,
    level,
    rank,
    entryCount: meta?.entryCount ?? null,
    firstSequence: meta?.smallestSequence ?? null,
    lastSequence: meta?.largestSequence ?? null,
    bounds: meta === undefined ? ALL_KEYS : { from: meta.smallestKey, isFromExcluded: false, to: meta.largestKey },
  };
}

/** Reads every data block. */
async function findBadBlocks(found: FoundTable, table: LosingTable): Promise<readonly DamagedPlace[]> {
  const { file, level, rank } = table;
  const known = table.meta ?? found.properties;
  const bad: { readonly i: number; readonly reason: string }[] = [];
  let goodEntries = 0;
  for (let i = 0; i < found.blockCount; i++) {
    const block = await found.block(i);
    if (typeof block === 'string') bad.push({ i, reason: block });
    else goodEntries += block.count;
  }
  const places = bad.map(({ i, reason }) => {
    const { offset, storedBytes } = found.handleOf(i);
    return {
      kind: 'block' as const,
      file,
      offset,
      bytes: storedBytes + BLOCK_TRAILER_BYTES,
      reason,
      level,
      rank,
      entryCount: bad.length === 1 && known !== undefined ? known.entryCount - goodEntries : null,
      firstSequence: known?.smallestSequence ?? null,
      lastSequence: known?.largestSequence ?? null,
      bounds: copyBounds(found.boundsOf(i, known?.smallestKey)),
    };
  });
  const missing = known === undefined ? null : known.entryCount - goodEntries;
  if (found.cutShort === undefined || missing === 0) return places;
  return [...places, lostRest(table, found, known, missing)];
}

/** Whatever stood behind the last block that was found without an index. */
function lostRest(
  table: LosingTable,
  found: FoundTable,
  known: TableMeta | TableProperties | undefined,
  entryCount: number | null,
): DamagedPlace {
  const { offset, storedBytes } = found.handleOf(found.blockCount - 1);
  const end = offset + storedBytes + BLOCK_TRAILER_BYTES;
  const from = copyBytes(found.boundsOf(found.blockCount - 1, undefined).to!);
  return {
    ...lostTable(table, `blocks are found up to here only: ${found.cutShort!.reason}`),
    offset: end,
    bytes: table.bytes - end,
    entryCount,
    firstSequence: known?.smallestSequence ?? null,
    lastSequence: known?.largestSequence ?? null,
    bounds: { from, isFromExcluded: true, to: known?.largestKey },
  };
}

function copyBounds({ from, isFromExcluded, to }: KeyBounds): KeyBounds {
  return { from: from && copyBytes(from), isFromExcluded, to: to && copyBytes(to) };
}

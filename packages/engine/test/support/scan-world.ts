/**
 * What scans are made of, without the rest of a store: a history of operations laid down in memtables and tables the way a
 * store would, and a naive reader of the same history.
 */

import { compareBytes, copyBytes, decodeUtf8, encodeUtf8 } from '@kayadb/codec';
import { VirtualClock } from '@kayadb/testkit';
import { InterceptedFileSystem, MemoryFileSystem } from '@kayadb/vfs/testing';

import { tableFileName } from '../../src/files/file-names.ts';
import { openScan, type ScanParts, type ScanRequest } from '../../src/iterate/open-scan.ts';
import type { StoreScan } from '../../src/iterate/store-scan.ts';
import { compareEntries, DELETE_KIND, type Entry, PUT_KIND } from '../../src/key/internal-key.ts';
import { WriteBatch } from '../../src/key/write-batch.ts';
import { Memtable } from '../../src/memtable/memtable.ts';
import { RangeDeleteSet } from '../../src/range-delete/range-delete-set.ts';
import { type RangeDelete, spanHasKey } from '../../src/range-delete/range-delete.ts';
import { BlockCache } from '../../src/sstable/block-cache.ts';
import { TableCache } from '../../src/sstable/table-cache.ts';
import { Tables } from '../../src/sstable/tables.ts';
import { TEST_STORE_ID, writeTable } from '../../src/testing/write-table.ts';
import type { TableMeta } from '../../src/version/table-meta.ts';
import { Version } from '../../src/version/version.ts';

export type ScanOperation =
  | { readonly kind: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly kind: 'delete'; readonly key: Uint8Array }
  | { readonly kind: 'delete-range'; readonly start: Uint8Array; readonly end: Uint8Array | undefined };

/** Operations that were written one after another, and where they are by now: `memtable`, or the tables of a level. */
export interface Layer {
  readonly place: 'memtable' | number;
  readonly operations: readonly ScanOperation[];
}

export interface ScanWorldOptions {
  readonly blockBytes?: number;
  /** Entries in each table of a level below 0. Default 20. */
  readonly tableEntries?: number;
  readonly cacheBytes?: number;
  readonly compression?: 'none' | 'zstd';
  readonly resources?: ScanParts['resources'];
}

const LEVELS = 7;

export class ScanWorld {
  readonly parts: ScanParts;
  /** The newest sequence number. */
  readonly sequence: number;
  /** Calls to the file system since the tables were written. */
  readonly calls: Record<'open' | 'read', number> = { open: 0, read: 0 };
  /** Called before each read of a file, which waits for what it returns. */
  onRead: () => Promise<void> | undefined = () => undefined;
  readonly #operations: readonly ScanOperation[];
  #released = 0;

  /** Not for users: see `create`. */
  private constructor(operations: readonly ScanOperation[], parts: (world: ScanWorld) => ScanParts) {
    this.#operations = operations;
    this.sequence = operations.length;
    this.parts = parts(this);
  }

  /** Requires: layers from the oldest to the newest: deeper levels first, memtables last. */
  static async create(layers: readonly Layer[], options: ScanWorldOptions = {}): Promise<ScanWorld> {
    const disk = new MemoryFileSystem();
    const levels: TableMeta[][] = Array.from({ length: LEVELS }, () => []);
    const runs: Entry[][] = Array.from({ length: LEVELS }, () => []);
    const memtables: Memtable[] = [];
    const rangeDeletes: RangeDelete[] = [];
    let sequence = 1;
    let fileNumber = 1;
    const write = async (level: number, entries: readonly Entry[]): Promise<void> => {
      if (entries.length === 0) return;
      const number = fileNumber++;
      const { compression = 'none', blockBytes = 200 } = options;
      const path = `/${tableFileName(number)}`;
      levels[level]!.unshift(await writeTable(disk, path, entries, { fileNumber: number, compression, blockBytes }));
    };
    for (const { place, operations } of layers) {
      for (const [i, one] of operations.entries()) {
        if (one.kind === 'delete-range') rangeDeletes.push({ start: one.start, end: one.end, sequence: sequence + i });
      }
      if (place === 'memtable') memtables.unshift(fill(new Memtable(), operations, sequence));
      else if (place === 0) await write(0, entriesOf(operations, sequence).toSorted(compareEntries));
      else runs[place]!.push(...entriesOf(operations, sequence));
      sequence += operations.length;
    }
    for (const [level, run] of runs.entries()) {
      for (const entries of splitRun(run.toSorted(compareEntries), options.tableEntries ?? 20)) {
        await write(level, entries);
      }
      if (level > 0) levels[level]!.reverse();
    }
    const all = layers.flatMap(({ operations }) => operations);
    return new ScanWorld(all, (world) => {
      const fs = new InterceptedFileSystem(disk, {
        call: async (operation, run) => {
          if (operation.kind === 'open') world.calls.open++;
          if (operation.kind === 'read') {
            world.calls.read++;
            await world.onRead();
          }
          return run();
        },
        callSync: (operation, run) => {
          if (operation.kind === 'open') world.calls.open++;
          if (operation.kind === 'read') world.calls.read++;
          return run();
        },
      });
      const blockCache = new BlockCache(options.cacheBytes ?? 1_000_000);
      const cache = new TableCache({ fs, directory: '', storeId: TEST_STORE_ID, blockCache, maxOpenTables: 100 });
      return {
        memtables: { all: () => memtables },
        versions: { current: new Version(levels, () => world.#released++) },
        tables: new Tables(cache),
        rangeDeletes: { current: new RangeDeleteSet(rangeDeletes) },
        resources: options.resources ?? { clock: new VirtualClock(), yieldTurn: () => Promise.resolve() },
      };
    });
  }

  /** How often the version was given back by the last of its users. */
  get released(): number {
    return this.#released;
  }

  /** A forward scan of everything, as bytes, unless `request` says otherwise. */
  scan<Item = { key: Uint8Array; value: Uint8Array }>(request: Partial<ScanRequest> = {}): StoreScan<Item> {
    return openScan<Item>(this.parts, {
      direction: 'forward',
      sequence: this.sequence,
      bounds: {},
      limit: Infinity,
      limitBytes: Infinity,
      keyEncoding: 'bytes',
      valueEncoding: 'bytes',
      want: 'rows',
      onEnd: () => undefined,
      ...request,
    });
  }

  /** The rows at `sequence`, ascending, found by doing everything again in a map. */
  naiveRows(sequence: number = this.sequence): readonly { readonly key: Uint8Array; readonly value: Uint8Array }[] {
    const rows = new Map<string, { readonly key: Uint8Array; readonly value: Uint8Array }>();
    for (const operation of this.#operations.slice(0, sequence)) {
      if (operation.kind === 'put') rows.set(nameOf(operation.key), operation);
      else if (operation.kind === 'delete') rows.delete(nameOf(operation.key));
      else for (const [name, { key }] of rows) if (spanHasKey(operation, key)) rows.delete(name);
    }
    return [...rows.values()].toSorted((a, b) => compareBytes(a.key, b.key));
  }
}

export function putOperation(key: string, value = `value of ${key}`): ScanOperation {
  return { kind: 'put', key: encodeUtf8(key), value: encodeUtf8(value) };
}

export function deleteOperation(key: string): ScanOperation {
  return { kind: 'delete', key: encodeUtf8(key) };
}

export function deleteRangeOperation(start: string, end?: string): ScanOperation {
  return { kind: 'delete-range', start: encodeUtf8(start), end: end === undefined ? undefined : encodeUtf8(end) };
}

/** `key-000007` for 7. */
export function numberedKey(number: number): string {
  return `key-${String(number).padStart(6, '0')}`;
}

/** All that is left, row by row as `key=value`. */
export async function readRows(scan: AsyncIterable<{ key: Uint8Array; value: Uint8Array }>): Promise<string[]> {
  const rows: string[] = [];
  for await (const { key, value } of scan) rows.push(`${decodeUtf8(key)}=${decodeUtf8(value)}`);
  return rows;
}

function nameOf(key: Uint8Array): string {
  return key.join(',');
}

function fill(memtable: Memtable, operations: readonly ScanOperation[], firstSequence: number): Memtable {
  const batch = new WriteBatch();
  for (const operation of operations) {
    if (operation.kind === 'put') batch.put(operation.key, operation.value);
    else if (operation.kind === 'delete') batch.delete(operation.key);
    else batch.deleteRange(operation.start, operation.end);
  }
  if (batch.count > 0) memtable.insert(copyBytes(batch.bytes), firstSequence);
  return memtable;
}

function entriesOf(operations: readonly ScanOperation[], firstSequence: number): Entry[] {
  return operations.flatMap((operation, i): Entry[] => {
    const sequence = firstSequence + i;
    if (operation.kind === 'put') return [{ ...operation, sequence, kind: PUT_KIND }];
    if (operation.kind === 'delete') {
      return [{ key: operation.key, sequence, kind: DELETE_KIND, value: new Uint8Array(0) }];
    }
    return [];
  });
}

/** Pieces of about `size` entries; versions of one key stay together, as a level has them. */
function splitRun(entries: readonly Entry[], size: number): readonly (readonly Entry[])[] {
  const pieces: Entry[][] = [];
  for (const entry of entries) {
    const last = pieces.at(-1);
    const isFull = last === undefined || (last.length >= size && compareBytes(last.at(-1)!.key, entry.key) !== 0);
    if (isFull) pieces.push([entry]);
    else last.push(entry);
  }
  return pieces;
}

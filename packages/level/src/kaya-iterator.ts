/** The iterators of a Level database: entries, keys only, values only. Each reads one state of the store, that of its creation. */

import type { Encoding, Engine, KeyRange, ReadOptions, Row, Scan } from '@kayadb/engine';
import {
  AbstractIterator,
  type AbstractIteratorOptions,
  AbstractKeyIterator,
  AbstractValueIterator,
} from 'abstract-level';

import { engineEncoding, type Entry, entryFormatter, type Formatted, keyFormatter, valueFormatter } from './formats.ts';
import type { KayaLevel } from './kaya-level.ts';
import { KeyBounds } from './key-bounds.ts';
import { type LevelKey, toEngineKey } from './level-key.ts';
import { type PrivateIteratorOptions, toKeyRange, toReadOptions } from './level-options.ts';
import { RowReader } from './row-reader.ts';

type Database = KayaLevel<unknown, unknown>;
type PublicOptions = AbstractIteratorOptions<unknown, unknown>;

export class KayaIterator extends AbstractIterator<Database, unknown, unknown> {
  readonly #rows: RowReader<Entry>;

  constructor(db: Database, engine: Engine, options: PrivateIteratorOptions) {
    super(db, options as PublicOptions);
    this.#rows = openEntries(engine, options);
  }

  _next(): Entry | undefined | Promise<Entry | undefined> {
    return this.#rows.next(this.limit - this.count);
  }

  _nextv(size: number): readonly Entry[] | Promise<readonly Entry[]> {
    return this.#rows.nextBatch(size);
  }

  _seek(target: LevelKey): void {
    this.#rows.seek(toEngineKey(target));
  }

  _close(): Promise<void> {
    return this.#rows.close();
  }
}

export class KayaKeyIterator extends AbstractKeyIterator<Database, unknown> {
  readonly #rows: RowReader<Formatted>;

  constructor(db: Database, engine: Engine, options: PrivateIteratorOptions) {
    super(db, options as PublicOptions);
    this.#rows = openReader(engine, options, scanKeys, keyFormatter(options.keyEncoding));
  }

  _next(): Formatted | undefined | Promise<Formatted | undefined> {
    return this.#rows.next(this.limit - this.count);
  }

  _nextv(size: number): readonly Formatted[] | Promise<readonly Formatted[]> {
    return this.#rows.nextBatch(size);
  }

  _seek(target: LevelKey): void {
    this.#rows.seek(toEngineKey(target));
  }

  _close(): Promise<void> {
    return this.#rows.close();
  }
}

export class KayaValueIterator extends AbstractValueIterator<Database, unknown, unknown> {
  readonly #rows: RowReader<Formatted>;

  constructor(db: Database, engine: Engine, options: PrivateIteratorOptions) {
    super(db, options as PublicOptions);
    this.#rows = openReader(engine, options, scanValues, valueFormatter(options.valueEncoding));
  }

  _next(): Formatted | undefined | Promise<Formatted | undefined> {
    return this.#rows.next(this.limit - this.count);
  }

  _nextv(size: number): readonly Formatted[] | Promise<readonly Formatted[]> {
    return this.#rows.nextBatch(size);
  }

  _seek(target: LevelKey): void {
    this.#rows.seek(toEngineKey(target));
  }

  _close(): Promise<void> {
    return this.#rows.close();
  }
}

/** An entry iterator reads no more than its `keys` and `values` options ask for. */
function openEntries(engine: Engine, options: PrivateIteratorOptions): RowReader<Entry> {
  const { keyEncoding, valueEncoding } = options;
  if (options.values === false) {
    const format = keyFormatter(keyEncoding);
    return openReader(engine, options, scanKeys, (key: Formatted): Entry => [format(key), undefined]);
  }
  if (options.keys === false) {
    const format = valueFormatter(valueEncoding);
    const toEntry = (value: Formatted): Entry => [undefined, format === undefined ? value : format(value)];
    return openReader(engine, options, scanValues, toEntry);
  }
  return openReader(engine, options, scanRows, entryFormatter(keyEncoding, valueEncoding));
}

type OpenScan<In> = (engine: Engine, range: ScanRange, options: PrivateIteratorOptions) => Scan<In>;
type ScanRange = KeyRange & ReadOptions & { readonly reverse: boolean };

function scanRows(engine: Engine, range: ScanRange, options: PrivateIteratorOptions): Scan<Row<Encoding, Encoding>> {
  const keyEncoding = engineEncoding(options.keyEncoding);
  return engine.scan({ ...range, keyEncoding, valueEncoding: engineEncoding(options.valueEncoding) });
}

function scanKeys(engine: Engine, range: ScanRange, { keyEncoding }: PrivateIteratorOptions): Scan<Formatted> {
  return engine.keys({ ...range, keyEncoding: engineEncoding(keyEncoding) });
}

function scanValues(engine: Engine, range: ScanRange, { valueEncoding }: PrivateIteratorOptions): Scan<Formatted> {
  return engine.values({ ...range, valueEncoding: engineEncoding(valueEncoding) });
}

/**
 * Without a snapshot given, takes one, so that every scan for the iterator reads the state of its creation.
 * The limit is abstract-level's to keep: rows that a seek drops must not count.
 */
function openReader<In, Item>(
  engine: Engine,
  options: PrivateIteratorOptions,
  openScan: OpenScan<In>,
  format: ((row: In) => Item) | undefined,
): RowReader<Item> {
  const { snapshot, reverse, signal } = options;
  const bounds = new KeyBounds(toKeyRange(options));
  const own = snapshot === undefined || snapshot === null ? engine.snapshot() : undefined;
  return new RowReader({
    open: () =>
      openScan(engine, { ...bounds.range, ...(own ? { snapshot: own } : toReadOptions(snapshot)), reverse }, options),
    format: format as ((row: unknown) => Item) | undefined,
    bounds,
    signal: signal ?? undefined,
    release: () => own?.close(),
  });
}

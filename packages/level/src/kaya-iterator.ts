/** The iterators of a Level database: entries, keys only, values only. Each reads one state of the store, that of its creation. */

import type { Engine, KeyRange, ReadOptions, Scan } from '@kayadb/engine';
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
    this.#rows = openReader(openKeys(engine, options), keyFormatter(options.keyEncoding), options);
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
    this.#rows = openReader(openValues(engine, options), valueFormatter(options.valueEncoding), options);
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
    return openReader(openKeys(engine, options), (key): Entry => [format(key), undefined], options);
  }
  if (options.keys === false) {
    const format = valueFormatter(valueEncoding);
    const toEntry = (value: Formatted): Entry => [undefined, format === undefined ? value : format(value)];
    return openReader(openValues(engine, options), toEntry, options);
  }
  const scan = engine.scan({
    ...toScanOptions(options),
    keyEncoding: engineEncoding(keyEncoding),
    valueEncoding: engineEncoding(valueEncoding),
  });
  return openReader(scan, entryFormatter(keyEncoding, valueEncoding), options);
}

function openKeys(engine: Engine, options: PrivateIteratorOptions): Scan<Formatted> {
  return engine.keys({ ...toScanOptions(options), keyEncoding: engineEncoding(options.keyEncoding) });
}

function openValues(engine: Engine, options: PrivateIteratorOptions): Scan<Formatted> {
  return engine.values({ ...toScanOptions(options), valueEncoding: engineEncoding(options.valueEncoding) });
}

/** The limit is abstract-level's to keep: rows that a seek drops must not count. */
function toScanOptions(options: PrivateIteratorOptions): KeyRange & ReadOptions & { readonly reverse: boolean } {
  return { ...toKeyRange(options), ...toReadOptions(options.snapshot), reverse: options.reverse };
}

function openReader<Row, Item>(
  scan: Scan<Row>,
  format: ((row: Row) => Item) | undefined,
  options: PrivateIteratorOptions,
): RowReader<Item> {
  return new RowReader({
    scan,
    format: format as ((row: unknown) => Item) | undefined,
    bounds: new KeyBounds(toKeyRange(options)),
    signal: options.signal ?? undefined,
  });
}

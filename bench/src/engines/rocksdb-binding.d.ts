/** The `rocksdb` binding, which has no types of its own: the part that is used here. */

declare module 'rocksdb' {
  type Callback<Result> = (error: Error | null | undefined, result: Result) => void;

  interface RocksIterator<Item> extends AsyncIterable<[Item, Item]> {
    next(callback: (error: Error | null | undefined, key?: Item, value?: Item) => void): void;
    end(callback: Callback<void>): void;
  }

  interface Rocks {
    open(options: object, callback: Callback<void>): void;
    close(callback: Callback<void>): void;
    batch(operations: readonly object[], callback: Callback<void>): void;
    put(key: Buffer, value: Buffer, options: object, callback: Callback<void>): void;
    get(key: Buffer, callback: Callback<Buffer>): void;
    getMany(keys: readonly Buffer[], callback: Callback<readonly (Buffer | undefined)[]>): void;
    compactRange(start: Buffer, end: Buffer, callback: Callback<void>): void;
    iterator(options: object): RocksIterator<Buffer> & RocksIterator<string>;
  }

  const createStore: (directory: string) => Rocks;
  export { type Callback, type Rocks, type RocksIterator, createStore as default };
}

/** A member of a group in memory, whose writes, confirmations, gets and pages can be held up and made to fail. */

import { compareBytes, type Freshness, type PageRow, type Row2, type Write, type WriteAnswer } from '@kayadb/codec';

import type { ManyRows, Replica, RowScan, RowScanOptions, SessionGrant } from '../../src/replica/replica.ts';

export const TERM = 3;

/** What is held up until it is released. */
class Gate {
  readonly #waiting: (() => void)[] = [];
  #isShut = false;

  get waiting(): number {
    return this.#waiting.length;
  }

  shut(): void {
    this.#isShut = true;
  }

  open(): void {
    this.#isShut = false;
    for (const pass of this.#waiting.splice(0)) pass();
  }

  /** Lets one pass, the one that came last first. */
  openForLast(): void {
    this.#waiting.pop()?.();
  }

  async pass(): Promise<void> {
    if (!this.#isShut) return;
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
    });
  }
}

export class MemoryReplica implements Replica {
  readonly nodeId = 1;
  readonly rows = new Map<string, PageRow>();
  /** In the order in which they were proposed. */
  readonly proposed: Write[] = [];
  readonly freshness: Freshness[] = [];
  readonly writes: Gate = new Gate();
  readonly confirmations: Gate = new Gate();
  readonly gets: Gate = new Gate();
  readonly pages: Gate = new Gate();
  writeFailure: Error | undefined;
  readFailure: Error | undefined;
  getFailure: Error | undefined;
  pageFailure: Error | undefined;
  /** How often a lease has lapsed behind a read that is to come. */
  lapses = 0;
  getCount = 0;
  pageCount = 0;
  openScans = 0;
  /** In place of the rows. */
  scanSource: ((options: RowScanOptions) => RowScan) | undefined;
  #revision = 0;

  load(key: Uint8Array | string, value: Uint8Array | string): void {
    const row = { key: Buffer.from(key), value: Buffer.from(value), revision: ++this.#revision };
    this.rows.set(hex(row.key), { key: plain(row.key), value: plain(row.value), revision: row.revision });
  }

  async write(write: Write): Promise<WriteAnswer> {
    this.proposed.push(write);
    if (this.writeFailure !== undefined) throw this.writeFailure;
    await this.writes.pass();
    const revision = ++this.#revision;
    const failed = write.conditions.findIndex((condition) => {
      const row = this.rows.get(hex(condition.key));
      if (condition.kind === 'exists') return (row !== undefined) !== condition.exists;
      if (condition.kind === 'value') return row === undefined || compareBytes(row.value, condition.value) !== 0;
      return (row?.revision ?? 0) !== condition.revision;
    });
    for (const operation of failed < 0 ? write.operations : write.otherwise) {
      if (operation.kind === 'put') this.rows.set(hex(operation.key), { ...operation, revision });
      else if (operation.kind === 'delete') this.rows.delete(hex(operation.key));
    }
    return { revision, term: TERM, failed: failed < 0 ? undefined : failed };
  }

  async openSession(expiryMs: number): Promise<SessionGrant> {
    if (this.writeFailure !== undefined) throw this.writeFailure;
    return { session: ++this.#revision, expiryMs: expiryMs === 0 ? 3_600_000 : expiryMs };
  }

  async touchSession(): Promise<void> {
    if (this.writeFailure !== undefined) throw this.writeFailure;
  }

  async closeSession(): Promise<void> {
    if (this.writeFailure !== undefined) throw this.writeFailure;
  }

  async read<T>(freshness: Freshness, task: () => Promise<T>): Promise<T> {
    this.freshness.push(freshness);
    await this.confirmations.pass();
    if (this.readFailure !== undefined) throw this.readFailure;
    while (this.lapses-- > 0) await task();
    return task();
  }

  async get(key: Uint8Array): Promise<Row2 | undefined> {
    this.getCount++;
    await this.gets.pass();
    if (this.getFailure !== undefined) throw this.getFailure;
    const row = this.rows.get(hex(key));
    return row && { value: row.value, revision: row.revision };
  }

  async getMany(keys: readonly Uint8Array[], maxBytes: number): Promise<ManyRows> {
    const rows = await Promise.all(keys.map((key) => this.get(key)));
    const bytes = rows.reduce((sum, row) => sum + (row?.value.length ?? 0), 0);
    return bytes > maxBytes ? 'too-large' : rows;
  }

  scan(options: RowScanOptions): RowScan {
    this.openScans++;
    const inner = this.scanSource?.(options) ?? new MemoryScan(this.#revision, this.#select(options));
    return {
      revision: inner.revision,
      next: async (maxBytes, maxRows) => {
        this.pageCount++;
        await this.pages.pass();
        if (this.pageFailure !== undefined) throw this.pageFailure;
        return inner.next(maxBytes, maxRows);
      },
      close: async () => {
        this.openScans--;
        await inner.close();
      },
    };
  }

  #select({ range, isDescending, isWithoutValues, limit }: RowScanOptions): PageRow[] {
    const { from, isFromExclusive, to, isToInclusive } = range;
    const rows = Array.from(this.rows.values())
      .filter(({ key }) => compareBytes(key, from) >= (isFromExclusive ? 1 : 0))
      .filter(({ key }) => to.length === 0 || compareBytes(key, to) < (isToInclusive ? 1 : 0))
      .toSorted((a, b) => compareBytes(a.key, b.key) * (isDescending ? -1 : 1))
      .map((row) => (isWithoutValues ? { ...row, value: new Uint8Array(0) } : row));
    return limit === 0 ? rows : rows.slice(0, limit);
  }
}

class MemoryScan implements RowScan {
  readonly revision: number;
  readonly #rows: PageRow[];

  constructor(revision: number, rows: PageRow[]) {
    this.revision = revision;
    this.#rows = rows;
  }

  async next(maxBytes: number, maxRows: number): ReturnType<RowScan['next']> {
    const rows: PageRow[] = [];
    for (let bytes = 0; bytes < maxBytes && rows.length < maxRows;) {
      const row = this.#rows.shift();
      if (row === undefined) return { rows, isLast: true };
      bytes += row.key.length + row.value.length;
      rows.push(row);
    }
    return { rows, isLast: false };
  }

  async close(): Promise<void> {}
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

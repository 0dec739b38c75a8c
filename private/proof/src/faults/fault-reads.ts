/** Reads of a store on a disk that fails: each may fail with a typed error, and none may give another answer than the model. */

import { assertNever } from '@kayadb/codec';
import type { Engine, Scan, Snapshot } from '@kayadb/engine';

import { type Content, sameContent } from '../workload/workload.ts';
import { contentOf, describeContent } from './content-of.ts';
import { diskCause } from './typed-errors.ts';

export type ReadKind = 'verify' | 'scan' | 'reverse-scan' | 'gets' | 'size' | 'snapshot' | 'cursor';

export interface FaultReadsOptions {
  /** Runs one read. @returns `undefined` when it fails as it may. */
  readonly attempt: <Result>(work: () => Promise<Result>) => Promise<Result | undefined>;
  /** Told of each answer that contradicts the model. */
  readonly find: (what: string) => void;
}

type Rows = Scan<{ readonly key: string; readonly value: string }>;

export class FaultReads {
  readonly #options: FaultReadsOptions;
  #snapshot: { readonly snapshot: Snapshot; readonly content: Content } | undefined;
  #cursor: { readonly scan: Rows; readonly rows: Map<string, string>; readonly content: Content } | undefined;

  constructor(options: FaultReadsOptions) {
    this.#options = options;
  }

  /** Snapshot and cursor of a store that is closed. */
  forget(): void {
    this.#snapshot = undefined;
    this.#cursor = undefined;
  }

  /** @param visible - What the store holds. */
  async read(kind: ReadKind, engine: Engine, visible: Content): Promise<void> {
    const { attempt } = this.#options;
    switch (kind) {
      case 'scan':
        return this.#expectContent(await attempt(() => contentOf(engine)), visible);
      case 'reverse-scan':
        return this.#expectContent(await attempt(() => contentOf(engine, { reverse: true })), visible);
      case 'gets':
        for (const key of ['k1', 'k21', 'k4', 'k5', 'k9', 'none']) await this.#get(engine, key, visible.get(key));
        return undefined;
      case 'size':
        await attempt(() => engine.approximateSize({ prefix: 'k' }));
        return undefined;
      case 'verify':
        return this.#verify(engine);
      case 'snapshot':
        return this.#moveSnapshot(engine, visible);
      case 'cursor':
        return this.#moveCursor(engine, visible);
      default:
        return assertNever(kind, 'read');
    }
  }

  async #get(engine: Engine, key: string, expected: string | undefined): Promise<void> {
    const answers = await this.#options.attempt(async () => {
      const [value, [again], has] = [await engine.get(key), await engine.getMany([key]), await engine.has(key)];
      return { values: [value, again].map((bytes) => bytes && Buffer.from(bytes).toString()), has };
    });
    if (answers === undefined) return;
    const isRight = answers.values.every((value) => value === expected) && answers.has === (expected !== undefined);
    if (!isRight) this.#options.find(`get of ${key} answers ${JSON.stringify(answers)}`);
  }

  /** What the disk does not give counts as damage too. */
  async #verify(engine: Engine): Promise<void> {
    const report = await this.#options.attempt(() => engine.verify());
    const damage = (report?.damage ?? []).filter(({ cause }) => diskCause(cause) === undefined);
    for (const { message } of damage) this.#options.find(`finds damage: ${message}`);
  }

  /** Reads the snapshot before, and takes the next one. */
  async #moveSnapshot(engine: Engine, visible: Content): Promise<void> {
    const before = this.#snapshot;
    this.#snapshot = { snapshot: engine.snapshot(), content: visible };
    if (before === undefined) return;
    const found = await this.#options.attempt(() => contentOf(engine, { snapshot: before.snapshot }));
    this.#expectContent(found, before.content);
    before.snapshot.close();
  }

  /** Reads the scan before to its end, and begins the next one: tables that were merged away meanwhile are still read. */
  async #moveCursor(engine: Engine, visible: Content): Promise<void> {
    const before = this.#cursor;
    const scan: Rows = engine.scan({ keyEncoding: 'utf8', valueEncoding: 'utf8' });
    const first = await this.#options.attempt(() => scan.nextBatch(1));
    const rows = new Map((first ?? []).map(({ key, value }) => [key, value]));
    this.#cursor = first === undefined ? undefined : { scan, rows, content: visible };
    if (before === undefined) return;
    const isWhole = await this.#options.attempt(async () => {
      for await (const { key, value } of before.scan) before.rows.set(key, value);
      return true;
    });
    if (isWhole === true) this.#expectContent(before.rows, before.content);
  }

  #expectContent(found: Content | undefined, expected: Content): void {
    if (found === undefined || sameContent(found, expected)) return;
    this.#options.find(`reads ${describeContent(found)}, not ${describeContent(expected)}`);
  }
}

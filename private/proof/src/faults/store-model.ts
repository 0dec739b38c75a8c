/**
 * What a store on a failing disk may hold, kept beside it. A write that failed may be there after the next opening, whole, if its outcome
 * was unknown; never before. A write that was acknowledged is there, except that power loss takes back the last ones that were not durable.
 */

import { KayaError } from '@kayadb/codec';
import type { Engine, WriteOptions } from '@kayadb/engine';

import { applyWrite, type Content, sameContent, toOperations, type WorkloadWriteOp } from '../workload/workload.ts';

/** A write, and whether it comes under a condition: that its first key has the value that it has. */
export interface ModelWrite {
  readonly op: WorkloadWriteOp;
  readonly isConditional: boolean;
}

export interface StoreModel {
  /** What readers see. */
  readonly visible: Content;
  /** Makes the write. With an external log first those before it that failed. @throws What the engine fails with. */
  write(engine: Engine, write: ModelWrite): Promise<void>;
  /** Tries a conditional write whose condition does not hold. @returns Whether it was refused, as it should be. */
  writeUnmet(engine: Engine, op: WorkloadWriteOp): Promise<boolean>;
  /** Everything acknowledged survives power loss from now on. */
  noteDurable(): void;
  /**
   * Whether a store that was opened after this one ended may hold `found`.
   *
   * @param isLossy - Whether what was not durable may be gone: after power loss, or when the disk has dropped pages.
   */
  allows(engine: Engine, found: Content, isLossy: boolean): boolean;
  /** From now on the store is the one that was opened with `found`. */
  adopt(engine: Engine, found: Content): void;
  fork(): StoreModel;
}

/** Of a store with a log of its own. */
export class OwnLogModel implements StoreModel {
  readonly #isStrict: boolean;
  visible: Content = new Map();
  /** What was visible, since the last state that is durable, which comes first. */
  #states: Content[] = [this.visible];
  /** With the write that is under way, or the one whose outcome is unknown: later ones are refused without being tried. */
  #uncertain: Content | undefined;

  /** @param isStrict - Whether what is acknowledged is durable, whatever else the acknowledgement says. */
  constructor(isStrict: boolean) {
    this.#isStrict = isStrict;
  }

  async write(engine: Engine, { op, isConditional }: ModelWrite): Promise<void> {
    const before = this.#uncertain;
    const after = applyWrite(this.visible, op);
    this.#uncertain ??= after;
    try {
      const result = isConditional ? await this.#writeIf(engine, op) : await engine.batch(toOperations(op));
      this.visible = after;
      this.#states = result.durable || this.#isStrict ? [after] : [...this.#states, after];
      this.#uncertain = before;
    } catch (error) {
      if (isUndoneWrite(error)) this.#uncertain = before;
      throw error;
    }
  }

  async writeUnmet(engine: Engine, op: WorkloadWriteOp): Promise<boolean> {
    const { applied } = await engine.compareAndBatch(unmetCondition(this.visible, op), toOperations(op));
    return !applied;
  }

  noteDurable(): void {
    this.#states = [this.visible];
  }

  allows(_engine: Engine, found: Content, isLossy: boolean): boolean {
    const states = isLossy ? this.#states : [this.visible];
    return [...states, ...(this.#uncertain === undefined ? [] : [this.#uncertain])].some((state) =>
      sameContent(state, found),
    );
  }

  adopt(_engine: Engine, found: Content): void {
    this.visible = found;
    this.#uncertain = undefined;
    // Opening makes durable what it finds.
    this.#states = [found];
  }

  fork(): StoreModel {
    const copy = new OwnLogModel(this.#isStrict);
    copy.visible = this.visible;
    copy.#states = this.#states;
    copy.#uncertain = this.#uncertain;
    return copy;
  }

  async #writeIf(engine: Engine, op: WorkloadWriteOp): Promise<{ readonly durable: boolean }> {
    const result = await engine.compareAndBatch(metCondition(this.visible, op), toOperations(op));
    if (!result.applied) throw new Error(`a condition that holds was refused: ${JSON.stringify(op)}`);
    return result;
  }
}

/** Of a store whose log the caller keeps: the entries of that log, counted from 1, and how far the store has got. */
export class ExternalLogModel implements StoreModel {
  #entries: readonly ModelWrite[] = [];
  /** `#contents[i]` is what the store holds after entry i. */
  #contents: readonly Content[] = [new Map()];
  #applied = 0;
  #durable = 0;

  get visible(): Content {
    return this.#contents[this.#applied]!;
  }

  async write(engine: Engine, write: ModelWrite): Promise<void> {
    this.#entries = [...this.#entries, write];
    this.#contents = [...this.#contents, applyWrite(this.#contents.at(-1)!, write.op)];
    while (this.#applied < this.#entries.length) {
      const { op, isConditional } = this.#entries[this.#applied]!;
      const options: WriteOptions = { appliedIndex: this.#applied + 1 };
      if (isConditional) await engine.compareAndBatch(metCondition(this.visible, op), toOperations(op), options);
      else await engine.batch(toOperations(op), options);
      this.#applied++;
    }
  }

  /** An index stands for one write, so a refused one shares that of the write before; with one missing there is none to share. */
  async writeUnmet(engine: Engine, op: WorkloadWriteOp): Promise<boolean> {
    if (this.#applied < this.#entries.length) return true;
    const options: WriteOptions = { appliedIndex: this.#applied };
    const { applied } = await engine.compareAndBatch(unmetCondition(this.visible, op), toOperations(op), options);
    return !applied;
  }

  noteDurable(): void {
    this.#durable = this.#applied;
  }

  allows(engine: Engine, found: Content): boolean {
    const { durableIndex = -1 } = engine;
    const content = this.#contents[durableIndex];
    return durableIndex >= this.#durable && content !== undefined && sameContent(content, found);
  }

  adopt(engine: Engine): void {
    this.#applied = engine.durableIndex!;
    this.#durable = this.#applied;
  }

  fork(): StoreModel {
    const copy = new ExternalLogModel();
    copy.#entries = this.#entries;
    copy.#contents = this.#contents;
    copy.#applied = this.#applied;
    copy.#durable = this.#durable;
    return copy;
  }
}

/** Whether the error says that nothing of the write is left: all but those of an unknown outcome. */
function isUndoneWrite(error: unknown): boolean {
  return error instanceof KayaError && error.code !== 'KAYA_ENGINE_POISONED';
}

type Conditions = Parameters<Engine['compareAndBatch']>[0];

function metCondition(content: Content, op: WorkloadWriteOp): Conditions {
  const key = firstKey(op);
  return [{ key, value: content.get(key) }];
}

function unmetCondition(content: Content, op: WorkloadWriteOp): Conditions {
  const key = firstKey(op);
  return [{ key, value: `not ${content.get(key)}` }];
}

function firstKey(op: WorkloadWriteOp): string {
  switch (op.kind) {
    case 'put':
    case 'delete':
      return op.key;
    case 'batch':
      return op.writes[0]!.key;
    case 'delete-range':
      return op.prefix;
    default:
      throw new TypeError('no such write');
  }
}

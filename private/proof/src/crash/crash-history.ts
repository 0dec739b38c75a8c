/**
 * What a store went through while it was recorded: every state, and what it has promised about each.
 *
 * Invariant: state 0 is the empty store, state N the one after the Nth write; writes take effect in the order they are submitted.
 */

import { applyWrite, type Content, type WorkloadWriteOp } from '../workload/workload.ts';

/** What must be true of a store that is opened after a crash. Numbers are states. */
export interface Owed {
  /** The newest that survives power loss. */
  readonly durable: number;
  /** The newest that survives the death of the process. */
  readonly answered: number;
  /** The newest that may be there. */
  readonly submitted: number;
  readonly checkpoints: readonly OwedCheckpoint[];
}

export interface OwedCheckpoint {
  readonly path: string;
  /** What it holds, if it exists. */
  readonly state: number;
  /** Whether it must exist. */
  readonly isDurable: boolean;
}

export class CrashHistory {
  #content: Content = new Map();
  #before: Content = this.#content;
  readonly #states: string[] = [''];
  #durable = 0;
  #answered = 0;
  #checkpoints: readonly OwedCheckpoint[] = [];

  get owed(): Owed {
    return {
      durable: this.#durable,
      answered: this.#answered,
      submitted: this.submitted,
      checkpoints: this.#checkpoints,
    };
  }

  get submitted(): number {
    return this.#states.length - 1;
  }

  get answered(): number {
    return this.#answered;
  }

  /** As `describeContent`. */
  state(index: number): string {
    return this.#states[index]!;
  }

  /** The newest state up to `last` that is `text`; -1 when there is none. */
  findState(text: string, last: number): number {
    return this.#states.lastIndexOf(text, last);
  }

  /** @returns The state that the write leads to. */
  submit(op: WorkloadWriteOp): number {
    this.#before = this.#content;
    this.#content = applyWrite(this.#content, op);
    this.#states.push(describeContent(this.#content));
    return this.submitted;
  }

  /** The last write was rejected, and undone. Requires: no other is in flight. */
  undo(): void {
    this.#content = this.#before;
    this.#states.push(describeContent(this.#content));
  }

  /** A write was acknowledged. */
  answer(state: number, isDurable: boolean): void {
    this.#answered = Math.max(this.#answered, state);
    if (isDurable) this.settle(state);
  }

  /** Everything up to `state` survives power loss from now on. */
  settle(state: number): void {
    this.#durable = Math.max(this.#durable, state);
    this.#answered = Math.max(this.#answered, state);
  }

  beginCheckpoint(path: string): void {
    this.#checkpoints = [...this.#checkpoints, { path, state: this.submitted, isDurable: false }];
  }

  endCheckpoint(path: string): void {
    this.#checkpoints = this.#checkpoints.map((each) => (each.path === path ? { ...each, isDurable: true } : each));
  }
}

/** A content as text: equal contents, and only they, are equal texts. */
export function describeContent(content: Content): string {
  return [...content.keys()]
    .toSorted()
    .map((key) => `${key}=${content.get(key)}`)
    .join('\n');
}

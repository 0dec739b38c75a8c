/**
 * Hand-overs of leadership that somebody waits for. The core is asked elsewhere; here it is seen how it ends.
 *
 * Invariant: one target at a time, as in the core: a later wish takes the place of an earlier one.
 * Bound: those who wait.
 */

import type { Role } from '../core/ready.ts';
import { NO_NODE, type NodeId } from '../core/types.ts';
import { RaftError } from '../errors.ts';

export interface TransferView {
  readonly id: NodeId;
  readonly role: Role;
  readonly leader: NodeId;
  readonly transferTarget: NodeId;
}

interface Caller {
  readonly deadlineTick: number;
  readonly resolve: () => void;
  readonly reject: (error: RaftError) => void;
}

const MAX_CALLERS = 64;

export class Transfers {
  #target: NodeId = NO_NODE;
  #callers: Caller[] = [];

  get isPending(): boolean {
    return this.#callers.length > 0;
  }

  add(target: NodeId, deadlineTick: number): Promise<void> {
    if (target !== this.#target) this.endAll(notDone(`node ${target} is to lead instead`));
    this.#target = target;
    if (this.#callers.length >= MAX_CALLERS)
      return Promise.reject(notDone(`${MAX_CALLERS} callers wait for it already`));
    return new Promise((resolve, reject) => {
      this.#callers.push({ deadlineTick, resolve, reject });
    });
  }

  /** Something may have happened. */
  observe({ id, role, leader, transferTarget }: TransferView): void {
    if (!this.isPending) return;
    if (leader === this.#target) this.#resolve();
    else if (role === 'leader') {
      if (transferTarget !== this.#target)
        this.endAll(notDone(`node ${this.#target} did not take over in time, or may not lead`));
    } else if (leader !== NO_NODE && leader !== id) this.endAll(notDone(`node ${leader} leads instead`));
  }

  /** Nobody was heard to lead until the deadline. */
  expire(tick: number): void {
    if (!this.#callers.some(({ deadlineTick }) => deadlineTick <= tick)) return;
    const what = `leadership was given up for node ${this.#target}, and who leads is not known here`;
    this.endAll(new RaftError('KAYA_RAFT_UNKNOWN_OUTCOME', what));
  }

  endAll(error: RaftError): void {
    const callers = this.#callers;
    this.#callers = [];
    this.#target = NO_NODE;
    for (const { reject } of callers) reject(error);
  }

  #resolve(): void {
    const callers = this.#callers;
    this.#callers = [];
    this.#target = NO_NODE;
    for (const { resolve } of callers) resolve();
  }
}

function notDone(what: string): RaftError {
  return new RaftError('KAYA_RAFT_DROPPED', `leadership was not handed over: ${what}`);
}

/** What clients may rely on: what was acknowledged is there, what was refused never comes, and a read is never older than what was acknowledged before it began. */

import type { LogIndex, NodeId } from '@kayadb/raft';

import type { AppliedCommand, ApplyCheck } from './apply-check.ts';
import type { Fail } from './node-view.ts';

export class ClientCheck {
  readonly #fail: Fail;
  readonly #applies: ApplyCheck;
  readonly #refused = new Set<number>();
  #lastAcknowledged: LogIndex = 0;

  constructor(fail: Fail, applies: ApplyCheck) {
    this.#fail = fail;
    this.#applies = applies;
  }

  acknowledged(id: number, { index, term, result }: AppliedCommand): void {
    const found = this.#applies.find(id);
    if (found?.index !== index || found.term !== term || found.result !== result) {
      this.#fail(`command ${id} was acknowledged at ${index} of term ${term}, and applied at ${found?.index}`);
    }
    this.#lastAcknowledged = Math.max(this.#lastAcknowledged, index);
  }

  /** The node said that it will not happen. */
  refused(id: number): void {
    this.#refused.add(id);
    this.applied(id);
  }

  /** A command was applied, or may have been. */
  applied(id: number): void {
    const found = this.#refused.has(id) ? this.#applies.find(id) : undefined;
    if (found !== undefined) this.#fail(`command ${id} was refused for good, and applied at ${found.index}`);
  }

  /** @returns What the read has to see. */
  readBegins(): LogIndex {
    return this.#lastAcknowledged;
  }

  readEnds(node: NodeId, begunAt: LogIndex, index: LogIndex, appliedIndex: LogIndex): void {
    if (index >= begunAt && appliedIndex >= index) return;
    this.#fail(`a read at node ${node} saw ${appliedIndex} of ${index}; ${begunAt} was acknowledged before it`);
  }
}

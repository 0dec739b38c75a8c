/**
 * What is looked at after everything that a node does. The first break counts: what comes after it is its consequence.
 *
 * Invariant: nothing here throws into the code that is observed; whoever drives the simulation asks for `violation`.
 */

import type { Finder, Violation } from '../checks/finder.ts';

/** A node that is a member, as it is seen from outside. */
export interface MemberView {
  readonly id: number;
  /** Of the process: another one with every start. */
  readonly life: number;
  /** Of the directory: another one when it was wiped. */
  readonly disk: number;
  readonly term: number;
  readonly isLeader: boolean;
  readonly appliedIndex: number;
  readonly durableIndex: number;
  /** The machine's clock. */
  readonly timeMs: number;
}

/** What may not go back. */
const WITHIN_A_LIFE = ['term', 'appliedIndex', 'durableIndex', 'timeMs'] as const;
/** What the disk has promised. A term that is not durable yet may be forgotten. */
const WITHIN_A_DISK = ['durableIndex'] as const;

export class ServerChecks {
  readonly #leaders = new Map<number, number>();
  readonly #seen = new Map<number, MemberView>();
  #violation: Violation | undefined;

  get violation(): Violation | undefined {
    return this.#violation;
  }

  fail(finder: Finder, what: string): void {
    this.#violation ??= { finder, what };
  }

  observe(view: MemberView): void {
    const { id, term, isLeader, appliedIndex, durableIndex } = view;
    const before = this.#seen.get(id);
    this.#seen.set(id, view);
    if (isLeader) this.#observeLeader(id, term);
    if (durableIndex > appliedIndex) {
      this.fail('order', `node ${id} has ${durableIndex} durable and has applied ${appliedIndex}`);
    }
    if (before === undefined || before.disk !== view.disk) return;
    const isSameLife = before.life === view.life;
    for (const name of isSameLife ? WITHIN_A_LIFE : WITHIN_A_DISK) {
      if (view[name] >= before[name]) continue;
      this.fail(isSameLife ? 'order' : 'disk', `${name} of node ${id} went back from ${before[name]} to ${view[name]}`);
    }
  }

  #observeLeader(id: number, term: number): void {
    const other = this.#leaders.get(term) ?? id;
    this.#leaders.set(term, other);
    if (other !== id) this.fail('leaders', `nodes ${other} and ${id} both lead in term ${term}`);
  }
}

/**
 * All that must never happen, in one place. The first break counts: what comes after it is its consequence.
 *
 * Invariant: nothing here throws into the code that is observed; whoever drives the simulation asks for `violation`.
 */

import type { NodeId } from '@kayadb/raft';

import type { Ledger } from '../node/ledger.ts';
import { ApplyCheck } from './apply-check.ts';
import { ClientCheck } from './client-check.ts';
import { CommitCheck } from './commit-check.ts';
import type { Finder, Violation } from './finder.ts';
import { LeaderCheck } from './leader-check.ts';
import { LogCheck } from './log-check.ts';
import type { Fail, NodeView } from './node-view.ts';
import { OrderCheck } from './order-check.ts';

export class Checks {
  readonly logs: LogCheck;
  readonly commits: CommitCheck;
  readonly applies: ApplyCheck;
  readonly clients: ClientCheck;
  readonly #leaders: LeaderCheck;
  readonly #order: OrderCheck;
  #violation: Violation | undefined;

  constructor(ledgerOf: (id: NodeId) => Ledger | undefined) {
    const failAs =
      (finder: Finder): Fail =>
      (what) =>
        this.fail(finder, what);
    this.logs = new LogCheck(failAs('logs'));
    this.#leaders = new LeaderCheck(failAs('leaders'), ledgerOf);
    this.commits = new CommitCheck(failAs('commits'), ledgerOf);
    this.applies = new ApplyCheck(failAs('applies'));
    this.clients = new ClientCheck(failAs('clients'), this.applies);
    this.#order = new OrderCheck(failAs('order'));
  }

  get violation(): Violation | undefined {
    return this.#violation;
  }

  fail(finder: Finder, what: string): void {
    this.#violation ??= { finder, what };
  }

  observe(view: NodeView): void {
    this.#order.observe(view);
    this.#leaders.observe(view);
    this.commits.observe(view);
  }
}

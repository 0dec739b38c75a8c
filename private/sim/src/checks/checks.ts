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
import { LogCheck } from './log-check.ts';
import type { NodeView } from './node-view.ts';
import { OrderCheck } from './order-check.ts';

export class Checks {
  readonly logs: LogCheck;
  readonly commits: CommitCheck;
  readonly applies: ApplyCheck;
  readonly clients: ClientCheck;
  readonly #order: OrderCheck;
  #violation: string | undefined;

  constructor(ledgerOf: (id: NodeId) => Ledger | undefined) {
    const fail = (what: string): void => this.fail(what);
    this.logs = new LogCheck(fail);
    this.commits = new CommitCheck(fail, ledgerOf);
    this.applies = new ApplyCheck(fail);
    this.clients = new ClientCheck(fail, this.applies);
    this.#order = new OrderCheck(fail);
  }

  get violation(): string | undefined {
    return this.#violation;
  }

  fail(what: string): void {
    this.#violation ??= what;
  }

  observe(view: NodeView): void {
    this.#order.observe(view);
    this.commits.observe(view);
  }
}

/** Gives waiting proposals to the core, as many together as make one message. */

import { assert } from '@kayadb/codec';

import type { ConfigChange } from '../core/config-change.ts';
import { changeMembership, membersOf } from '../core/membership.ts';
import type { RaftCore } from '../core/raft-core.ts';
import { MAX_LISTED_MEMBERS } from '../wire/frame-format.ts';
import { dropped, type Proposal, type Proposals } from './proposals.ts';

/** Bound: proposals that one turn takes, so that it stays short. */
const MAX_PROPOSALS_PER_TURN = 1024;

export class Proposer<Result> {
  readonly #core: RaftCore;
  readonly #proposals: Proposals<Result>;
  readonly #maxMessageBytes: number;

  constructor(core: RaftCore, proposals: Proposals<Result>, maxMessageBytes: number) {
    this.#core = core;
    this.#proposals = proposals;
    this.#maxMessageBytes = maxMessageBytes;
  }

  /** Proposes what waits, up to what a turn takes. */
  propose(): void {
    let room = MAX_PROPOSALS_PER_TURN;
    let together = room;
    while (room > 0 && this.#proposals.waitingCount > 0) {
      const batch = this.#proposals.nextBatch(this.#maxMessageBytes, Math.min(room, together));
      // What is too much for the quota of the log may fit in part: from here on one by one.
      if (this.#proposeBatch(batch) === 'too-much') together = 1;
      else room -= batch.length;
    }
  }

  #proposeBatch(batch: readonly Proposal[]): 'too-much' | undefined {
    const [first] = batch;
    assert(first !== undefined, 'a batch has a proposal');
    if (first.kind === 'config') {
      this.#proposeChange(first.change);
      return undefined;
    }
    const outcome = this.#core.propose(batch.map(({ data }) => data));
    if (outcome.kind === 'dropped' && outcome.reason === 'quota' && batch.length > 1) return 'too-much';
    this.#proposals.proposed(batch.length, outcome, this.#core.leader);
    return undefined;
  }

  #proposeChange(change: ConfigChange): void {
    const refusal = this.#core.role === 'leader' ? this.#findRefusal(change) : undefined;
    if (refusal === undefined) {
      this.#proposals.proposed(1, this.#core.proposeConfigChange(change), this.#core.leader);
    } else {
      this.#proposals.refuseNext(dropped(refusal));
    }
  }

  #findRefusal(change: ConfigChange): string | undefined {
    const membership = changeMembership(this.#core.summary().configuration, change);
    if (membership.kind === 'refused') return membership.reason;
    const count = membersOf(membership.configuration).length;
    return count > MAX_LISTED_MEMBERS
      ? `a group of ${count} is too large; it has at most ${MAX_LISTED_MEMBERS}`
      : undefined;
  }
}

/**
 * An election before its time: the connection of the leader has ended, and that is the first sign that it is gone. Under pre-vote a leader that is not gone is not disturbed: it takes a
 * majority that has lost it, too.
 *
 * Invariant: whoever has taken part in an election since the leader was lost, as by a vote for another, holds none of its own: it would depose who has just won.
 */

import type { Clock, Timer } from '@kayadb/codec';
import { NO_NODE, type NodeId, type RaftNode } from '@kayadb/raft';

export interface EarlyCampaignOptions {
  readonly node: Pick<RaftNode<unknown>, 'id' | 'summary' | 'forgetLeader' | 'campaign'>;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Time between one voter's turn and the next one's: votes would be split if all began at once. */
  readonly turnMs: number;
}

/** Of a turn: the others have to notice as well, since before they do they ignore who asks for their vote. */
const NOTICE_SHARE = 0.2;

export class EarlyCampaign {
  readonly #options: EarlyCampaignOptions;
  #timer: Timer | undefined;

  constructor(options: EarlyCampaignOptions) {
    this.#options = options;
  }

  /** The connection of `node` has ended. */
  handleGone(peer: NodeId): void {
    const { node, clock, random, turnMs } = this.#options;
    const { leader, term, configuration } = node.summary();
    if (leader !== peer) return;
    node.forgetLeader();
    this.#timer?.cancel();
    if (!configuration.voters.includes(node.id)) return;
    const turn = configuration.voters.filter((voter) => voter < node.id && voter !== peer).length;
    this.#timer = clock.setTimer((turn + random() * NOTICE_SHARE) * turnMs, () => {
      const now = node.summary();
      if (now.leader === NO_NODE && now.term === term) node.campaign();
    });
  }

  close(): void {
    this.#timer?.cancel();
  }
}

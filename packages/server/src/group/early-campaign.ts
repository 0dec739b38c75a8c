/**
 * An election before its time: the connection of the leader has ended, and that is the first sign that it is gone. Under pre-vote a leader that is not gone is not disturbed: it takes a
 * majority that has lost it, too.
 */

import type { Clock, Timer } from '@kayadb/codec';
import { NO_NODE, type NodeId, type RaftNode } from '@kayadb/raft';

export interface EarlyCampaignOptions {
  readonly node: Pick<RaftNode<unknown>, 'summary' | 'forgetLeader' | 'campaign'>;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Within this time each member begins, not all at once: votes would be split. */
  readonly spreadMs: number;
}

export class EarlyCampaign {
  readonly #options: EarlyCampaignOptions;
  #timer: Timer | undefined;

  constructor(options: EarlyCampaignOptions) {
    this.#options = options;
  }

  /** The connection of `node` has ended. */
  handleGone(peer: NodeId): void {
    const { node, clock, random, spreadMs } = this.#options;
    if (node.summary().leader !== peer) return;
    node.forgetLeader();
    this.#timer?.cancel();
    this.#timer = clock.setTimer(random() * spreadMs, () => {
      if (node.summary().leader === NO_NODE) node.campaign();
    });
  }

  close(): void {
    this.#timer?.cancel();
  }
}

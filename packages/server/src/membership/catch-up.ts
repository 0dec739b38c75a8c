/**
 * Whether a learner keeps up for good (thesis section 4.2.1): time is cut into rounds, in each of which it has to get what the leader had at its beginning. A learner that does so within
 * an election timeout, and is never far behind on the way, would not keep a group waiting.
 */

import { MAX_PROMOTION_LAG } from './check-promotion.ts';

export interface LearnerView {
  readonly match: number;
  readonly lastIndex: number;
  readonly isAnswering: boolean;
}

interface Round {
  readonly end: number;
  readonly startTick: number;
  isClose: boolean;
}

export class CatchUp {
  readonly #electionTicks: number;
  #round: Round | undefined;

  constructor(electionTicks: number) {
    this.#electionTicks = electionTicks;
  }

  /** @returns Whether a round has ended now that shows that it keeps up. */
  observe(tick: number, { match, lastIndex, isAnswering }: LearnerView): boolean {
    if (!isAnswering) {
      this.#round = undefined;
      return false;
    }
    const isClose = lastIndex - match <= MAX_PROMOTION_LAG;
    const round = this.#round;
    if (round !== undefined) {
      round.isClose &&= isClose;
      if (match < round.end) return false;
    }
    this.#round = { end: lastIndex, startTick: tick, isClose };
    return round !== undefined && round.isClose && tick - round.startTick <= this.#electionTicks;
  }
}

/**
 * What a leader knows of its members whenever the log is to be cut.
 *
 * Invariant: alive is who has answered since the look before, or counts as active in the core. The core alone is not enough: it forgets whom it has heard at each check of the quorum, so that
 * for a heartbeat nobody is active, and the log of a member that lags would go.
 */

import type { Status } from '../core/status.ts';
import type { NodeId } from '../core/types.ts';
import type { MemberView } from './snapshot-policy.ts';

export class MemberLooks {
  /** Answers that there were at the last look. Bound: members. */
  #answers: ReadonlyMap<NodeId, number> = new Map();

  /** The others. Empty of a node that does not lead. */
  look({ id, progress }: Pick<Status, 'id' | 'progress'>): readonly MemberView[] {
    const before = this.#answers;
    this.#answers = new Map([...progress].map(([peer, { answerCount }]) => [peer, answerCount]));
    return [...progress]
      .filter(([peer]) => peer !== id)
      .map(([peer, { isRecentlyActive, answerCount, match, pendingSnapshot }]) => {
        const isAlive = isRecentlyActive || answerCount !== (before.get(peer) ?? 0);
        return { isAlive, match, pendingSnapshot };
      });
  }
}

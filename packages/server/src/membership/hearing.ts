/**
 * Whom a leader hears from. Its core says whom it has heard since it last asked whether it has a quorum, which is nobody right after that; here a member counts as
 * answering for a few heartbeats longer, so that plans do not depend on the moment.
 */

import type { NodeId, NodeStatus } from '@kayadb/raft';

/** Three heartbeats, of two ticks each. */
const GRACE_TICKS = 6;

type LeaderStatus = Pick<NodeStatus, 'id' | 'term' | 'progress'>;

export class Hearing {
  #term = 0;
  #tick = 0;
  /** When this node began to lead, or was last seen not to. */
  #sinceTick = 0;
  /** Bound: members. */
  readonly #heardAt = new Map<NodeId, number>();
  #waiters: (() => void)[] = [];

  /** Time goes by: once in a tick. */
  tick(status: LeaderStatus): void {
    this.#tick++;
    this.#observe(status);
    // Whoever leads no more will hear nobody; that is for those to see who waited.
    if (status.progress.size === 0 || this.#isSettled(status)) this.release();
  }

  /** @param status - Of this node, now; it leads. */
  isAnswering(node: NodeId, status: LeaderStatus): boolean {
    if (node === status.id) return true;
    this.#observe(status);
    const heardAt = this.#heardAt.get(node);
    return heardAt !== undefined && this.#tick - heardAt <= GRACE_TICKS;
  }

  /** Resolves when a leader, which may be a new one, has heard everybody or has had the time for it; or leads no more. */
  async settled(status: LeaderStatus): Promise<void> {
    this.#observe(status);
    if (this.#isSettled(status)) return;
    await new Promise<void>((resolve) => {
      this.#waiters.push(resolve);
    });
  }

  /** Nobody waits any more. */
  release(): void {
    for (const resolve of this.#waiters.splice(0)) resolve();
  }

  #isSettled({ id, progress }: LeaderStatus): boolean {
    if (this.#tick - this.#sinceTick >= GRACE_TICKS) return true;
    return progress.size > 0 && [...progress.keys()].every((node) => node === id || this.#heardAt.has(node));
  }

  #observe({ term, progress }: LeaderStatus): void {
    if (term !== this.#term || progress.size === 0) {
      this.#heardAt.clear();
      this.#sinceTick = this.#tick;
    }
    this.#term = term;
    for (const node of this.#heardAt.keys()) if (!progress.has(node)) this.#heardAt.delete(node);
    for (const [node, { isRecentlyActive }] of progress) if (isRecentlyActive) this.#heardAt.set(node, this.#tick);
  }
}

/**
 * Whom a leader hears from, and since when. Its core says whom it has heard since it last asked whether it has a quorum, which may be an election timeout ago; here a member counts as
 * answering for a few heartbeats after its last answer, and for plans only when it has answered since they were asked for.
 */

import type { NodeId, NodeStatus } from '@kayadb/raft';

/** Six heartbeats, of two ticks each: about an election timeout. */
const GRACE_TICKS = 12;

type LeaderStatus = Pick<NodeStatus, 'id' | 'term' | 'progress'>;

/** Somebody wants to know who answers from now on. */
interface Round {
  readonly term: number;
  readonly endTick: number;
  /** Answers that there were, by node. */
  readonly before: ReadonlyMap<NodeId, number>;
  readonly answered: Set<NodeId>;
  readonly end: () => void;
}

export class Hearing {
  #term = 0;
  #tick = 0;
  /** When this node began to lead, or was last seen not to. */
  #sinceTick = 0;
  /** Bound: members. */
  readonly #heard = new Map<NodeId, { readonly tick: number; readonly answers: number }>();
  #waiters: (() => void)[] = [];
  /** Bound: plans that are asked for at once. */
  #rounds: Round[] = [];

  /** Time goes by: once in a tick. */
  tick(status: LeaderStatus): void {
    this.#tick++;
    this.#observe(status);
    // Whoever leads no more will hear nobody; that is for those to see who waited.
    if (status.progress.size === 0 || this.#isSettled(status)) this.#releaseWaiters();
    const over = new Set(this.#rounds.filter((round) => this.#isOver(round, status)));
    this.#rounds = this.#rounds.filter((round) => !over.has(round));
    for (const { end } of over) end();
  }

  /** @param status - Of this node, now; it leads. */
  isAnswering(node: NodeId, status: LeaderStatus): boolean {
    if (node === status.id) return true;
    this.#observe(status);
    const heard = this.#heard.get(node);
    return heard !== undefined && this.#tick - heard.tick <= GRACE_TICKS;
  }

  /** Resolves when a leader, which may be a new one, has heard everybody or has had the time for it; or leads no more. */
  async settled(status: LeaderStatus): Promise<void> {
    this.#observe(status);
    if (this.#isSettled(status)) return;
    await new Promise<void>((resolve) => {
      this.#waiters.push(resolve);
    });
  }

  /**
   * Resolves when everybody has answered since the call or has had the time for it, or when this node leads no more in this term.
   *
   * @returns Who has, this node among them.
   */
  async round({ id, term, progress }: LeaderStatus): Promise<ReadonlySet<NodeId>> {
    const answered = new Set([id]);
    if (progress.size <= 1) return answered;
    const before = new Map([...progress].map(([node, { answerCount }]) => [node, answerCount]));
    await new Promise<void>((end) => {
      this.#rounds.push({ term, endTick: this.#tick + GRACE_TICKS, before, answered, end });
    });
    return answered;
  }

  /** Nobody waits any more. */
  release(): void {
    this.#releaseWaiters();
    for (const { end } of this.#rounds.splice(0)) end();
  }

  #releaseWaiters(): void {
    for (const resolve of this.#waiters.splice(0)) resolve();
  }

  #isOver({ term, before, answered, endTick }: Round, status: LeaderStatus): boolean {
    const { progress } = status;
    if (status.term !== term || progress.size === 0) return true;
    for (const [node, { answerCount }] of progress) if (answerCount > (before.get(node) ?? 0)) answered.add(node);
    return this.#tick >= endTick || [...progress.keys()].every((node) => answered.has(node));
  }

  #isSettled({ id, progress }: LeaderStatus): boolean {
    if (this.#tick - this.#sinceTick >= GRACE_TICKS) return true;
    return progress.size > 0 && [...progress.keys()].every((node) => node === id || this.#heard.has(node));
  }

  #observe({ term, progress }: LeaderStatus): void {
    if (term !== this.#term || progress.size === 0) {
      this.#heard.clear();
      this.#sinceTick = this.#tick;
    }
    this.#term = term;
    for (const node of this.#heard.keys()) if (!progress.has(node)) this.#heard.delete(node);
    for (const [node, { answerCount: answers }] of progress) {
      // Fewer: the node was taken out and in again between two looks.
      if (answers !== (this.#heard.get(node)?.answers ?? 0)) this.#heard.set(node, { tick: this.#tick, answers });
    }
  }
}
